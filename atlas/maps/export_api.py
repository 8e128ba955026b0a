"""Exports over HTTP; `atlas/api/README.md` has the example."""

from collections.abc import AsyncIterator, Generator
from typing import Any, Literal
from uuid import UUID

import numpy as np
from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router, Schema
from ninja.errors import HttpError
from numpy.typing import NDArray

from atlas import csp
from atlas.connections import let_go
from atlas.datasets.access import visible_dataset
from atlas.datasets.activity import record_event, records
from atlas.datasets.export import Export, Part, captions_as_columns, captions_as_list, export_of
from atlas.datasets.export_archives import webdataset_pieces, zip_pieces
from atlas.datasets.export_tables import csv_pieces, jsonl_pieces, parquet_pieces
from atlas.datasets.filters import existing_rows
from atlas.datasets.models import Dataset
from atlas.datasets.permit import Permit, permit, require_captions
from atlas.maps.access import WithdrawnError, visible_version
from atlas.maps.computed import computed_part
from atlas.maps.export import place_part, vector_part
from atlas.maps.models import MapVersion, Space
from atlas.maps.selection import rows_matching
from atlas.maps.selection_api import check_words, count_selection
from atlas.teams.asker import Asker, asker_of
from atlas.teams.quota import count_for

router = Router(tags=["export"])

Format = Literal["csv", "jsonl", "parquet", "zip", "webdataset"]
#: What people call it, the end of the file's name, and its media type.
_FILES: dict[Format, tuple[str, str, str]] = {
    "csv": ("CSV", "csv", "text/csv; charset=utf-8"),
    "jsonl": ("JSON lines", "jsonl", "application/jsonl"),
    "parquet": ("Parquet", "parquet", "application/vnd.apache.parquet"),
    "zip": ("ZIP", "zip", "application/zip"),
    "webdataset": ("webdataset", "tar", "application/x-tar"),
}
#: Of one visitor: each may read every original of a dataset.
MOST_IN_A_MINUTE = 60
#: Bytes that are sent at a time, at least.
_BLOCK = 1 << 18
_REPLACED = "A newer map took the place of this one just now: export again."


class ExportIn(Schema):
    filter: dict[str, Any] | None = None
    format: Format
    #: Adds the places, topics and computed columns of this map.
    map: UUID | None = None
    #: Adds vectors, to Parquet only.
    vectors: Literal["image", "caption"] | None = None


class ExportCheckOut(Schema):
    #: That the file will hold.
    records: int


@router.post("/datasets/{uuid:dataset_id}/export/check", response=ExportCheckOut)
def check_export(request: HttpRequest, dataset_id: UUID, body: ExportIn) -> dict[str, int]:
    """Refuses what the export refuses: a page asks first, for a refused download has no place for words."""
    count_selection(request)
    asker = asker_of(request)
    dataset = visible_dataset(asker, dataset_id)
    return {"records": len(_asked_for(asker, dataset, body)[0])}


@router.post("/datasets/{uuid:dataset_id}/export")
def export_records(request: HttpRequest, dataset_id: UUID, body: ExportIn) -> StreamingHttpResponse:
    """A file, sent while it is made; a plain form may ask for it too (see `atlas/api/parser.py`)."""
    asker = asker_of(request)
    dataset = visible_dataset(asker, dataset_id)
    count_for(request, "export", MOST_IN_A_MINUTE, 60, "Those were many exports. Go on in a minute.")
    rows, extra = _asked_for(asker, dataset, body)
    pieces = _pieces(dataset, rows, body.format, permit(asker, dataset_id), extra)
    name, suffix, kind = _FILES[body.format]
    record_event(dataset, "exported", asker, f"exported {records(len(rows))} as {name}")
    response = StreamingHttpResponse(_streamed(pieces), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{dataset.slug}.{suffix}"'
    response["X-Content-Type-Options"] = "nosniff"
    # Our page asks for it from a frame, and some browsers hold back a download that no frame may show.
    response["X-Frame-Options"] = "SAMEORIGIN"
    response[csp.HEADER] = "default-src 'none'; sandbox; frame-ancestors 'self'"
    return response


def _asked_for(asker: Asker, dataset: Dataset, body: ExportIn) -> tuple[NDArray[np.intp], list[Part]]:
    """The rows, and what maps add to them."""
    check_words(asker, dataset.pk, body.filter)
    try:
        extra = _parts_of_maps(asker, dataset, body)
        if body.filter is None:
            return np.flatnonzero(existing_rows(dataset, dataset.row_count)), extra
        return np.flatnonzero(rows_matching(dataset, body.filter, dataset.row_count)), extra
    except (FileNotFoundError, WithdrawnError):
        raise HttpError(409, _REPLACED) from None


def _parts_of_maps(asker: Asker, dataset: Dataset, body: ExportIn) -> list[Part]:
    parts = []
    if body.map is not None:
        version = visible_version(asker, body.map)
        if version.map.dataset_id != dataset.pk:
            raise HttpError(422, "The map is of another dataset.")
        parts.append(place_part(version, words=permit(asker, dataset.pk).sees_captions))
        parts.append(computed_part(version))
        # All is open now, or it raised; the names of its topics may have gone before.
        if not MapVersion.objects.filter(pk=version.pk).exists():
            raise HttpError(409, _REPLACED)
    if body.vectors is not None:
        if body.format != "parquet":
            raise HttpError(422, "Only Parquet holds vectors.")
        if body.vectors == "caption":
            require_captions(asker, dataset.pk)  # a vector tells much of what its words were
        parts.append(vector_part(dataset, Space(body.vectors)))
    return parts


def _pieces(
    dataset: Dataset, rows: NDArray[np.int64], form: Format, may: Permit, extra: list[Part]
) -> Generator[bytes]:
    """What a share link hides is left out: no captions, thumbnails in place of originals."""

    def export(captions: Part | None) -> Export:
        return export_of(dataset, rows, captions if may.sees_captions else None, extra)

    match form:
        case "csv":
            return csv_pieces(export(captions_as_columns(dataset)))
        case "jsonl":
            return jsonl_pieces(export(captions_as_list()))
        case "parquet":
            return parquet_pieces(export(captions_as_list()))
        case "zip":
            return zip_pieces(export(captions_as_columns(dataset)), originals=may.sees_originals)
        case "webdataset":
            return webdataset_pieces(export(None), captions=may.sees_captions, originals=may.sees_originals)


def _block(pieces: Generator[bytes]) -> bytes:
    """Small pieces together: each way between the threads costs more than they do. Empty at the end."""
    found: list[bytes] = []
    size = 0
    for piece in pieces:
        found.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            break
    let_go()
    return b"".join(found)


async def _streamed(pieces: Generator[bytes]) -> AsyncIterator[bytes]:
    """No database connection is held while the visitor reads; ended when nobody reads on."""
    try:
        while block := await sync_to_async(_block)(pieces):
            yield block
    finally:
        await sync_to_async(pieces.close)()
