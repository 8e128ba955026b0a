"""Vectors in and out of Postgres, and the matrix files made from them."""

import errno
import os
import uuid

import numpy as np
import psycopg
import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction

from atlas.datasets.models import Dataset
from atlas.maps import vectors
from atlas.maps.models import Space, VectorSet
from tests.maps.records import make_dataset

pytestmark = pytest.mark.django_db

D = 24


@pytest.fixture
def dataset() -> Dataset:
    dataset = make_dataset()
    vectors.create_partition(dataset.pk)
    return dataset


def random_vectors(count: int, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(count, D)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def store(dataset: Dataset, rows: np.ndarray, space: Space = Space.IMAGE, seed: int = 0) -> np.ndarray:
    VectorSet.objects.get_or_create(dataset=dataset, space=space, defaults={"model": "fake", "dimensions": D})
    new = random_vectors(len(rows), seed)
    vectors.store(dataset.pk, space, rows, new)
    return new


def test_it_gives_back_the_vectors_that_were_stored(dataset: Dataset) -> None:
    rows = np.arange(0, 20_000, 2)  # more than one COPY write in, and several reads out
    stored = store(dataset, rows)

    matrix = vectors.open_matrix(dataset.pk, Space.IMAGE, 20_000)

    assert matrix.vectors.shape == (20_000, D)
    assert matrix.vectors.dtype == np.float16
    assert matrix.rows.tolist() == rows.tolist()
    # A half-precision number below 1 is off by 2**-12 at most.
    np.testing.assert_allclose(matrix.vectors[rows], stored, atol=2**-12)
    assert not matrix.vectors[1::2].any()
    assert matrix.present.sum() == len(rows)


def test_it_keeps_directions_only(dataset: Dataset) -> None:
    VectorSet.objects.create(dataset=dataset, space=Space.IMAGE, dimensions=D)
    # Beyond what half precision can hold; the squares beyond what single precision can.
    factors = np.array([[1e-25], [1e-6], [1.0], [1e6], [1e20]], np.float32)

    vectors.store(dataset.pk, Space.IMAGE, np.arange(5), random_vectors(5) * factors)

    found = vectors.open_matrix(dataset.pk, Space.IMAGE, 5).vectors.astype(np.float32)
    lengths = np.linalg.norm(found, axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-3)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_it_refuses_a_vector_without_a_direction(dataset: Dataset, bad: float) -> None:
    wrong = random_vectors(2)
    wrong[1] = bad

    with pytest.raises(ValueError, match="zero or holds a number that is not finite"):
        vectors.store(dataset.pk, Space.IMAGE, np.arange(2), wrong)


def test_a_row_never_gets_a_second_vector(dataset: Dataset) -> None:
    store(dataset, np.array([5, 6]))

    with pytest.raises(IntegrityError), transaction.atomic():
        store(dataset, np.array([6, 7]), seed=1)
    assert vectors.stored_rows(dataset.pk, Space.IMAGE, 0, 10).tolist() == [5, 6]


def test_the_same_row_may_have_a_vector_in_each_space(dataset: Dataset) -> None:
    store(dataset, np.array([5]), Space.IMAGE)
    store(dataset, np.array([5]), Space.CAPTION, seed=1)

    assert vectors.stored_rows(dataset.pk, Space.CAPTION, 0, 10).tolist() == [5]


def test_it_counts_and_lists_what_is_stored(dataset: Dataset) -> None:
    store(dataset, np.array([0, 3, 9, 10, 25]))

    assert vectors.stored_rows(dataset.pk, Space.IMAGE, 3, 25).tolist() == [3, 9, 10]
    assert vectors.stored_per_shard(dataset.pk, Space.IMAGE, 25, 10) == {0: 3, 1: 1}
    assert vectors.stored_per_shard(dataset.pk, Space.CAPTION, 25, 10) == {}


def test_a_matrix_holds_the_rows_that_were_asked_for_only(dataset: Dataset) -> None:
    store(dataset, np.arange(10))

    matrix = vectors.open_matrix(dataset.pk, Space.IMAGE, 4)

    assert matrix.vectors.shape == (4, D)
    assert matrix.rows.tolist() == [0, 1, 2, 3]


def test_a_full_disk_is_an_error_before_the_matrix_is_written(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int, _start: int, size: int) -> None:
        assert size > 10 * D * 2
        raise OSError(errno.ENOSPC, "No space left on device")

    store(dataset, np.arange(10))
    monkeypatch.setattr(os, "posix_fallocate", full)

    with pytest.raises(OSError, match="No space left"):
        vectors.open_matrix(dataset.pk, Space.IMAGE, 10)


def test_a_matrix_that_is_gone_is_made_anew(dataset: Dataset) -> None:
    store(dataset, np.arange(10))
    first = vectors.open_matrix(dataset.pk, Space.IMAGE, 10)
    before = (first.folder / "vectors.npy").read_bytes()

    vectors.remove_other_matrices(dataset.pk, set())

    assert not first.folder.exists()
    again = vectors.open_matrix(dataset.pk, Space.IMAGE, 10)
    assert (again.folder / "vectors.npy").read_bytes() == before
    # Whoever had the old file open still reads it.
    assert first.vectors.any()


def test_a_matrix_has_its_name_once_it_is_on_the_disk(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(dataset, np.arange(3))
    folder = settings.ATLAS_HOME / "vectors" / str(dataset.pk)
    synced: list[list[str]] = []
    monkeypatch.setattr(os, "sync", lambda: synced.append([path.parent.name for path in folder.glob("*/*")]))

    assert vectors.open_matrix(dataset.pk, Space.IMAGE, 3).folder.exists()

    [[one, other]] = synced
    assert one == other
    assert one.startswith(".new-")


def test_a_matrix_of_other_weights_is_another_file(dataset: Dataset) -> None:
    store(dataset, np.arange(3))
    before = vectors.open_matrix(dataset.pk, Space.IMAGE, 3)
    vectors.forget(dataset.pk, Space.IMAGE)
    VectorSet.objects.update(revision="2")
    store(dataset, np.arange(3), seed=1)
    vectors.settle(dataset.pk, [Space.IMAGE])

    after = vectors.open_matrix(dataset.pk, Space.IMAGE, 3)

    assert after.folder != before.folder
    assert not np.array_equal(after.vectors, before.vectors)


def test_nobody_who_searches_waits_for_a_matrix_to_be_written_after_a_removal(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened() -> vectors.Matrix:
        return vectors.open_matrices(dataset.pk, [Space.IMAGE], 10)[Space.IMAGE]

    store(dataset, np.arange(10))
    before = opened()
    with monkeypatch.context() as patch:
        patch.setattr(vectors, "_write_matrix", None)
        for gone, left in ((3, [0, 1, 2, 4, 5, 6, 7, 8, 9]), (0, [1, 2, 4, 5, 6, 7, 8, 9])):
            vectors.remove(dataset.pk, np.array([gone]))
            assert opened().rows.tolist() == np.flatnonzero(opened().present).tolist() == left
            np.testing.assert_array_equal(opened().vectors[left], before.vectors[left])

    built = vectors.open_matrix(dataset.pk, Space.IMAGE, 10)  # as the next build does

    assert built.rows.tolist() == left
    assert not built.vectors[[0, 3]].any()
    assert opened().folder == built.folder


def test_a_removal_from_a_space_without_a_matrix_leaves_one_to_be_written(dataset: Dataset) -> None:
    store(dataset, np.arange(3))
    vectors.remove(dataset.pk, np.array([1]))
    assert vectors.open_matrices(dataset.pk, [Space.IMAGE], 3)[Space.IMAGE].rows.tolist() == [0, 2]


def test_an_empty_space_has_an_empty_matrix(dataset: Dataset) -> None:
    VectorSet.objects.create(dataset=dataset, space=Space.CAPTION, dimensions=D)

    matrix = vectors.open_matrix(dataset.pk, Space.CAPTION, 5)

    assert matrix.vectors.shape == (5, D)
    assert matrix.rows.size == 0


def test_neighbours_are_the_exact_ones(dataset: Dataset) -> None:
    stored = store(dataset, np.arange(50))
    scores = stored @ stored[7]
    expected = [int(row) for row in np.argsort(-scores) if row != 7][:5]

    found = vectors.neighbours(dataset.pk, Space.IMAGE, 7, 50, 5)

    assert [row for row, _ in found] == expected
    np.testing.assert_allclose([score for _, score in found], scores[expected], atol=2e-3)


def test_joint_neighbours_are_compared_by_what_both_have(dataset: Dataset) -> None:
    pictures = store(dataset, np.arange(5), Space.IMAGE)
    captions = store(dataset, np.arange(3, 8), Space.CAPTION, seed=1)
    expected = {
        0: pictures[4] @ pictures[0],
        3: (pictures[4] @ pictures[3] + captions[1] @ captions[0]) / 2,
        7: captions[1] @ captions[4],
    }

    found = dict(vectors.neighbours(dataset.pk, Space.JOINT, 4, 8, 10))

    assert set(found) == {0, 1, 2, 3, 5, 6, 7}
    for row, score in expected.items():
        assert found[row] == pytest.approx(score, abs=2e-3)


def test_a_partition_can_be_made_and_dropped_twice() -> None:
    dataset_id = uuid.uuid4()
    for _ in range(2):
        vectors.create_partition(dataset_id)
    for _ in range(2):
        vectors.drop_partition(dataset_id)

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"maps_vector_{dataset_id.hex}"])
        assert cursor.fetchone() == (None,)


@pytest.mark.django_db(transaction=True)
def test_a_partition_in_use_is_not_waited_for_long(dataset: Dataset) -> None:
    params = connection.get_connection_params()
    params.pop("cursor_factory", None)
    with psycopg.connect(**{k: params[k] for k in ("host", "user", "dbname") if k in params}) as other:
        other.execute(f"LOCK TABLE maps_vector_{dataset.pk.hex} IN SHARE UPDATE EXCLUSIVE MODE")

        with pytest.raises(OperationalError, match="lock timeout"):
            vectors.drop_partition(dataset.pk)


def test_dropping_a_partition_removes_the_matrix_files(dataset: Dataset) -> None:
    store(dataset, np.arange(3))
    matrix = vectors.open_matrix(dataset.pk, Space.IMAGE, 3)

    vectors.drop_partition(dataset.pk)

    assert not matrix.folder.exists()
