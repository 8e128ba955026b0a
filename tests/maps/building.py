"""Run builds inside a test, what Celery's workers would do, and look at what they left."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings

from atlas.datasets.models import Dataset, State
from atlas.maps import publish, vectors
from atlas.maps.build import OPEN, create_build
from atlas.maps.models import Build, DataMap, MapVersion, Space, Step
from atlas.maps.run import run_step


def sent_steps(build: Build) -> list[Step]:
    """The steps that lie in Celery's queues and would be taken from them."""
    waiting = build.steps.filter(state=State.QUEUED, sent_at__isnull=False, build__state__in=OPEN)
    return list(waiting.order_by("id"))


def work_off(build: Build, until: Callable[[Step], bool] = lambda _: False) -> Build:
    """Run what is sent until nothing is left, or `until` says of a step that it shall not be run any more."""
    while steps := sent_steps(build):
        if until(steps[0]):
            break
        run_step(steps[0].pk)
    build.refresh_from_db()
    return build


def make_maps(dataset_id: UUID, *, append: bool = False) -> Build:
    """A whole build."""
    build = work_off(create_build(dataset_id, append=append))
    assert build.state == State.DONE, build.error
    return build


def rows_of(dataset: Dataset, space: Space) -> list[int]:
    return list(map(int, vectors.stored_rows(dataset.pk, space, 0, dataset.row_count)))


def shown(dataset: Dataset, space: Space = Space.IMAGE) -> MapVersion:
    version = DataMap.objects.select_related("current__map").get(dataset=dataset, space=space).current
    assert version is not None
    return version


def versions_on_disk(dataset: Dataset) -> set[str]:
    return {path.name for path in (Path(settings.ATLAS_HOME) / "maps" / str(dataset.pk)).glob("*")}


def interrupt_publishing(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A build in which publishing ends after the second of three maps."""
    good = publish._publish_map
    published: list[str] = []

    def dies_at_the_third(build: Build, space: str) -> None:
        if len(published) % 3 == 2:
            raise OSError("the lights went out")
        published.append(space)
        good(build, space)

    with monkeypatch.context() as patch:
        patch.setattr(publish, "_publish_map", dies_at_the_third)
        build = work_off(create_build(dataset.pk, append=False))
    assert len(published) == 2
    return build
