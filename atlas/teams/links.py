"""Share links: made, opened, revoked.

The token in a link's address is the link's id and a MAC of it under the secret key. So the owner can copy the
address at any time, the database alone (a backup, say) opens nothing, and a new secret key ends every link,
unless the old one stays among the fallbacks.
"""

import base64
import binascii
import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from atlas.teams.limits import network_of, require_within, within
from atlas.teams.models import Scope, ShareLink, User

#: Bytes of the MAC: 128 bits that nobody can guess, besides those of the random id.
MAC = 16
#: So many wrong passwords in so many seconds, from one address and from all near it. No count of everywhere:
#: anybody could use it up, and lock out those who know the password.
TRIES, TRIES_NEARBY, TRY_SECONDS = 10, 100, 600
#: {link id: fingerprint of its password}
_SESSION = "opened_links"


def create_link(
    dataset_id: UUID,
    user: User,
    *,
    name: str = "",
    scope: Scope = Scope.VIEW,
    password: str = "",
    expires_at: datetime | None = None,
    hide_originals: bool = False,
    hide_captions: bool = False,
    start_view: str = "",
) -> ShareLink:
    return ShareLink.objects.create(
        dataset_id=dataset_id, created_by=user, name=name, scope=scope, expires_at=expires_at,
        password=make_password(password) if password else "",
        hide_originals=hide_originals, hide_captions=hide_captions, start_view=start_view.removeprefix("#"),
    )  # fmt: skip


def change_link(link: ShareLink, *, password: str | None = None, **values: Any) -> None:
    """Its address stays, and who has it open goes on with what it says now.

    password: a new one, which everybody is asked for again, "" for none; None leaves it.
    values: other fields of `create_link`.
    """
    if password is not None:
        values["password"] = make_password(password) if password else ""
    for name, value in values.items():
        setattr(link, name, value)
    link.save(update_fields=list(values))


def revoke_link(link: ShareLink) -> None:
    """From the next request on it opens nothing, for those who have it open too. For good."""
    if link.revoked_at is None:
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])


def token_of(link: ShareLink) -> str:
    return base64.urlsafe_b64encode(link.pk.bytes + _mac(link.pk, settings.SECRET_KEY)).decode().rstrip("=")


def link_of(token: str) -> ShareLink | None:
    """The link in force that has this token. One answer for what never was, is revoked or has expired."""
    try:
        decoded = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(decoded) != 16 + MAC:
        return None
    link_id = UUID(bytes=decoded[:16])
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(constant_time_compare(decoded[16:], _mac(link_id, secret)) for secret in secrets):
        return None
    return ShareLink.objects.in_force().filter(pk=link_id).first()


def unlock(link: ShareLink, password: str, address: str | None) -> bool:
    """Whether this is its password. Raises TooManyError."""
    networks = {network_of(address): TRIES, network_of(address, 24, 48): TRIES_NEARBY}
    for network, most in networks.items():
        sentence = "Those were too many tries. Wait ten minutes, then try again."
        require_within(_tries(link, network), most, TRY_SECONDS, sentence)
    right = check_password(password, link.password)
    if right:
        # Taken back rather than counted late: many at a time must not all find the count low.
        for network, most in networks.items():
            within(_tries(link, network), most, TRY_SECONDS, -1)
    return right


def _tries(link: ShareLink, network: str) -> str:
    return f"link-password:{link.pk}:{network}"


def open_link(session: SessionBase, link: ShareLink) -> None:
    """Let this session in from now on, as long as the password stays, and count it."""
    session[_SESSION] = session.get(_SESSION, {}) | {str(link.pk): _fingerprint(link)}
    ShareLink.objects.filter(pk=link.pk).update(used=F("used") + 1, used_at=timezone.now())


def has_opened(session: SessionBase, link: ShareLink) -> bool:
    return bool(session.get(_SESSION, {}).get(str(link.pk)) == _fingerprint(link))


def links_of(session: SessionBase) -> tuple[ShareLink, ...]:
    """The links that this session has opened and that are in force at this moment: the database is asked."""
    opened: dict[str, str] = session.get(_SESSION, {})
    found = ShareLink.objects.in_force().filter(pk__in=opened) if opened else ()
    return tuple(link for link in found if has_opened(session, link))


def _fingerprint(link: ShareLink) -> str:
    """Of the password that was asked for: a new one lets in nobody who typed the old one."""
    return hashlib.sha256(link.password.encode()).hexdigest()[:16] if link.password else ""


def _mac(link_id: UUID, secret: str) -> bytes:
    return salted_hmac("atlas.teams.links", link_id.bytes, secret=secret, algorithm="sha256").digest()[:MAC]
