"""Second steps in the database: their secrets, each sealed (see `sealing.py`), and their removal."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from atlas.teams.models import AuditEvent, AuditVerb, User

#: Where allauth keeps the secret of each kind that has one. Passkeys have none: their public half is enough.
FIELDS = {"totp": "secret", "recovery_codes": "seed"}


def change_secrets(authenticators: Any, change: Callable[[str], str | None]) -> None:
    """Put `change(secret)` in the place of every secret; None leaves it.

    authenticators: the manager of allauth's model, in a migration the historical one.
    """
    for each in authenticators.filter(type__in=FIELDS).select_for_update():
        field = FIELDS[each.type]
        changed = change(each.data[field])
        if changed is not None:
            each.data[field] = changed
            each.save(update_fields=["data"])


@transaction.atomic
def remove_second_steps(user: User) -> int:
    """Take all of a person's second steps away, as the site's operator; how many there were."""
    count: int = Authenticator.objects.filter(user=user).delete()[0]
    if count:
        AuditEvent.objects.create(
            verb=AuditVerb.SECOND_STEP_REMOVED, text="by the operator of the site", about_id=user.pk
        )
    return count
