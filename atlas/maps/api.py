"""Maps, builds and the records on maps over JSON; `atlas/api/README.md` has the examples."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Router, Schema

from atlas.datasets.access import editable_dataset, record_of, visible_dataset
from atlas.datasets.api import numbers_in
from atlas.datasets.models import Dataset, Record
from atlas.datasets.permit import permit
from atlas.datasets.schemas import RecordOut
from atlas.maps import build, progress
from atlas.maps.access import reading, visible_version
from atlas.maps.models import Build, Space
from atlas.maps.places import records_on_map, rows_at
from atlas.teams.asker import asker_of

router = Router(tags=["maps"])


class BuildIn(Schema):
    anew: bool = False


class MapOut(Schema):
    id: UUID
    space: Space
    version: UUID
    number: int
    #: The same for all versions on which points and topics are where they were.
    layout: UUID
    count: int
    base_url: str
    #: Names that editors gave to topics, by the topic's id.
    renamed: dict[str, str]


class MapsOut(Schema):
    maps: list[MapOut]


class MapRecordOut(RecordOut):
    """A record and where it is on the map: all null for one that is not on it."""

    ordinal: int | None
    x: float | None
    y: float | None
    #: Of every computed column of the map; empty off the map.
    computed: dict[str, float | str | None]


class MapRecordsOut(Schema):
    records: list[MapRecordOut]


@router.get("/datasets/{uuid:dataset_id}/maps", response=MapsOut)
def list_maps(request: HttpRequest, dataset_id: UUID) -> dict[str, Any]:
    return {"maps": progress.published_maps(visible_dataset(asker_of(request), dataset_id).pk)}


@router.get("/datasets/{uuid:dataset_id}/progress")
def get_progress(request: HttpRequest, dataset_id: UUID) -> dict[str, Any]:
    asker = asker_of(request)
    snapshot = progress.snapshot(visible_dataset(asker, dataset_id))
    return snapshot if permit(asker, dataset_id).sees_all else progress.without_reasons(snapshot)


@router.post("/datasets/{uuid:dataset_id}/build")
def start_build(request: HttpRequest, dataset_id: UUID, body: BuildIn) -> dict[str, Any]:
    dataset = editable_dataset(asker_of(request), dataset_id)
    build.create_build(dataset.pk, append=not body.anew)
    return progress.snapshot(dataset)


@router.post("/datasets/{uuid:dataset_id}/build/cancel")
def cancel_build(request: HttpRequest, dataset_id: UUID) -> dict[str, Any]:
    dataset = editable_dataset(asker_of(request), dataset_id)
    build.cancel_build(_latest_build(dataset))
    return progress.snapshot(dataset)


@router.post("/datasets/{uuid:dataset_id}/build/retry")
def retry_build(request: HttpRequest, dataset_id: UUID) -> dict[str, Any]:
    dataset = editable_dataset(asker_of(request), dataset_id)
    build.retry_build(_latest_build(dataset))
    return progress.snapshot(dataset)


@router.get("/maps/{uuid:map_id}/records", response=MapRecordsOut)
def list_records(
    request: HttpRequest, map_id: UUID, ordinals: str, version: UUID | None = None
) -> dict[str, Any]:
    shown = visible_version(asker_of(request), map_id, version)
    wanted = numbers_in(ordinals, "ordinals")
    with reading(shown.pk):
        rows = rows_at(shown.folder, wanted)
    return {"records": records_on_map(shown, rows)}


@router.get("/maps/{uuid:map_id}/records/{int:row}", response=MapRecordOut)
def get_record(request: HttpRequest, map_id: UUID, row: int, version: UUID | None = None) -> Record:
    shown = visible_version(asker_of(request), map_id, version)
    record_of(shown.map.dataset, row)
    return records_on_map(shown, [row])[0]


def _latest_build(dataset: Dataset) -> Build:
    latest = dataset.builds.order_by("created_at").last()
    if latest is None:
        raise Http404("There is no build of this dataset yet.")
    return latest
