"""The index of large sets: made, measured, used, and gone when new vectors come; on the real Postgres."""

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from atlas.datasets.models import Dataset
from atlas.maps import hnsw, tasks, towers, vectors
from atlas.maps.models import Space, VectorSet
from tests.maps.building import make_maps
from tests.maps.fake_towers import FakeModel
from tests.maps.records import add_records, make_dataset

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 60


@pytest.fixture
def dataset(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    fake = FakeModel()
    monkeypatch.setattr(towers, "model", lambda _: fake)
    monkeypatch.setattr(hnsw, "LEAST", COUNT)
    dataset = make_dataset()
    add_records(dataset, COUNT, pictures=True)
    make_maps(dataset.pk)
    return dataset


def set_of(dataset: Dataset) -> VectorSet:
    return VectorSet.objects.get(dataset=dataset, space=Space.IMAGE)


def indexes(dataset: Dataset) -> list[bool]:
    """Whether each HNSW index of the dataset is valid."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'hnsw' AND c.relname LIKE %s",
            [f"%{dataset.pk.hex}%"],
        )
        return [valid for (valid,) in cursor.fetchall()]


def neighbours(dataset: Dataset) -> list[tuple[int, float]]:
    return vectors.neighbours(dataset.pk, Space.IMAGE, 3, COUNT, 7)


def test_a_large_set_gets_an_index_that_was_measured(dataset: Dataset) -> None:
    exact = neighbours(dataset)

    tasks.index_large_sets()

    made_by = set_of(dataset)
    assert indexes(dataset) == [True]
    assert (made_by.indexed_count, made_by.ef_search) == (COUNT, hnsw.EF_SEARCH[0])
    assert made_by.recall is not None
    assert made_by.recall >= hnsw.BAR
    scores = [score for _, score in exact]
    assert [score for _, score in neighbours(dataset)] == pytest.approx(scores, abs=1e-3)


@pytest.mark.parametrize("ef_search", [40, 800])
def test_postgres_takes_the_index_for_the_neighbours(dataset: Dataset, ef_search: int) -> None:
    hnsw.index_large_sets()
    VectorSet.objects.update(ef_search=ef_search)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        neighbours(dataset)
    asked_last = next(each["sql"] for each in reversed(asked.captured_queries) if "<=>" in each["sql"])
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"SET LOCAL enable_sort = off; SET LOCAL hnsw.ef_search = {ef_search}")
        cursor.execute(f"EXPLAIN {asked_last}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("ROLLBACK")

    assert "Index Scan using hnsw_" in plan
    assert "Sort" not in plan


def test_a_set_is_indexed_once(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    hnsw.index_large_sets()
    made: list[VectorSet] = []
    monkeypatch.setattr(hnsw, "_create", made.append)

    hnsw.index_large_sets()

    assert made == []


def test_a_small_set_gets_none(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hnsw, "LEAST", COUNT + 1)

    hnsw.index_large_sets()

    assert indexes(dataset) == []


def test_an_index_that_finds_too_little_is_not_kept(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hnsw, "BAR", 1.01)
    exact = neighbours(dataset)

    hnsw.index_large_sets()

    made_by = set_of(dataset)
    assert indexes(dataset) == []
    assert (made_by.indexed_count, made_by.ef_search) == (COUNT, None)
    assert made_by.recall is not None
    assert neighbours(dataset) == exact


def test_what_a_killed_run_left_is_made_anew(dataset: Dataset) -> None:
    hnsw.index_large_sets()
    VectorSet.objects.update(indexed_count=None, ef_search=None, recall=None)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false FROM pg_class c"
            " WHERE c.oid = indexrelid AND c.relname LIKE 'hnsw_%'"
        )
    assert indexes(dataset) == [False]

    hnsw.index_large_sets()

    assert indexes(dataset) == [True]
    assert set_of(dataset).ef_search is not None


def test_one_process_at_a_time_makes_indexes(dataset: Dataset) -> None:
    values = connection.get_connection_params()
    where = {name: values[name] for name in ("host", "port", "dbname", "user")}
    with psycopg.connect(**where) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [hnsw._LOCK])
        hnsw.index_large_sets()
        assert indexes(dataset) == []
        # By itself the lock goes when the server has noticed that the connection is gone: a moment later.
        other.execute("SELECT pg_advisory_unlock(%s)", [hnsw._LOCK])

    hnsw.index_large_sets()
    assert indexes(dataset) == [True]


def test_it_is_gone_while_new_vectors_come_and_made_again_after_them(dataset: Dataset) -> None:
    hnsw.index_large_sets()
    add_records(dataset, 10, pictures=True)

    make_maps(dataset.pk, append=True)

    assert indexes(dataset) == []
    assert set_of(dataset).ef_search is None
    hnsw.index_large_sets()
    assert set_of(dataset).indexed_count == COUNT + 10


def test_records_of_a_later_build_are_passed_over(dataset: Dataset) -> None:
    hnsw.index_large_sets()

    found = vectors.neighbours(dataset.pk, Space.IMAGE, 3, 20, 12)

    assert len(found) == 12
    assert all(row < 20 and row != 3 for row, _ in found)


def test_a_record_without_a_vector_has_no_neighbours(dataset: Dataset) -> None:
    hnsw.index_large_sets()

    assert vectors.neighbours(dataset.pk, Space.IMAGE, COUNT + 5, COUNT + 10, 3) == []


def test_it_goes_with_the_dataset(dataset: Dataset) -> None:
    hnsw.index_large_sets()

    vectors.drop_partition(dataset.pk)

    assert indexes(dataset) == []
