"""Who asks: the one thing that every permission is asked of."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from atlas.teams.models import User


@dataclass(frozen=True)
class Asker:
    """A person, or nobody. Querysets take it and give what it may see or do: nothing else exists for it."""

    user: User | AnonymousUser


NOBODY = Asker(AnonymousUser())


def asker_of(request: HttpRequest) -> Asker:
    return Asker(request.user)


async def asker_of_async(request: HttpRequest) -> Asker:
    """The same in an async view, where `request.user` would block."""
    return Asker(await request.auser())
