"""Removing records over JSON; `atlas/api/README.md` has the example."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema

from atlas.datasets import remove
from atlas.datasets.access import editable_dataset
from atlas.maps.selection import rows_matching
from atlas.maps.selection_api import check_words, count_selection
from atlas.teams.asker import asker_of

router = Router(tags=["datasets"])


class RemoveIn(Schema):
    filter: dict[str, Any]
    #: As many as somebody has seen and meant: where it is another number by now, nothing is removed.
    expected: int | None = Field(None, ge=0)


class RemovedOut(Schema):
    removed: int
    #: Records that are left.
    record_count: int


@router.post("/datasets/{uuid:dataset_id}/records/remove", response=RemovedOut)
def remove_records(request: HttpRequest, dataset_id: UUID, body: RemoveIn) -> dict[str, int]:
    count_selection(request)
    asker = asker_of(request)
    dataset = editable_dataset(asker, dataset_id)
    check_words(asker, dataset_id, body.filter)
    mask = rows_matching(dataset, body.filter, dataset.row_count)
    removed = remove.remove_records(dataset.pk, mask, asker, body.expected)
    dataset.refresh_from_db(fields=["row_count", "removed_count"])
    return {"removed": removed, "record_count": dataset.record_count}
