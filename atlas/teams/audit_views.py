"""The pages of the audit log: a team's for its owners, and everybody's own."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from atlas.teams.audit import audit_of_person, audit_of_team
from atlas.teams.models import AuditEvent, AuditVerb, User
from atlas.teams.views import find_team

LINES = 50


@login_required
@never_cache
@require_safe
def team_log(request: HttpRequest, team: str) -> HttpResponse:
    found = find_team(request, team)
    events = audit_of_team(found)
    happened = set(events.order_by().values_list("verb", flat=True).distinct())
    context = {
        "team": found,
        "may_edit": True,
        "is_owner": True,
        "kinds": [(verb, words) for verb, words in AuditVerb.choices if verb in happened],
        "page": _page(request, events),
    }
    return render(request, "teams/log.html", context)


@login_required
@never_cache
@require_safe
def own_activity(request: HttpRequest) -> HttpResponse:
    """Where others were when they did something to this account is not theirs to know."""
    page = _page(request, audit_of_person(cast(User, request.user)))
    return render(request, "teams/activity.html", {"page": page})


def _page(request: HttpRequest, events: QuerySet[AuditEvent]) -> Any:
    """Of one kind where the address names one."""
    kind = request.GET.get("kind")
    if kind in AuditVerb.values:
        events = events.filter(verb=kind)
    return Paginator(events, LINES).get_page(request.GET.get("page"))
