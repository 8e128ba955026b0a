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
from atlas.teams.models import ShareLink, User


@dataclass(frozen=True)
class Asker:
    """A person, or nobody. Querysets take it and give what it may see or do: nothing else exists for it."""

    user: User | AnonymousUser
    #: Share links that were opened in this session and are in force now.
    links: tuple[ShareLink, ...] = ()
    #: What was asked already, by dataset (see `atlas.datasets.permit`): a page asks of each record.
    permits: dict[UUID, Any] = field(default_factory=dict, compare=False)


def asker_of(request: HttpRequest) -> Asker:
    """Looked up once for each request."""
    asker: Asker | None = vars(request).get("asker")
    if asker is None:
        asker = Asker(request.user, links_of(request.session))
        vars(request)["asker"] = asker
    return asker


async def asker_of_async(request: HttpRequest) -> Asker:
    """The same in an async view, where looking up `request.user` late would block."""
    request.user = await request.auser()
    return await sync_to_async(asker_of)(request)


def asker_again(request: HttpRequest) -> Asker:
    """Who asks by what is true now, for an answer that goes on for hours: signed out, revoked, removed?"""
    again = copy(request)
    again.session = type(request.session)(request.session.session_key)
    again.user = get_user(again)
    vars(again).pop("asker", None)
    return asker_of(again)
