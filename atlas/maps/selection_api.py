"""Selections and tables over JSON; `atlas/api/README.md` has the examples."""

import base64
from typing import Annotated, Any, Literal
from uuid import UUID

import numpy as np
from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.errors import HttpError
from numpy.typing import NDArray

from atlas.datasets.access import visible_dataset
from atlas.datasets.filters import existing_rows, reads_captions
from atlas.datasets.models import Dataset
from atlas.datasets.permit import require_captions
from atlas.datasets.table import SortError, page_around, page_of_rows, sorted_rows
from atlas.maps.access import visible_version
from atlas.maps.api import MapRecordOut
from atlas.maps.computed import sorted_by_computed
from atlas.maps.models import MapVersion
from atlas.maps.places import records_on_map, records_on_no_map
from atlas.maps.selection import in_layout, ordinals_matching, rows_matching
from atlas.teams.asker import Asker, asker_of
from atlas.teams.quota import count_for

router = Router(tags=["selection"])

#: Selections and pages of the table of one person, key or address: each may read a whole dataset. Our pages
#: ask for a handful in a second at most, while a filter is dragged or a list is scrolled.
MOST_IN_A_MINUTE = 1200


class SelectIn(Schema):
    filter: dict[str, Any]
    version: UUID | None = None


class SelectOut(Schema):
    """`bits`: base64; bit i, lowest of each byte first: whether the point with ordinal i matches."""

    count: int
    n: int
    bits: str


class TableIn(Schema):
    filter: dict[str, Any] | None = None
    sort: Annotated[str, Field(max_length=300)] = "row"
    #: Whether `sort` names an uploaded column (or row, key, caption, source), or one that the map computed.
    by: Literal["column", "computed"] = "column"
    offset: Annotated[int, Field(ge=0, lt=2**31)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    #: A row, for the page that has it in its middle, whatever the offset; the filter may leave it out.
    around: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    #: The map to give places on; null: none, all places are null.
    map: UUID | None = None
    #: Of the map; the one that is shown now if it is left out.
    version: UUID | None = None


class TableOut(Schema):
    records: list[MapRecordOut]
    total: int


@router.post("/maps/{uuid:map_id}/select", response=SelectOut)
def select(request: HttpRequest, map_id: UUID, body: SelectIn) -> dict[str, Any]:
    count_selection(request)
    asker = asker_of(request)
    version = visible_version(asker, map_id, body.version)
    check_words(asker, version.map.dataset_id, body.filter)
    found = ordinals_matching(version, body.filter)
    bits = base64.b64encode(np.packbits(found, bitorder="little").tobytes()).decode()
    return {"count": int(found.sum()), "n": len(found), "bits": bits}


@router.post("/datasets/{uuid:dataset_id}/table", response=TableOut)
def table(request: HttpRequest, dataset_id: UUID, body: TableIn) -> dict[str, Any]:
    count_selection(request)
    asker = asker_of(request)
    dataset = visible_dataset(asker, dataset_id)
    check_words(asker, dataset_id, body.filter)
    version = _version(asker, dataset, body)
    asked = in_layout(body.filter, version.map_id, version.pk) if version else body.filter
    mask = None if asked is None else rows_matching(dataset, asked, dataset.row_count)
    order = _order(asker, dataset, version, body)
    if body.around is None:
        rows, total = page_of_rows(order, mask, body.offset, body.limit)
    else:
        rows, total = page_around(order, mask, body.around, body.limit)
    records = records_on_no_map(dataset, rows) if version is None else records_on_map(version, rows)
    return {"records": records, "total": total}


def count_selection(request: HttpRequest) -> None:
    """Raises TooManyError."""
    sentence = f"Those were more than {MOST_IN_A_MINUTE:,} selections in a minute. Go on soon."
    count_for(request, "select", MOST_IN_A_MINUTE, 60, sentence)


def _version(asker: Asker, dataset: Dataset, body: TableIn) -> MapVersion | None:
    if body.map is None:
        return None
    version = visible_version(asker, body.map, body.version)
    if version.map.dataset_id != dataset.pk:
        raise HttpError(422, "The map is of another dataset.")
    return version


def _order(asker: Asker, dataset: Dataset, version: MapVersion | None, body: TableIn) -> NDArray[np.uint32]:
    """Raises SortError, HiddenCaptionsError."""
    if body.by == "computed":
        if version is None:
            raise SortError("A computed column is one of a map: name the map.")
        order = sorted_by_computed(version, body.sort, dataset.row_count)
        return order[existing_rows(dataset, dataset.row_count)[order]]
    if body.sort.removeprefix("-") == "caption":
        require_captions(asker, dataset.pk)
    return sorted_rows(dataset, body.sort)


def check_words(asker: Asker, dataset_id: UUID, content: Any) -> None:
    """Raises HiddenCaptionsError for a filter by words that are hidden from the asker."""
    if reads_captions(content):
        require_captions(asker, dataset_id)
