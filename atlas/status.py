"""Template tags that see more than one room: where a dataset stands between its upload and its map.

`{% described datasets as cards %}` gives each dataset of a page its status and some pictures, in four queries
however many there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django import template
from django.db.models import Q
from django.urls import reverse

from atlas.datasets.models import Dataset, Import, ImportState, Record, State
from atlas.maps.models import Build, DataMap

register = template.Library()

PICTURES = 5

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
    builds = {
        build.dataset_id: build for build in Build.objects.filter(dataset__in=ids)
    }  # the latest one stays
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
    if latest and (latest.open or (latest.state == ImportState.FAILED and not dataset.row_count)):
        return Status(chip_state(latest), latest.get_state_display())
    if build and build.state in (State.QUEUED, State.RUNNING):
        return Status("running", "Building the map")
    if build and build.state == State.FAILED:
        return Status("failed", "The map failed")
    if mapped:
        return Status("ready", "Ready")
    return Status("queued", "No map yet")


def _pictures(datasets: Iterable[Dataset]) -> dict[UUID, list[str]]:
    """Spread over the whole dataset: the first ones are often alike."""
    wanted = Q(pk__in=[])
    for dataset in datasets:
        rows = {dataset.row_count * (2 * place + 1) // (2 * PICTURES) for place in range(PICTURES)}
        wanted |= Q(dataset=dataset, row__in=rows)
    found: dict[UUID, list[str]] = {}
    records = Record.objects.filter(wanted, sha256__isnull=False).order_by("dataset_id", "row")
    for dataset_id, row in records.values_list("dataset_id", "row"):
        found.setdefault(dataset_id, []).append(reverse("api:record_thumbnail", args=[dataset_id, row]))
    return found
