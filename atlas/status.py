"""Template tags that see more than one room: where a dataset stands between its upload and its map.

`{% described datasets as cards %}` gives each dataset of a page its status and some pictures, in four queries
however many there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django import template
from django.db import connection
from django.urls import reverse

from atlas.datasets.models import Dataset, Import, ImportState, State
from atlas.maps.models import Build, DataMap

register = template.Library()

PICTURES = 5

#: Rows with a picture that are wanted, or, where these were removed, the next ones or the last before them.
_NEAREST = """
SELECT DISTINCT wanted.dataset_id, near.row FROM unnest(%s::uuid[], %s::int[]) AS wanted (dataset_id, row),
 LATERAL (
  (SELECT row, sha256 FROM datasets_record AS record
    WHERE record.dataset_id = wanted.dataset_id AND record.row >= wanted.row ORDER BY record.row LIMIT 1)
  UNION ALL
  (SELECT row, sha256 FROM datasets_record AS record
    WHERE record.dataset_id = wanted.dataset_id AND record.row < wanted.row ORDER BY record.row DESC LIMIT 1)
  LIMIT 1
 ) AS near WHERE near.sha256 IS NOT NULL ORDER BY 1, 2
"""

#: What the style sheet knows a chip's states as.
_CHIPS = {
    ImportState.DESCRIBING: "running",
    ImportState.DESCRIBED: "queued",
    ImportState.QUEUED: "queued",
    ImportState.RUNNING: "running",
    ImportState.DONE: "done",
    ImportState.FAILED: "failed",
    ImportState.CANCELLED: "cancelled",
}


@dataclass(frozen=True)
class Status:
    """`state` is a chip's `data-state`, `words` what it says."""

    state: str
    words: str


@dataclass(frozen=True)
class Card:
    dataset: Dataset
    status: Status
    has_map: bool
    #: Addresses of thumbnails.
    pictures: list[str]


@register.simple_tag
def described(datasets: Iterable[Dataset]) -> list[Card]:
    """The datasets in their order; each must come with its imports prefetched where there are many."""
    datasets = list(datasets)
    ids = [dataset.pk for dataset in datasets]
    mapped = set(
        DataMap.objects.filter(dataset__in=ids, current__isnull=False).values_list("dataset", flat=True)
    )
    # The latest one stays.
    builds = {build.dataset_id: build for build in Build.objects.filter(dataset__in=ids)}
    pictures = _pictures(datasets)
    return [
        Card(
            dataset,
            _status(dataset, builds.get(dataset.pk), dataset.pk in mapped),
            dataset.pk in mapped,
            pictures.get(dataset.pk, []),
        )
        for dataset in datasets
    ]


@register.filter
def chip_state(job: Import) -> str:
    return _CHIPS[ImportState(job.state)]


def _status(dataset: Dataset, build: Build | None, mapped: bool) -> Status:
    imports: Sequence[Import] = list(dataset.imports.all())
    latest = imports[-1] if imports else None
    if latest and (latest.open or (latest.state == ImportState.FAILED and not dataset.record_count)):
        return Status(chip_state(latest), latest.get_state_display())
    if build and build.state in (State.QUEUED, State.RUNNING):
        return Status("running", "Building the map")
    if build and build.state == State.FAILED:
        return Status("failed", "The map failed")
    if mapped:
        return Status("ready", "Ready")
    if dataset.removed_count and not dataset.record_count:
        return Status("queued", "No records left")
    return Status("queued", "No map yet")


def _pictures(datasets: Iterable[Dataset]) -> dict[UUID, list[str]]:
    """Spread over the whole dataset: the first ones are often alike."""
    wanted = [
        (dataset.pk, dataset.row_count * (2 * place + 1) // (2 * PICTURES))
        for dataset in datasets
        for place in range(PICTURES)
    ]
    found: dict[UUID, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_NEAREST, [[pk for pk, _ in wanted], [row for _, row in wanted]])
        records = cursor.fetchall()
    for dataset_id, row in records:
        found.setdefault(dataset_id, []).append(reverse("api:record_thumbnail", args=[dataset_id, row]))
    return found
