"""The cast of every story: Alice owns, Bob may edit, Victor may only view, Charlie is outside."""

from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass
from typing import cast

from asgiref.sync import async_to_sync
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client

from atlas.teams.asker import Asker
from atlas.teams.models import Membership, Role, Team, User
from atlas.teams.people import create_person

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Cast:
    team: Team
    alice: User
    bob: User
    victor: User
    charlie: User


def make_cast() -> Cast:
    alice, bob, victor, charlie = (
        create_person(f"{name}@example.org", PASSWORD, name=name.title())
        for name in ("alice", "bob", "victor", "charlie")
    )
    team = Team.objects.of(Asker(alice)).get()
    Membership.objects.create(team=team, user=bob, role=Role.EDITOR)
    Membership.objects.create(team=team, user=victor, role=Role.VIEWER)
    return Cast(team, alice, bob, victor, charlie)


def client_of(user: User | None) -> Client:
    """A browser in which this person is signed in; nobody: an anonymous one."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def async_client_of(user: User | None) -> AsyncClient:
    client = AsyncClient()
    if user is not None:
        client.force_login(user)
    return client


def content_of(response: HttpResponse | StreamingHttpResponse) -> bytes:
    """The whole body, also of an answer that is sent while it is made."""
    if isinstance(response, HttpResponse):
        return response.content
    if not response.is_async:
        return b"".join(cast(Iterable[bytes], response.streaming_content))

    async def whole() -> bytes:
        pieces = cast(AsyncIterable[bytes], response.streaming_content)
        return b"".join([piece async for piece in pieces])

    return async_to_sync(whole)()
