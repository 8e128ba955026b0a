"""Builds that fail, are tried again, or are cancelled."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from atlas.datasets.models import Dataset, State
from atlas.maps import projection, tiles, topics, towers
from atlas.maps.build import BuildError, cancel_build, create_build, retry_build
from atlas.maps.models import DataMap, Space, Stage, Step
from atlas.maps.run import run_step
from atlas.maps.towers import TowerError
from tests.maps.building import make_maps, rows_of, sent_steps, work_off
from tests.maps.fake_towers import FakeModel
from tests.maps.records import add_records

# The thread that watches a step has a connection of its own: what it reads must be committed.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake")]

#: Two are promised; a busy machine takes longer, and a stage that goes on longer still.
SECONDS_TO_HEED = 5.0


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Errors that the projection raises, one a call, before it works again."""
    errors: list[Exception] = []
    project = projection.project

    def fail(*args: Any, **kwargs: Any) -> object:
        if errors:
            raise errors.pop(0)
        return project(*args, **kwargs)

    monkeypatch.setattr(projection, "project", fail)
    return errors


def test_a_step_that_failed_by_chance_is_tried_again(dataset: Dataset, failing: list[Exception]) -> None:
    add_records(dataset, 5, captions=True)
    failing += [OSError("the disk hiccuped")] * 2

    make_maps(dataset.pk)

    assert Step.objects.get(build__dataset=dataset, stage=Stage.PROJECT).attempts == 3


def test_the_third_failure_fails_the_build_with_a_sentence(
    dataset: Dataset, failing: list[Exception]
) -> None:
    add_records(dataset, 5, captions=True)
    failing += [OSError("the disk hiccuped")] * 3

    build = work_off(create_build(dataset.pk, append=False))

    assert build.state == State.FAILED
    assert build.error == (
        "Projection of captions failed. Something unexpected happened. The log of the workers says what."
    )
    assert not DataMap.objects.filter(dataset=dataset, current__isnull=False).exists()


def test_what_cannot_succeed_is_not_tried_again(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    add_records(dataset, 5, captions=True)

    def missing(name: str) -> FakeModel:
        raise TowerError("The weights of mini are not there: run `python -m embeddings download mini`.")

    monkeypatch.setattr(towers, "model", missing)

    build = work_off(create_build(dataset.pk, append=False))

    assert (build.state, build.steps.get(stage=Stage.EMBED).attempts) == (State.FAILED, 1)
    assert "The weights of mini are not there" in build.error


def test_retry_repeats_only_what_failed(dataset: Dataset, failing: list[Exception], fake: FakeModel) -> None:
    add_records(dataset, 5, captions=True)
    failing += [OSError("no")] * 3
    build = work_off(create_build(dataset.pk, append=False))

    retry_build(build)

    assert work_off(build).state == State.DONE
    assert build.error == ""
    assert fake.embedded == 5
    assert [step.attempts for step in build.steps.order_by("id")] == [1] * 5


def test_only_a_failed_build_can_be_retried(dataset: Dataset) -> None:
    add_records(dataset, 5, captions=True)
    build = make_maps(dataset.pk)

    with pytest.raises(BuildError, match="has failed"):
        retry_build(build)


def test_a_failed_build_is_not_retried_beside_a_newer_one(dataset: Dataset, failing: list[Exception]) -> None:
    add_records(dataset, 5, captions=True)
    failing += [OSError("no")] * 3
    failed = work_off(create_build(dataset.pk, append=False))
    create_build(dataset.pk, append=False)

    with pytest.raises(BuildError, match="newer build"):
        retry_build(failed)
    failed.refresh_from_db()
    assert failed.state == State.FAILED


def test_cancel_ends_a_build_that_waits(dataset: Dataset, fake: FakeModel) -> None:
    add_records(dataset, 5, captions=True)
    build = create_build(dataset.pk, append=False)

    cancel_build(build)

    work_off(build)
    with pytest.raises(BuildError, match="over already"):
        cancel_build(build)
    assert set(build.steps.values_list("state", flat=True)) == {State.CANCELLED}
    assert fake.embedded == 0


def test_a_cancelled_build_is_taken_up_by_another(dataset: Dataset, fake: FakeModel) -> None:
    add_records(dataset, 5, captions=True)
    make_maps(dataset.pk)
    add_records(dataset, 2, captions=True)
    build = work_off(create_build(dataset.pk, append=True), until=lambda step: step.stage == Stage.TOPICS)
    cancel_build(build)
    build.refresh_from_db()

    retry_build(build)

    again = dataset.builds.last()
    assert again is not None
    assert (work_off(again).state, again.append) == (State.DONE, True)
    assert fake.embedded == 7


def cancel_in_the_middle_of(step: Step) -> None:
    """Run it in a thread, cancel its build as soon as it runs, and see that it ends soon."""

    def run() -> None:
        run_step(step.pk)
        connection.close()

    worker = threading.Thread(target=run)
    worker.start()
    while not Step.objects.filter(pk=step.pk, state=State.RUNNING).exists():
        time.sleep(0.01)
    asked = time.monotonic()
    cancel_build(step.build)
    worker.join()
    assert time.monotonic() - asked < SECONDS_TO_HEED


def test_cancel_stops_a_running_step_in_its_middle(dataset: Dataset, fake: FakeModel) -> None:
    add_records(dataset, 5, captions=True)
    build = create_build(dataset.pk, append=False)
    fake.seconds = 30

    cancel_in_the_middle_of(sent_steps(build)[0])

    assert build.steps.get(stage=Stage.EMBED).state == State.CANCELLED
    assert rows_of(dataset, Space.CAPTION) == []


@pytest.mark.parametrize("stage", [Stage.TOPICS, Stage.TILES])
def test_cancel_stops_a_long_stage_in_its_middle(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    add_records(dataset, 60, pictures=True, captions=True)
    build = work_off(create_build(dataset.pk, append=False), until=lambda step: step.stage == stage)
    module, name = (topics, "_watershed") if stage == Stage.TOPICS else (tiles, "write_file")
    good = getattr(module, name)

    def slow(*args: object) -> object:
        time.sleep(1)
        return good(*args)

    monkeypatch.setattr(module, name, slow)
    step = sent_steps(build)[0]

    cancel_in_the_middle_of(step)

    step.refresh_from_db()
    assert (step.stage, step.state) == (stage, State.CANCELLED)
    assert not (Path(settings.ATLAS_HOME) / "maps").exists() or not list(
        (Path(settings.ATLAS_HOME) / "maps" / str(dataset.pk)).iterdir()
    )
