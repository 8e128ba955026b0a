"""Search over JSON: the web process checks who asks and hands the query to the query worker."""

import base64
import binascii
import secrets
from typing import Annotated, Any, Literal
from uuid import UUID

from celery.exceptions import TimeoutError as WorkerAway
from django.core.cache import cache
from django.http import Http404, HttpRequest
from ninja import Field, Router, Schema
from ninja.errors import HttpError
from pydantic import model_validator

from atlas.datasets.access import visible_dataset
from atlas.maps.access import visible_version
from atlas.maps.models import DataMap, MapVersion
from atlas.maps.places import places_of
from atlas.search import tasks
from atlas.search.query import MOST_PARTS, Part, Query
from atlas.teams.asker import asker_of

router = Router(tags=["search"])

#: Longer than any warm query; a cold start of a large model is waited for elsewhere.
WAIT_SECONDS = 20
PICTURE_SECONDS = 120


class PartIn(Schema):
    """Exactly one of `text`, `row` and `picture` (base64 of the file)."""

    text: Annotated[str, Field(max_length=10_000)] | None = None
    row: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    picture: Annotated[str, Field(max_length=8 << 20)] | None = None
    weight: Annotated[float, Field(ge=-10, le=10)] = 1.0

    @model_validator(mode="after")
    def says_one_thing(self) -> "PartIn":
        if sum(value is not None for value in (self.text, self.row, self.picture)) != 1:
            raise ValueError("A part has exactly one of text, row and picture.")
        if self.text is not None and not self.text.strip():
            raise ValueError("The words of a part are empty.")
        if self.weight == 0:
            raise ValueError("A part with weight 0 says nothing.")
        return self


class QueryIn(Schema):
    parts: Annotated[list[PartIn], Field(min_length=1, max_length=MOST_PARTS)]
    against: Literal["pictures", "captions", "both"] = "both"
    limit: Annotated[int, Field(ge=1, le=5000)] = 500
    #: The map to give places on; any of the dataset's maps when it is left out.
    map: UUID | None = None


class HitOut(Schema):
    row: int
    ordinal: int | None
    x: float | None
    y: float | None
    score: float
    #: The score of every part of the query, in their order.
    parts: list[float]


class AnswerOut(Schema):
    hits: list[HitOut]
    relevant: int
    cut: float | None
    searched: int


@router.post("/datasets/{uuid:dataset_id}/search", response=AnswerOut)
def search(request: HttpRequest, dataset_id: UUID, body: QueryIn) -> dict[str, Any]:
    dataset = visible_dataset(asker_of(request), dataset_id)
    version = _version(request, dataset_id, body.map)
    found = _ask(str(dataset.pk), version.build.row_count, _query(body))
    if "error" in found:
        raise HttpError(422, found["error"])
    places = places_of(version.folder, [hit["row"] for hit in found["hits"]])
    for hit in found["hits"]:
        place = places.get(hit["row"])
        hit.update(vars(place) if place else {"ordinal": None, "x": None, "y": None})
    return found


def _version(request: HttpRequest, dataset_id: UUID, map_id: UUID | None) -> MapVersion:
    maps = DataMap.objects.filter(dataset=dataset_id, current__isnull=False)
    # Most records are on the joint map; the other spaces lack those without that modality.
    chosen = maps.filter(pk=map_id).first() if map_id else maps.order_by("-space").first()
    if chosen is None:
        raise Http404("There is no such map of this dataset, or it is not ready yet.")
    return visible_version(asker_of(request), chosen.pk)


def _query(body: QueryIn) -> Query:
    parts = tuple(
        Part(part.weight, part.text, part.row, _park(part.picture) if part.picture is not None else None)
        for part in body.parts
    )
    return Query(parts, body.against, body.limit)


def _park(picture: str) -> str:
    """Leave a picture where the worker finds it: a task's message is no place for megabytes."""
    try:
        content = base64.b64decode(picture, validate=True)
    except (binascii.Error, ValueError) as error:
        raise HttpError(422, "The picture of the query is not base64.") from error
    key = f"query-picture:{secrets.token_urlsafe(16)}"
    cache.set(key, content, PICTURE_SECONDS)
    return key


def _ask(dataset_id: str, row_count: int, query: Query) -> dict[str, Any]:
    result = tasks.answer.apply_async((dataset_id, row_count, query.as_json()), expires=WAIT_SECONDS)
    try:
        answer: dict[str, Any] = result.get(timeout=WAIT_SECONDS)
    except WorkerAway as error:
        raise HttpError(503, "The query worker is away. Try again in a moment.") from error
    finally:
        result.forget()
    return answer
