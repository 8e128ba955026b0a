"""Comments, saved views and activity over JSON; `atlas/api/README.md` has the examples."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest
from ninja import Field, Query, Router, Schema, Status
from ninja.errors import HttpError
from pydantic import AfterValidator, ConfigDict

from atlas.datasets.access import (
    commentable_dataset,
    discussed_dataset,
    visible_dataset,
    worked_on_dataset,
)
from atlas.datasets.activity import activity_page, record_event
from atlas.datasets.api import signed_in
from atlas.datasets.models import Dataset, Event
from atlas.datasets.permit import permit, require_captions
from atlas.datasets.remove import hold_records
from atlas.maps import comments
from atlas.maps.models import Comment, DataMap, SavedView
from atlas.maps.saved import Name, NameIn, SavedOut, listed_for, require_room
from atlas.teams.asker import Asker, asker_of
from atlas.teams.quota import count_for
from atlas.text import said

router = Router(tags=["together"])

#: Comments and replies of one visitor.
MOST_IN_A_MINUTE = 60


def _storable(content: dict[str, Any]) -> dict[str, Any]:
    """Postgres takes no NUL and no half of a character inside JSON either."""
    text = json.dumps(content, ensure_ascii=False)
    text.encode()  # a UnicodeEncodeError is a ValueError
    if "\\u0000" in text:
        raise ValueError("It holds a NUL.")
    return content


Text = Annotated[str, Field(max_length=5000), AfterValidator(said)]
Place = Annotated[float, Field(ge=-1, le=2)]


class _Strict(Schema):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class RecordPin(_Strict):
    row: Annotated[int, Field(ge=0, lt=2**31)]


class PlacePin(_Strict):
    map: UUID
    #: Of the map; a pin that names none is on whichever there is.
    layout: UUID | None = None
    x: Place
    y: Place


class RegionPin(_Strict):
    map: UUID
    layout: UUID | None = None
    region: Annotated[list[tuple[Place, Place]], Field(min_length=3, max_length=1000)]


class SelectionPin(_Strict):
    #: As in `atlas/api/README.md`; kept as it is and read again when it is opened.
    filter: Annotated[dict[str, Any], Field(min_length=1), AfterValidator(_storable)]


Pin = RecordPin | PlacePin | RegionPin | SelectionPin


class CommentIn(Schema):
    text: Text
    pin: Pin
    #: Of a visitor who is not signed in.
    name: Annotated[str, Field(max_length=60)] = ""


class ReplyIn(Schema):
    text: Text
    name: Annotated[str, Field(max_length=60)] = ""


class CommentChange(Schema):
    text: Text | None = None
    resolved: bool | None = None


class ReplyOut(Schema):
    id: UUID
    text: str
    author: str = Field(alias="author_name")
    #: False: the name is only what a visitor by link said, or that of an account which is gone.
    account: bool
    created_at: datetime
    #: When its author changed what it says; null: never.
    edited_at: datetime | None
    mine: bool

    @staticmethod
    def resolve_mine(comment: Comment, context: dict[str, Any]) -> bool:
        return asker_of(context["request"]).made(comment.author_id)

    @staticmethod
    def resolve_account(comment: Comment) -> bool:
        return comment.author_id is not None


class CommentOut(ReplyOut):
    resolved: bool
    pin: dict[str, Any]
    replies: list[ReplyOut]


class CommentsOut(Schema):
    comments: list[CommentOut]


class ViewIn(Schema):
    name: Name
    hash: Annotated[str, Field(max_length=100_000), AfterValidator(said)]
    shared: bool = True


class ViewOut(SavedOut):
    hash: str


class ViewsOut(Schema):
    views: list[ViewOut]


class EventOut(Schema):
    id: int
    verb: str
    who: str
    when: datetime = Field(alias="at")
    text: str

    @staticmethod
    def resolve_who(event: Event) -> str:
        return str(event.who) if event.who else "Somebody"


class ActivityOut(Schema):
    events: list[EventOut]
    next: int | None


@router.get("/datasets/{uuid:dataset_id}/comments", response=CommentsOut)
def list_comments(
    request: HttpRequest, dataset_id: UUID, state: Literal["open", "resolved", "all"] = "open"
) -> dict[str, Any]:
    dataset = _readable_dataset(asker_of(request), dataset_id)
    resolved = {"open": False, "resolved": True, "all": None}[state]
    return {"comments": comments.comments_of(dataset, resolved)}


@router.post("/datasets/{uuid:dataset_id}/comments", response={201: CommentOut})
def create_comment(request: HttpRequest, dataset_id: UUID, body: CommentIn) -> Status[Comment]:
    _count(request)
    asker = asker_of(request)
    dataset = commentable_dataset(asker, dataset_id)
    pin = body.pin.model_dump(mode="json", exclude_unset=True)
    with transaction.atomic():
        hold_records(dataset.pk)
        _check_pin(dataset, body.pin)
        made = comments.write_comment(dataset, asker, body.text, pin, name=body.name)
    record_event(dataset, "commented", asker, f"commented on {_about(body.pin)}")
    return Status(201, made)


@router.post("/datasets/{uuid:dataset_id}/comments/{uuid:comment_id}/replies", response={201: ReplyOut})
def create_reply(request: HttpRequest, dataset_id: UUID, comment_id: UUID, body: ReplyIn) -> Status[Comment]:
    _count(request)
    asker = asker_of(request)
    dataset = _discussed_dataset(asker, dataset_id)
    parent = comments.comment_of(dataset, comment_id)
    made = comments.write_comment(dataset, asker, body.text, {}, name=body.name, to=parent)
    return Status(201, made)


@router.patch("/datasets/{uuid:dataset_id}/comments/{uuid:comment_id}", response=CommentOut)
def change_comment(request: HttpRequest, dataset_id: UUID, comment_id: UUID, body: CommentChange) -> Comment:
    asker = asker_of(request)
    comment = comments.comment_of(_discussed_dataset(asker, dataset_id), comment_id)
    comments.change_comment(comment, asker, text=body.text, resolved=body.resolved)
    return comment


@router.delete("/datasets/{uuid:dataset_id}/comments/{uuid:comment_id}", response={204: None})
def delete_comment(request: HttpRequest, dataset_id: UUID, comment_id: UUID) -> Status[None]:
    asker = asker_of(request)
    dataset = commentable_dataset(asker, dataset_id)
    comment = comments.comment_of(dataset, comment_id)
    comments.remove_comment(comment, asker)
    whose = "their" if asker.made(comment.author_id) else f"{comment.author_name}’s"
    record_event(dataset, "deleted", asker, f"deleted {whose} comment")
    return Status(204, None)


@router.get("/datasets/{uuid:dataset_id}/views", response=ViewsOut)
def list_views(request: HttpRequest, dataset_id: UUID) -> dict[str, Any]:
    asker = asker_of(request)
    views = visible_dataset(asker, dataset_id).saved_views.filter(listed_for(asker))
    return {"views": views.select_related("created_by")}


@router.post("/datasets/{uuid:dataset_id}/views", response={201: ViewOut})
def create_view(request: HttpRequest, dataset_id: UUID, body: ViewIn) -> Status[SavedView]:
    asker, user = asker_of(request), signed_in(request)
    dataset = commentable_dataset(asker, dataset_id)
    require_room(dataset.saved_views.all(), user, "views", shared=body.shared)
    view = SavedView.objects.create(dataset=dataset, created_by=user, **body.dict())
    if view.shared:
        record_event(dataset, "shared", asker, f"saved the view {view.name} for all who see the map")
    return Status(201, view)


@router.get("/datasets/{uuid:dataset_id}/views/{uuid:view_id}", response=ViewOut)
def get_view(request: HttpRequest, dataset_id: UUID, view_id: UUID) -> SavedView:
    """Whoever has its id and may see the dataset can open it, listed or not: the id is the link."""
    return _view(visible_dataset(asker_of(request), dataset_id), view_id)


@router.patch("/datasets/{uuid:dataset_id}/views/{uuid:view_id}", response=ViewOut)
def rename_view(request: HttpRequest, dataset_id: UUID, view_id: UUID, body: NameIn) -> SavedView:
    asker = asker_of(request)
    view = _changeable_view(asker, dataset_id, view_id)
    SavedView.objects.filter(pk=view.pk).update(name=body.name)
    if view.shared and view.name != body.name:
        record_event(view.dataset, "renamed", asker, f"renamed the view {view.name} to {body.name}")
    view.name = body.name
    return view


@router.delete("/datasets/{uuid:dataset_id}/views/{uuid:view_id}", response={204: None})
def delete_view(request: HttpRequest, dataset_id: UUID, view_id: UUID) -> Status[None]:
    asker = asker_of(request)
    view = _changeable_view(asker, dataset_id, view_id)
    view.delete()
    if view.shared:
        record_event(view.dataset, "deleted", asker, f"deleted the view {view.name}")
    return Status(204, None)


@router.get("/datasets/{uuid:dataset_id}/activity", response=ActivityOut)
def list_activity(
    request: HttpRequest, dataset_id: UUID, before: Annotated[int | None, Query(ge=1, lt=2**63)] = None
) -> dict[str, Any]:
    """For those who work on it: a visitor by link or of a public dataset is told nothing of them."""
    events, following = activity_page(worked_on_dataset(asker_of(request), dataset_id), before)
    return {"events": events, "next": following}


def _count(request: HttpRequest) -> None:
    """Raises TooManyError."""
    count_for(request, "comment", MOST_IN_A_MINUTE, 60, "Those were many comments in a minute. Go on soon.")


def _readable_dataset(asker: Asker, dataset_id: UUID) -> Dataset:
    """What is said about a dataset is for those who may say something, and it quotes captions: who sees none
    of these may comment all the same, and reads nothing. Raises Http404, HiddenCaptionsError.
    """
    dataset = discussed_dataset(asker, dataset_id)
    require_captions(asker, dataset_id)
    return dataset


def _discussed_dataset(asker: Asker, dataset_id: UUID) -> Dataset:
    """One in which the asker may answer what is said. Raises Http404, HiddenCaptionsError, KeyScopeError."""
    asker.require_write()
    return _readable_dataset(asker, dataset_id)


def _view(dataset: Dataset, view_id: UUID) -> SavedView:
    found = dataset.saved_views.select_related("created_by").filter(pk=view_id).first()
    if found is None:
        raise Http404("There is no such view.")
    return found


def _changeable_view(asker: Asker, dataset_id: UUID, view_id: UUID) -> SavedView:
    """Raises Http404, HttpError 409, KeyScopeError."""
    view = _view(commentable_dataset(asker, dataset_id), view_id)
    if not (asker.made(view.created_by_id) or (view.shared and permit(asker, dataset_id).may_edit)):
        raise HttpError(
            409, "Only its maker, or an editor of the dataset, can rename or remove a shared view."
        )
    return view


def _about(pin: Pin) -> str:
    """Not what was said: whoever deletes that wants it gone."""
    if isinstance(pin, RecordPin):
        return f"record {pin.row:,}"
    kinds = {PlacePin: "a place", RegionPin: "a region", SelectionPin: "a selection"}
    return kinds[type(pin)]


def _check_pin(dataset: Dataset, pin: Pin) -> None:
    """What it is pinned to must be of this dataset."""
    if isinstance(pin, RecordPin) and not dataset.records.filter(row=pin.row).exists():
        raise HttpError(422, f"There is no record {pin.row} to comment on.")
    if isinstance(pin, PlacePin | RegionPin) and not DataMap.objects.filter(pk=pin.map, dataset=dataset):
        raise HttpError(422, "There is no such map of this dataset to comment on.")
