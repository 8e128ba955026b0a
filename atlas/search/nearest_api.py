"""The neighbours of a record over JSON."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema

from atlas.datasets.access import record_of
from atlas.datasets.permit import require_captions, sees_captions
from atlas.maps import vectors
from atlas.maps.access import visible_version
from atlas.maps.api import MapRecordOut
from atlas.maps.models import Space
from atlas.maps.places import records_on_map
from atlas.search import asking, tasks
from atlas.search.limits import count_search
from atlas.search.nearest import Found
from atlas.search.replies import WorkerAwayError
from atlas.teams.asker import asker_of

router = Router(tags=["maps"])

MOST_NEIGHBOURS = 100


class NeighbourOut(MapRecordOut):
    score: float


class NeighboursOut(Schema):
    records: list[NeighbourOut]


@router.get("/maps/{uuid:map_id}/records/{int:row}/neighbours", response=NeighboursOut)
def list_neighbours(
    request: HttpRequest,
    map_id: UUID,
    row: int,
    k: Annotated[int, Query(ge=1, le=MOST_NEIGHBOURS)] = 12,
    version: UUID | None = None,
) -> dict[str, Any]:
    count_search(request)
    asker = asker_of(request)
    shown = visible_version(asker, map_id, version)
    dataset, space = shown.map.dataset, Space(shown.map.space)
    if space == Space.CAPTION:
        require_captions(asker, dataset.pk)  # how alike they are tells much of what they say
    elif not sees_captions(asker, dataset.pk):
        space = Space.IMAGE  # their part in the joint one could be worked out
    record_of(dataset, row)
    scores = dict(_nearest(dataset.pk, space, row, shown.build.row_count, k))
    records = records_on_map(shown, list(scores))
    for record in records:
        vars(record).update(score=scores[record.row])
    return {"records": records}


def _nearest(dataset_id: UUID, space: Space, row: int, row_count: int, k: int) -> Found:
    try:
        arguments = (str(dataset_id), space, row, row_count, k)
        found = asking.ask(tasks.nearest, *arguments, wait=asking.SHORT_WAIT_SECONDS)
    except WorkerAwayError:
        return vectors.neighbours(dataset_id, space, row, row_count, k)
    return [(row, score) for row, score in found["found"]]
