"""API keys: made, recognised, used, revoked.

A key is `nk-` and 40 random letters and digits. The database keeps its first characters, by which it is
found, and its SHA-256: who reads the database (a backup, say) can use none of them.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string

from atlas.teams.asker import Asker
from atlas.teams.audit import record_audit
from atlas.teams.models import ApiKey, AuditVerb, KeyScope, Role, Team, User

MARK = "nk-"
#: Random characters in all, and how many of them (48 bits) are kept as they are.
LENGTH, SHOWN = 40, 8
_FORM = re.compile(rf"{MARK}[A-Za-z0-9]{{{LENGTH}}}")
#: A use is noted at most so often: not every request writes.
NOTED_EVERY = timedelta(minutes=1)


class KeyRefusedError(Exception):
    """This key opens nothing; one sentence for who sent it."""


def create_key(
    team: Team, user: User, name: str, scopes: Sequence[KeyScope], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """The key's row and the key itself, which nobody can tell afterwards."""
    token = MARK + get_random_string(LENGTH)
    key = team.api_keys.create(
        created_by=user,
        name=name,
        prefix=token[: len(MARK) + SHOWN],
        digest=_digest(token),
        scopes=list(scopes),
        expires_at=expires_at,
    )
    return key, token


def revoke_key(key: ApiKey) -> None:
    """From the next request on it opens nothing. For good."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())


def key_of(token: str) -> ApiKey:
    """The key in force. Raises KeyRefusedError, which tells more of a key only to who has all of it."""
    if not _FORM.fullmatch(token):
        raise KeyRefusedError("This API key is not one of ours.")
    prefix = token[: len(MARK) + SHOWN]
    key = ApiKey.objects.select_related("created_by", "team").filter(prefix=prefix).first()
    # Compared where there is none too, in the same time.
    known = constant_time_compare(_digest(token), key.digest if key else _digest(""))
    if key is None or not known:
        raise KeyRefusedError("This API key is not one of ours.")
    require_force(key)
    return key


def require_force(key: ApiKey) -> None:
    """Raises KeyRefusedError for a key that has ended."""
    if key.revoked_at is not None:
        raise KeyRefusedError("This API key was revoked.")
    if key.expired:
        raise KeyRefusedError("This API key has expired.")
    if not ApiKey.objects.usable().filter(pk=key.pk).exists():
        raise KeyRefusedError("This API key has ended: who made it is no longer on the team.")


def note_use(request: HttpRequest, key: ApiKey) -> None:
    """When it was used last; the first time goes into the audit log."""
    now = timezone.now()
    if key.last_used_at is not None and key.last_used_at > now - NOTED_EVERY:
        return
    # The count says whether it was us: of two first uses at the same time, one is told.
    first = ApiKey.objects.filter(pk=key.pk, last_used_at=None).update(last_used_at=now)
    if first:
        record_audit(request, AuditVerb.KEY_USED, f"“{key}”", by=key.created_by, team=key.team)
    else:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


def keys_for(asker: Asker, team: Team) -> QuerySet[ApiKey]:
    """Owners see all keys of their team, others their own."""
    owns = Team.objects.of(asker, Role.OWNER).filter(pk=team.pk).exists()
    return team.api_keys.filter(Q() if owns else Q(created_by=asker.user.pk)).select_related("created_by")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
