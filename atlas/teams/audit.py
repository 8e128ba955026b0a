"""The audit log: what people did about safety. Written once, never changed, read by whom it
concerns; old lines go where the operator says so."""

import ipaddress
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from atlas.teams.models import AuditEvent, AuditVerb, Team, User

_LONGEST = 300


def record_audit(
    request: HttpRequest,
    verb: AuditVerb,
    text: str = "",
    *,
    by: User | None = None,
    about: User | None = None,
    team: Team | None = None,
) -> None:
    """Add a line. No secrets in `text`: it is shown to the owners of `team` and to `by` and `about`.

    by: who did it; whoever is signed in where it is left out.
    about: whose account it concerns where that is somebody else's, who then sees the line too.
    """
    visitor = getattr(request, "user", None)
    who = by or (visitor if isinstance(visitor, User) else None)
    AuditEvent.objects.create(
        verb=verb,
        text=text[:_LONGEST],
        user_id=who.pk if who else None,
        who=who.email if who else "",
        about_id=about.pk if about else None,
        team_id=team.pk if team else None,
        address=address_of(request),
    )


def prune_audit() -> int:
    """Remove lines older than `ATLAS_AUDIT_DAYS`, the one way in which any goes; how many went."""
    if not settings.ATLAS_AUDIT_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.ATLAS_AUDIT_DAYS)
    with transaction.atomic(), connection.cursor() as cursor:
        # Until the end of the transaction; the trigger on the table asks for it.
        cursor.execute("SELECT set_config('atlas.audit_prune_before', %s, true)", [before.isoformat()])
        return AuditEvent.objects.filter(at__lt=before).delete()[0]


def audit_of_team(team: Team) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(team_id=team.pk)


def audit_of_person(user: User) -> QuerySet[AuditEvent]:
    """What they did, and what others did to their account."""
    return AuditEvent.objects.filter(Q(user_id=user.pk) | Q(about_id=user.pk))


def address_of(request: HttpRequest) -> str | None:
    """The visitor's IP address: the web server reads the headers of proxies that it trusts."""
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:  # a unix socket, a request that tests make up
        return None
