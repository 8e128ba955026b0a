"""Builds of datasets that have maps: records that came since, weights that are others now."""

import json

import numpy as np
import pytest

from atlas.datasets.models import Dataset, Import, ImportState, State
from atlas.datasets.signals import records_imported
from atlas.maps import vectors
from atlas.maps.build import cancel_build, create_build, rescue
from atlas.maps.embed import embed_shard
from atlas.maps.export import NoVectorsError, vector_part
from atlas.maps.kept import Points
from atlas.maps.models import Build, DataMap, Space, VectorSet
from atlas.maps.steps import Stopped, Watch, claim
from atlas.search import engine
from atlas.search.query import Part, Query
from atlas.search.vectors import QueryError
from tests.maps.building import make_maps, rows_of, sent_steps, shown, work_off
from tests.maps.fake_towers import FakeModel
from tests.maps.records import add_records

# The thread that watches a step has a connection of its own: what it reads must be committed.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake")]


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


@pytest.mark.parametrize(("state", "builds"), [(ImportState.RUNNING, 1), (ImportState.DONE, 2)])
def test_records_that_came_between_two_looks_are_found_by_the_rescue(
    dataset: Dataset, state: ImportState, builds: int
) -> None:
    add_records(dataset, 3, captions=True)
    make_maps(dataset.pk)
    add_records(dataset, 2, captions=True)
    Import.objects.create(dataset=dataset, state=state)

    for _ in range(2):
        rescue()

    assert Build.objects.filter(dataset=dataset).count() == builds


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


def test_a_map_is_laid_out_anew_when_most_of_it_would_be_newcomers(dataset: Dataset) -> None:
    add_records(dataset, 10, captions=True)
    make_maps(dataset.pk)
    placed, frames = [], []
    for count in (5, 5, 1):
        add_records(dataset, count, captions=True)
        make_maps(dataset.pk, append=True)
        version = shown(dataset, Space.CAPTION)
        placed.append(int(Points.load(version.folder).placed.sum()))
        frames.append(json.loads((version.folder / "manifest.json").read_text())["frame"])

    assert placed == [5, 10, 0]
    assert frames[0] == frames[1] != frames[2]


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


def test_a_cancelled_build_forgets_no_vectors(dataset: Dataset, fake: FakeModel) -> None:
    add_records(dataset, 10, captions=True)
    make_maps(dataset.pk)
    fake.revision = "2"
    build = create_build(dataset.pk, append=False)
    step = claim(sent_steps(build)[0].pk)
    assert step is not None
    cancel_build(build)

    with pytest.raises(Stopped):
        embed_shard(step, Watch(step))

    assert rows_of(dataset, Space.CAPTION) == list(range(10))


def test_who_looks_while_vectors_are_replaced_leaves_no_matrix_behind(
    dataset: Dataset, fake: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas.maps.build.SHARD_ROWS", 4)
    add_records(dataset, 10, captions=True)
    make_maps(dataset.pk)
    fake.revision = "2"
    build = work_off(
        create_build(dataset.pk, append=False), until=lambda step: step.stage == "embed" and step.start == 4
    )

    assert rows_of(dataset, Space.CAPTION) == [0, 1, 2, 3]
    assert vectors.open_matrices(dataset.pk, [Space.CAPTION], 10) == {}
    with pytest.raises(NoVectorsError, match="made anew"):
        vector_part(dataset, Space.CAPTION)
    with pytest.raises(QueryError, match="made anew"):
        engine.answer(dataset.pk, 10, Query((Part(1, row=1),), "both"))
    by_words = engine.answer(dataset.pk, 10, Query((Part(1, text="red"),), "both"))
    assert (by_words.mode, by_words.hits.rows.tolist()) == ("words", [0, 8])

    assert work_off(build).state == State.DONE
    found = vectors.open_matrices(dataset.pk, [Space.CAPTION], 10)[Space.CAPTION]
    assert found.rows.tolist() == list(range(10))
    assert shown(dataset, Space.CAPTION).count == 10


def test_a_copy_begun_before_vectors_are_replaced_is_of_none_of_the_new_ones(
    dataset: Dataset, fake: FakeModel
) -> None:
    add_records(dataset, 10, captions=True)
    make_maps(dataset.pk)
    before = VectorSet.objects.get(dataset=dataset)
    fake.revision = "2"
    make_maps(dataset.pk)

    assert vectors._opened(before, 7).folder == vectors.open_matrix(dataset.pk, Space.CAPTION, 7).folder


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
