"""The secrets of second steps in the database, each sealed (see `sealing.py`)."""

from collections.abc import Callable
from typing import Any

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
