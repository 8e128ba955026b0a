"""The steps of a build: their order, who takes one, and what happens when nobody ends it."""

from typing import Any

import pytest
from celery import current_app

from atlas.datasets.models import Dataset, Record, State
from atlas.maps import embed, towers, vectors
from atlas.maps.build import IN_FLIGHT, BuildError, advance, create_build, rescue
from atlas.maps.models import Space, Stage, Step
from atlas.maps.run import run_step
from atlas.maps.steps import Watch, claim
from tests.clocks import clock_off
from tests.maps.building import make_maps, rows_of, sent_steps, work_off
from tests.maps.fake_towers import FakeModel
from tests.maps.records import add_records, make_dataset

# The thread that watches a step has a connection of its own: what it reads must be committed.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake")]


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


def test_the_steps_of_a_small_set_overtake_those_of_a_large_one(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas.maps.build.SHARD_ROWS", 4)
    monkeypatch.setattr("atlas.datasets.queue.RECORDS", (10, 100, 1000))
    small = make_dataset()
    add_records(dataset, 40, captions=True)
    add_records(small, 3, captions=True)
    with current_app.connection_for_write() as connection:
        queue = connection.SimpleQueue("embed")
        queue.clear()
        create_build(dataset.pk, append=False)
        build = create_build(small.pk, append=False)
        first = queue.get(timeout=5)
        first.ack()
        queue.clear()
        queue.close()
    assert first.payload[0] == [build.steps.get(stage=Stage.EMBED).pk]


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


def test_a_silent_worker_loses_its_step(dataset: Dataset) -> None:
    add_records(dataset, 5, captions=True)
    build = create_build(dataset.pk, append=False)
    step = sent_steps(build)[0]
    Step.objects.filter(pk=step.pk).update(state=State.RUNNING, attempts=1, heartbeat_at="2000-01-01T00:00Z")

    rescue()

    assert work_off(build).state == State.DONE
    step.refresh_from_db()
    assert step.attempts == 2


def test_machines_whose_clocks_differ_leave_each_other_their_steps(dataset: Dataset) -> None:
    add_records(dataset, 5, captions=True)
    build = create_build(dataset.pk, append=False)
    with clock_off(hours=-1):
        step = claim(sent_steps(build)[0].pk)
        assert step
        Watch(step)._give_sign()

    with clock_off(hours=1):
        rescue()

    step.refresh_from_db()
    assert (step.state, step.attempts) == (State.RUNNING, 1)


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


@pytest.mark.parametrize(("device", "sizes"), [("cpu", [2, 2, 2, 1]), ("cuda", [5, 2])])
def test_a_gpu_gets_more_pictures_at_once(
    dataset: Dataset, fake: FakeModel, monkeypatch: pytest.MonkeyPatch, device: str, sizes: list[int]
) -> None:
    monkeypatch.setitem(embed.BATCH_ROWS, Space.IMAGE, 2)
    monkeypatch.setattr(embed, "GPU_PICTURES", 5)
    fake.device.type = device
    add_records(dataset, 7, pictures=True)
    seen: list[int] = []
    embed_pictures = towers.embed_pictures

    def counted(name: str, pictures: list[bytes], *rest: Any) -> object:
        seen.append(len(pictures))
        return embed_pictures(name, pictures, *rest)

    monkeypatch.setattr(towers, "embed_pictures", counted)
    make_maps(dataset.pk)

    assert seen == sizes
    assert rows_of(dataset, Space.IMAGE) == list(range(7))


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
