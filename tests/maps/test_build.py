"""Builds: their steps, the order of these, and what happens when one fails, is cancelled or comes twice."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from atlas.datasets.models import Dataset, Import, ImportState, Record, SkippedItem, State
from atlas.datasets.signals import records_imported
from atlas.maps import embed, projection, tiles, topics, towers, vectors
from atlas.maps.build import IN_FLIGHT, BuildError, advance, cancel_build, create_build, rescue, retry_build
from atlas.maps.kept import Points
from atlas.maps.models import Build, DataMap, Space, Stage, Step, VectorSet
from atlas.maps.run import run_step
from atlas.maps.towers import TowerError
from embeddings.errors import WeightsError
from tests.maps.building import make_maps, sent_steps, work_off
from tests.maps.fake_towers import FakeModel
from tests.maps.records import add_records, make_dataset

# The thread that watches a step has a connection of its own: what it reads must be committed.
pytestmark = pytest.mark.django_db(transaction=True)

#: Two are promised; a busy machine takes longer, and a stage that goes on longer still.
SECONDS_TO_HEED = 5.0


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    fake = FakeModel()
    monkeypatch.setattr(towers, "model", lambda _: fake)
    return fake


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


def rows_of(dataset: Dataset, space: Space) -> list[int]:
    return list(map(int, vectors.stored_rows(dataset.pk, space, 0, dataset.row_count)))


def test_pictures_and_captions_become_three_maps(dataset: Dataset) -> None:
    add_records(dataset, 20, pictures=True, captions=True)

    build = make_maps(dataset.pk)

    assert build.finished_at is not None
    maps = DataMap.objects.filter(dataset=dataset).select_related("current")
    assert {each.space: each.current and each.current.count for each in maps} == {
        "image": 20, "caption": 20, "joint": 20,
    }  # fmt: skip
    assert rows_of(dataset, Space.IMAGE) == rows_of(dataset, Space.CAPTION) == list(range(20))


@pytest.mark.parametrize(("content", "space"), [("pictures", "image"), ("captions", "caption")])
def test_one_modality_becomes_one_map(dataset: Dataset, content: str, space: str) -> None:
    add_records(dataset, 5, **{content: True})

    make_maps(dataset.pk)

    assert [each.space for each in DataMap.objects.filter(dataset=dataset)] == [space]


def test_records_without_content_are_on_no_map(dataset: Dataset) -> None:
    add_records(dataset, 4)
    add_records(dataset, 3, captions=True)

    make_maps(dataset.pk)

    caption = DataMap.objects.get(dataset=dataset)
    assert caption.current is not None
    assert caption.current.count == 3
    assert rows_of(dataset, Space.CAPTION) == [4, 5, 6]


def test_a_dataset_of_columns_only_is_done_without_a_map(dataset: Dataset) -> None:
    add_records(dataset, 4)

    make_maps(dataset.pk)

    assert not DataMap.objects.filter(dataset=dataset).exists()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_records_has_a_map(dataset: Dataset, count: int) -> None:
    add_records(dataset, count, pictures=True, captions=True)

    make_maps(dataset.pk)

    assert {each.current and each.current.count for each in DataMap.objects.filter(dataset=dataset)} == {
        count
    }


def test_pictures_that_cannot_be_embedded_are_left_out_and_reported(dataset: Dataset) -> None:
    first, second = (
        Import.objects.create(dataset=dataset, state=ImportState.DONE, imported=3, started_at=timezone.now())
        for _ in range(2)
    )
    add_records(dataset, 6, pictures=True)
    damaged, gone = dataset.records.get(row=2), dataset.records.get(row=4)
    assert damaged.original is not None
    assert gone.original is not None
    Path(default_storage.path(damaged.original)).write_bytes(b"nonsense")
    default_storage.delete(gone.original)

    make_maps(dataset.pk)
    make_maps(dataset.pk)  # tries them once more, and says it once

    assert rows_of(dataset, Space.IMAGE) == [0, 1, 3, 5]
    lines = SkippedItem.objects.filter(job__dataset=dataset).values_list(
        "job", "row", "source", "reason", "detail"
    )
    assert list(lines) == [
        (first.pk, 2, "test.zip/2.png", "not_embedded", "It cannot be embedded: It is not a picture."),
        (second.pk, 4, "test.zip/4.png", "not_embedded", "The stored file of the picture is gone."),
    ]


def test_missing_weights_are_told_without_the_folders_of_the_server(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise WeightsError("/srv/models/mini is not a whole mini: it lacks model.safetensors")

    monkeypatch.setattr(FakeModel, "encode_texts", missing)
    add_records(dataset, 3, captions=True)

    build = work_off(create_build(dataset.pk, append=False))

    assert build.state == State.FAILED
    assert "The model's weights are missing on this server" in build.error
    assert "/srv" not in build.error + "".join(build.steps.values_list("error", flat=True))
    assert "/srv/models/mini is not a whole mini" in caplog.text


def test_vectors_that_came_with_the_records_are_copied(dataset: Dataset, fake: FakeModel) -> None:
    from atlas.datasets.vectors import keep_vectors

    add_records(dataset, 10, captions=True)
    dataset.vector_size = 5
    dataset.save()
    given = np.random.default_rng(0).normal(size=(10, 5)).astype(np.float32)
    keep_vectors(dataset, 0, [None if row == 3 else vector for row, vector in enumerate(given)])

    make_maps(dataset.pk)

    assert fake.embedded == 0
    assert rows_of(dataset, Space.CAPTION) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert VectorSet.objects.get(dataset=dataset).dimensions == 5


def test_steps_wait_for_what_they_need(dataset: Dataset) -> None:
    add_records(dataset, 3, pictures=True, captions=True)
    build = create_build(dataset.pk, append=False)
    order = []
    while steps := sent_steps(build):
        for step in steps:
            order.append((step.stage, step.space))
            run_step(step.pk)

    place = {piece: number for number, piece in enumerate(order)}
    assert len(place) == len(order) == 2 + 3 * 3 + 1
    for space in Space:
        for earlier, later in [(Stage.PROJECT, Stage.TOPICS), (Stage.TOPICS, Stage.TILES)]:
            assert place[earlier, space] < place[later, space]
    for space in (Space.IMAGE, Space.CAPTION):
        assert place[Stage.EMBED, space] < place[Stage.PROJECT, space]
        assert place[Stage.EMBED, space] < place[Stage.PROJECT, Space.JOINT]
    assert order[-1] == (Stage.PUBLISH, "")


def test_few_steps_of_a_build_are_in_the_queue_at_a_time(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas.maps.build.SHARD_ROWS", 2)
    add_records(dataset, 40, captions=True)
    build = create_build(dataset.pk, append=False)

    assert len(sent_steps(build)) == IN_FLIGHT
    run_step(sent_steps(build)[0].pk)
    assert len(sent_steps(build)) == IN_FLIGHT
    assert work_off(build).state == State.DONE


def test_a_step_is_claimed_once(dataset: Dataset, fake: FakeModel) -> None:
    add_records(dataset, 3, captions=True)
    build = create_build(dataset.pk, append=False)
    step = sent_steps(build)[0]

    run_step(step.pk)
    run_step(step.pk)

    assert fake.embedded == 3
    step.refresh_from_db()
    assert (step.attempts, step.done, step.total) == (1, 3, 3)


def test_a_second_build_at_the_same_time_is_refused(dataset: Dataset) -> None:
    add_records(dataset, 3, captions=True)
    create_build(dataset.pk, append=False)

    with pytest.raises(BuildError, match="running already"):
        create_build(dataset.pk, append=False)


def test_a_dataset_without_records_is_not_built(dataset: Dataset) -> None:
    with pytest.raises(BuildError, match="no records"):
        create_build(dataset.pk, append=False)


def test_imported_records_start_a_build(dataset: Dataset) -> None:
    add_records(dataset, 3, captions=True)

    for _ in range(2):  # a retried import says it again
        records_imported.send(sender=Import, dataset_id=dataset.pk)

    assert work_off(Build.objects.get(dataset=dataset)).state == State.DONE


def test_records_that_come_during_a_build_get_the_next_one(dataset: Dataset) -> None:
    add_records(dataset, 3, captions=True)
    first = create_build(dataset.pk, append=False)
    add_records(dataset, 2, captions=True)
    records_imported.send(sender=Import, dataset_id=dataset.pk)

    work_off(first)

    second = Build.objects.exclude(pk=first.pk).get(dataset=dataset)
    assert (second.row_count, second.append) == (5, True)
    assert work_off(second).state == State.DONE
    assert DataMap.objects.get(dataset=dataset).current == second.versions.get()


def test_an_import_that_still_runs_is_waited_for(dataset: Dataset) -> None:
    add_records(dataset, 3, captions=True)
    first = create_build(dataset.pk, append=False)
    add_records(dataset, 2, captions=True)
    Import.objects.create(dataset=dataset, state=ImportState.RUNNING)

    work_off(first)

    assert Build.objects.get(dataset=dataset) == first


def test_appended_records_are_placed_and_old_points_stay(dataset: Dataset, fake: FakeModel) -> None:
    add_records(dataset, 60, pictures=True, captions=True)
    make_maps(dataset.pk)
    before = {each.space: each.current for each in DataMap.objects.filter(dataset=dataset)}
    embedded = fake.embedded
    add_records(dataset, 10, pictures=True, captions=True)

    make_maps(dataset.pk, append=True)

    assert fake.embedded == embedded + 20
    for each in DataMap.objects.filter(dataset=dataset).select_related("current__map"):
        old, new = before[each.space], each.current
        assert old is not None
        assert new is not None
        assert (new.number, new.count) == (2, 70)
        was, now = Points.load(old.folder), Points.load(new.folder)
        assert now.rows.tolist() == list(range(70))
        np.testing.assert_array_equal(now.coordinates[:60], was.coordinates)
        assert np.isfinite(now.coordinates).all()


def test_a_space_that_comes_with_the_appended_records_is_projected(dataset: Dataset) -> None:
    add_records(dataset, 20, captions=True)
    make_maps(dataset.pk)
    add_records(dataset, 10, pictures=True)

    make_maps(dataset.pk, append=True)

    maps = DataMap.objects.filter(dataset=dataset).select_related("current")
    assert {each.space: each.current and (each.current.number, each.current.count) for each in maps} == {
        "caption": (2, 20), "image": (1, 10), "joint": (1, 30),
    }  # fmt: skip


def test_building_anew_uses_the_vectors_that_are_there(dataset: Dataset, fake: FakeModel) -> None:
    add_records(dataset, 10, captions=True)
    make_maps(dataset.pk)

    make_maps(dataset.pk)

    assert fake.embedded == 10


def test_building_anew_replaces_the_vectors_of_other_weights(dataset: Dataset, fake: FakeModel) -> None:
    add_records(dataset, 10, captions=True)
    make_maps(dataset.pk)
    fake.revision = "2"

    make_maps(dataset.pk)

    assert fake.embedded == 20
    assert VectorSet.objects.get(dataset=dataset).revision == "2"
    assert rows_of(dataset, Space.CAPTION) == list(range(10))


def test_vectors_of_other_weights_are_never_mixed_in(dataset: Dataset, fake: FakeModel) -> None:
    add_records(dataset, 10, captions=True)
    make_maps(dataset.pk)
    fake.revision = "2"
    add_records(dataset, 2, captions=True)

    build = work_off(create_build(dataset.pk, append=True))

    assert build.state == State.FAILED
    assert build.error == (
        "Embedding of captions failed. The vectors of this dataset were made by other weights: "
        "build its maps anew."
    )


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
    assert build.error.startswith(
        "Projection of captions failed. Something unexpected happened (the disk hiccuped)"
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


def test_cancel_stops_a_running_step_in_its_middle(dataset: Dataset, fake: FakeModel) -> None:
    add_records(dataset, 5, captions=True)
    build = create_build(dataset.pk, append=False)
    fake.seconds = 30
    step = sent_steps(build)[0]

    def run() -> None:
        run_step(step.pk)
        connection.close()

    worker = threading.Thread(target=run)
    worker.start()
    while not build.steps.filter(state=State.RUNNING).exists():
        time.sleep(0.01)

    asked = time.monotonic()
    cancel_build(build)
    worker.join()

    assert time.monotonic() - asked < SECONDS_TO_HEED
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

    def run() -> None:
        run_step(step.pk)
        connection.close()

    worker = threading.Thread(target=run)
    worker.start()
    while not build.steps.filter(pk=step.pk, state=State.RUNNING).exists():
        time.sleep(0.01)

    asked = time.monotonic()
    cancel_build(build)
    worker.join()

    assert time.monotonic() - asked < SECONDS_TO_HEED
    step.refresh_from_db()
    assert (step.stage, step.state) == (stage, State.CANCELLED)
    assert not (Path(settings.ATLAS_HOME) / "maps").exists() or not list(
        (Path(settings.ATLAS_HOME) / "maps" / str(dataset.pk)).iterdir()
    )


def test_a_silent_worker_loses_its_step(dataset: Dataset) -> None:
    add_records(dataset, 5, captions=True)
    build = create_build(dataset.pk, append=False)
    step = sent_steps(build)[0]
    Step.objects.filter(pk=step.pk).update(state=State.RUNNING, attempts=1, heartbeat_at="2000-01-01T00:00Z")

    rescue()

    assert work_off(build).state == State.DONE
    step.refresh_from_db()
    assert step.attempts == 2


def test_a_step_whose_workers_keep_dying_fails_the_build(dataset: Dataset) -> None:
    add_records(dataset, 5, captions=True)
    build = create_build(dataset.pk, append=False)
    Step.objects.filter(pk=sent_steps(build)[0].pk).update(
        state=State.RUNNING, attempts=6, heartbeat_at="2000-01-01T00:00Z"
    )

    rescue()

    build.refresh_from_db()
    assert build.state == State.FAILED
    assert "lack of memory" in build.error


def test_a_lost_message_is_sent_again(dataset: Dataset) -> None:
    add_records(dataset, 5, captions=True)
    build = create_build(dataset.pk, append=False)
    step = sent_steps(build)[0]
    Step.objects.filter(pk=step.pk).update(sent_at="2000-01-01T00:00Z")

    rescue()

    step.refresh_from_db()
    assert step.sent_at is not None
    assert step.sent_at.year > 2000


def test_a_build_whose_worker_died_between_two_steps_goes_on(dataset: Dataset) -> None:
    add_records(dataset, 5, captions=True)
    build = create_build(dataset.pk, append=False)
    Step.objects.filter(pk=sent_steps(build)[0].pk).update(state=State.DONE)  # and never told anyone

    assert sent_steps(build) == []
    rescue()

    assert [step.stage for step in sent_steps(build)] == [Stage.PROJECT]


def test_a_worker_taken_for_dead_writes_nothing(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    add_records(dataset, 5, captions=True)
    build = create_build(dataset.pk, append=False)
    step = sent_steps(build)[0]
    embed_captions = towers.embed_captions

    def overtaken(*args: Any) -> object:
        Step.objects.filter(pk=step.pk).update(claim=None, state=State.QUEUED)
        return embed_captions(*args)

    monkeypatch.setattr(towers, "embed_captions", overtaken)
    run_step(step.pk)

    assert rows_of(dataset, Space.CAPTION) == []
    step.refresh_from_db()
    assert step.state == State.QUEUED


def test_a_run_goes_on_where_the_killed_one_stopped(
    dataset: Dataset, fake: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(embed.BATCH_ROWS, Space.CAPTION, 2)
    add_records(dataset, 7, captions=True)
    build = create_build(dataset.pk, append=False)
    store = vectors.store

    def killed_in_the_third_batch(*args: Any) -> None:
        if fake.embedded == 6:
            raise OSError("gone")
        store(*args)

    monkeypatch.setattr(vectors, "store", killed_in_the_third_batch)
    run_step(sent_steps(build)[0].pk)
    assert rows_of(dataset, Space.CAPTION) == [0, 1, 2, 3]
    monkeypatch.setattr(vectors, "store", store)

    assert work_off(build).state == State.DONE
    assert rows_of(dataset, Space.CAPTION) == list(range(7))
    assert fake.embedded == 6 + 3  # only the batch that was under way was done twice


def test_a_deleted_dataset_stops_its_build(dataset: Dataset) -> None:
    add_records(dataset, 5, captions=True)
    Dataset.objects.filter(pk=dataset.pk).update(deleting=True)

    with pytest.raises(Dataset.DoesNotExist):
        create_build(dataset.pk, append=False)


def test_advance_of_a_build_that_is_over_does_nothing(dataset: Dataset) -> None:
    add_records(dataset, 5, captions=True)
    build = make_maps(dataset.pk)

    advance(build.pk)

    assert sent_steps(build) == []
    assert Record.objects.filter(dataset=dataset).count() == 5
