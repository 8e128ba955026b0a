"""Search over JSON: the web process checks who asks and hands the query to the query worker."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router
from ninja.errors import HttpError

from atlas.datasets.filters import reads_captions
from atlas.datasets.models import Dataset
from atlas.datasets.permit import HiddenCaptionsError, sees_captions
from atlas.maps.access import WithdrawnError, reading, visible_version
from atlas.maps.models import version_folder
from atlas.search import asking, engine, tasks
from atlas.search.across import without_captions
from atlas.search.body import as_body
from atlas.search.limits import count_search
from atlas.search.pictures import find_picture
from atlas.search.pictures_api import from_base64
from atlas.search.query import Part, Query
from atlas.search.remote import fetch_picture, time_out
from atlas.search.replies import WorkerAwayError
from atlas.search.schemas import AnswerOut, GlowIn, PartIn, QueryIn
from atlas.teams.asker import Asker, asker_of

router = Router(tags=["search"])

#: Of a picture whose web process was killed before it took it away.
PICTURE_SECONDS = 120


class Shown(NamedTuple):
    """What is searched: the records that the version of a map was built from."""

    dataset_id: UUID
    version_id: UUID
    row_count: int


@router.post("/datasets/{uuid:dataset_id}/search", response=AnswerOut, by_alias=True)
def search(request: HttpRequest, dataset_id: UUID, body: QueryIn) -> HttpResponse:
    count_search(request)
    asker = asker_of(request)
    shown = _shown(asker, dataset_id, body.map, body.version)
    with parked(asker, body.parts) as parts:
        query = Query(parts, body.against, body.limit, body.offset, body.mode, filter=body.filter)
        if body.map and body.version:
            query = query.in_layout(body.map, body.version)
        query = _permitted(query, sees_captions=sees_captions(asker, dataset_id))
        try:
            found = _answer(shown, query)
        except WithdrawnError:  # the newest has taken its place; one that was named is not there any more
            found = _answer(_shown(asker, dataset_id, body.map, body.version), query)
    # Made by us, so nothing is left to check: 500 hits through their schema would take longer than the scan.
    return HttpResponse(found, content_type="application/json")


@router.post("/maps/{uuid:map_id}/glow", include_in_schema=False)
def glow(request: HttpRequest, map_id: UUID, body: GlowIn) -> HttpResponse:
    """A byte for each point: 0 = far below average or not searched, 128 = the cut, 255 = the best."""
    count_search(request)
    asker = asker_of(request)
    version = visible_version(asker, map_id, body.version)
    dataset_id = version.map.dataset_id
    with parked(asker, body.parts) as parts:
        query = Query(parts, body.against, mode="meaning", filter=body.filter)
        query = query.in_layout(map_id, version.pk)
        query = _permitted(query, sees_captions=sees_captions(asker, dataset_id))
        found = checked(asking.ask(tasks.glow, str(dataset_id), str(version.pk), query.as_json()))
    return HttpResponse(found["content"], content_type="application/octet-stream")


@contextmanager
def parked(asker: Asker, parts: Sequence[PartIn]) -> Iterator[tuple[Part, ...]]:
    """As they travel to the worker; meanwhile their pictures wait in the cache, and no longer: somebody who
    searches on and on would fill the memory with them. Raises HttpError 422, RemoteError."""
    keys: list[str] = []
    until = time_out()
    try:
        yield tuple(
            Part(part.weight, part.text, part.row, _parked(asker, part, until, keys), part.group, part.vector)
            for part in parts
        )
    finally:
        if keys:
            cache.delete_many(keys)


def checked(found: dict[str, Any]) -> dict[str, Any]:
    """Raises HttpError 422 with the worker's sentence, WithdrawnError."""
    if "withdrawn" in found:
        raise WithdrawnError
    if "error" in found:
        raise HttpError(422, found["error"])
    return found


def _permitted(query: Query, *, sees_captions: bool) -> Query:
    """What the asker may ask. Raises HiddenCaptionsError."""
    if sees_captions:
        return query
    asked_of = [query.filter, *(part.group for part in query.parts)]
    if any(map(reads_captions, asked_of)) or query.against == "captions" or query.mode == "words":
        raise HiddenCaptionsError("The captions of this dataset are hidden from you.")
    return without_captions(query)


def _answer(shown: Shown, query: Query) -> bytes:
    """By the worker, or by words alone without it.

    Raises HttpError 422, QueryError, WithdrawnError, WorkerAwayError.
    """
    if query.mode == "words":
        return _by_words(shown, query, away=False)
    # Without captions there are no words to search by either.
    has_words = query.mode == "best" and bool(query.wanted_words)
    wait = asking.SHORT_WAIT_SECONDS if has_words else asking.WAIT_SECONDS
    version = str(shown.dataset_id), str(shown.version_id), shown.row_count
    try:
        found: bytes = checked(asking.ask(tasks.answer, *version, query.as_json(), wait=wait))["content"]
    except WorkerAwayError:
        if not has_words:
            raise
        return _by_words(shown, query, away=True)
    return found


def _by_words(shown: Shown, query: Query, *, away: bool) -> bytes:
    found = engine.answer_by_words(shown.dataset_id, shown.row_count, query, away=away)
    with reading(shown.version_id):
        return as_body(found, version_folder(shown.dataset_id, shown.version_id))


def _shown(asker: Asker, dataset_id: UUID, map_id: UUID | None, version_id: UUID | None) -> Shown:
    """That version, or what is shown now, of the map or of any. Raises Http404."""
    version = "maps__versions" if version_id else "maps__current"
    named = {"maps": map_id, "maps__versions": version_id}
    wanted = {name: each for name, each in named.items() if each}
    datasets = Dataset.objects.visible_to(asker).filter(pk=dataset_id, maps__current__isnull=False, **wanted)
    # Most records are on the joint map; the other spaces lack those without that modality.
    shown = datasets.order_by("-maps__space").values_list(version, f"{version}__build__row_count").first()
    if shown is None:
        raise Http404("There is no such map of this dataset, or it is not ready yet.")
    return Shown(dataset_id, *shown)


def _parked(asker: Asker, part: PartIn, until: float, keys: list[str]) -> str | None:
    """Leave a picture where the worker finds it: a task's message is no place for megabytes."""
    content = _picture_of(asker, part, until)
    if content is None:
        return None
    key = f"query-picture:{secrets.token_urlsafe(16)}"
    keys.append(key)
    cache.set(key, content, PICTURE_SECONDS)
    return key


def _picture_of(asker: Asker, part: PartIn, until: float) -> bytes | None:
    """The file; None of a part that is no picture. Raises HttpError 422, RemoteError."""
    if part.url is not None:
        return fetch_picture(part.url, until)
    if part.picture_key is not None:
        content = find_picture(asker, part.picture_key)
        if content is None:
            raise HttpError(422, "The picture of the query is not here any more: add it again.")
        return content
    return None if part.picture is None else from_base64(part.picture)
