"""Secrets that must be read again lie in the database sealed by the secret key: a copy of the database alone
opens none of them.

Sealed are the secrets of second steps; what only has to be recognised (passwords, API keys) is hashed.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.crypto import salted_hmac


class SealError(ValidationError):
    """Sealed by a secret key that this server has no longer; one sentence for whoever needs it."""

    def __init__(self) -> None:
        super().__init__(
            "This server has another secret key than when this was set up, and cannot read it. "
            "Whoever runs the server can help: ATLAS_SECRET_KEY_FALLBACKS names the keys of before."
        )


def seal(text: str) -> str:
    return _keys()[0].encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises SealError."""
    try:
        return MultiFernet(_keys()).decrypt(sealed).decode()
    except InvalidToken as error:
        raise SealError from error


def sealed_anew(sealed: str) -> str | None:
    """The same under the present key; None where it is already, or under none that is known."""
    try:
        _keys()[0].decrypt(sealed)
    except InvalidToken:
        try:
            return MultiFernet(_keys()).rotate(sealed).decode()
        except InvalidToken:
            return None
    return None


def _keys() -> list[Fernet]:
    """The present one first."""
    return [_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _key(secret: str) -> Fernet:
    digest = salted_hmac("atlas.teams.sealing", b"", secret=secret, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(digest))
