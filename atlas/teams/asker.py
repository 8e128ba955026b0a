"""Who asks: the one thing that every permission is asked of."""

from copy import copy
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from atlas.teams.links import links_of
from atlas.teams.models import ApiKey, KeyScope, ShareLink, User


class KeyScopeError(Exception):
    """An API key reaches not so far; one sentence for who holds it."""


@dataclass(frozen=True)
class Asker:
    """A person, or nobody. Querysets take it and give what it may see or do: nothing else exists for it."""

    user: User | AnonymousUser
    #: Share links that were opened in this session and are in force now.
    links: tuple[ShareLink, ...] = ()
    #: Shown instead of a session: the person then asks in its team only, and within its scopes.
    key: ApiKey | None = None
    #: What was asked already, by dataset (see `atlas.datasets.permit`): a page asks of each record.
    permits: dict[UUID, Any] = field(default_factory=dict, compare=False)

    @property
    def person(self) -> User | None:
        return self.user if isinstance(self.user, User) else None

    def made(self, maker_id: int | None) -> bool:
        """Whether it is theirs. What a deleted account made is nobody's, and least of all Nobody's."""
        return self.person is not None and self.person.pk == maker_id

    @property
    def may_write(self) -> bool:
        """Whether anything may be changed, as far as an API key decides that."""
        return self.key is None or self.key.allows(KeyScope.WRITE)

    def require_write(self) -> None:
        """Raises KeyScopeError."""
        if not self.may_write:
            raise KeyScopeError("This API key may look and search only: this takes the scope “write”.")

    def require_person(self) -> None:
        """For what no API key does. Raises KeyScopeError."""
        if self.key is not None:
            raise KeyScopeError("No API key shares or deletes datasets: sign in for that.")


def asker_of(request: HttpRequest) -> Asker:
    """Looked up once for each request. Raises KeyScopeError for an API key that may not even look."""
    asker: Asker | None = vars(request).get("asker")
    if asker is None:
        asker = _by_key(request) or Asker(request.user, links_of(request.session))
        vars(request)["asker"] = asker
    return asker


async def asker_of_async(request: HttpRequest) -> Asker:
    """The same in an async view, where looking up `request.user` late would block."""
    request.user = await request.auser()
    return await sync_to_async(asker_of)(request)


def asker_again(request: HttpRequest) -> Asker:
    """Who asks by what is true now, for an answer that goes on for hours: signed out, revoked, removed?"""
    again = copy(request)
    if key := key_of_request(request):
        usable = ApiKey.objects.usable().filter(pk=key.pk).exists()
        return Asker(key.created_by, key=key) if usable else Asker(AnonymousUser())
    again.session = type(request.session)(request.session.session_key)
    again.user = get_user(again)
    vars(again).pop("asker", None)
    return asker_of(again)


def key_of_request(request: HttpRequest) -> ApiKey | None:
    """The API key that the request was let in with (see `key_middleware.py`)."""
    key: ApiKey | None = vars(request).get("api_key")
    return key


def _by_key(request: HttpRequest) -> Asker | None:
    key = key_of_request(request)
    if key is None:
        return None
    if not key.allows(KeyScope.READ):
        raise KeyScopeError("This API key may not look at data: this takes the scope “read” or “write”.")
    return Asker(key.created_by, key=key)
