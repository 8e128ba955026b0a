"""Who may call: the holder of a session, nobody in particular, or a program with an API key."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer

from atlas.teams.asker import KeyScopeError, key_of_request
from atlas.teams.models import ApiKey, KeyScope


class Visitor(APIKeyCookie):
    """Whoever holds the session, or nobody: what they may do is the views' matter. Wants the CSRF token."""

    param_name = settings.SESSION_COOKIE_NAME

    def _get_key(self, request: HttpRequest) -> str | None:
        # Without a session there is nothing that a forged request could act with; and in a frame of another
        # site, where browsers keep cookies back, there is no token either.
        return super()._get_key(request) if self.param_name in request.COOKIES else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:  # noqa: ARG002
        return request.user


class Key(HttpBearer):
    """A program with an API key: `atlas.teams.key_middleware` has looked at it already."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:  # noqa: ARG002
        return key_of_request(request)


def embedding_key(request: HttpRequest) -> ApiKey:
    """The key that an operation for keys alone was called with. Raises KeyScopeError."""
    key = key_of_request(request)
    if key is None or not key.allows(KeyScope.EMBED):
        raise KeyScopeError("This API key may not embed: this takes the scope “embed”.")
    return key
