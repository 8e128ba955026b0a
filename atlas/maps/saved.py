"""What people keep of the explorer under a name: views, and the searches of `search`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.db.models import Q, QuerySet
from ninja import Field, Schema
from ninja.errors import HttpError
from pydantic import AfterValidator

from atlas.maps.models import Saved
from atlas.teams.asker import Asker, asker_of
from atlas.teams.models import User
from atlas.text import said

#: That all see, and of one person beside them.
MOST_SHARED, MOST_OWN = 500, 100


Name = Annotated[str, Field(max_length=100), AfterValidator(said)]


class NameIn(Schema):
    name: Name


class SavedOut(Schema):
    id: UUID
    name: str
    shared: bool
    created_by: str
    created_at: datetime
    mine: bool

    @staticmethod
    def resolve_created_by(saved: Saved) -> str:
        return str(saved.created_by)

    @staticmethod
    def resolve_mine(saved: Saved, context: dict[str, Any]) -> bool:
        return asker_of(context["request"]).made(saved.created_by_id)


def listed_for(asker: Asker) -> Q:
    return Q(shared=True) | Q(created_by=asker.person)


def require_room(saved: QuerySet[Any], user: User, things: str, *, shared: bool) -> None:
    """saved: views, or searches, of a dataset. What people keep for themselves takes nobody else's room.

    Raises HttpError 409.
    """
    if shared and saved.filter(shared=True).count() >= MOST_SHARED:
        raise HttpError(409, f"A dataset holds at most {MOST_SHARED} shared {things}. Remove some first.")
    if not shared and saved.filter(shared=False, created_by=user).count() >= MOST_OWN:
        raise HttpError(409, f"You keep {MOST_OWN} {things} of this dataset already. Remove some first.")
