"""An approximate index for the neighbours of large sets: made in the background, used where it was measured.

While the query worker is there it finds neighbours exactly, by its scan. Without it Postgres has to: an exact
query reads every vector, half a second of processor time for 100,000 x 768. So a space with more vectors than
`LEAST` gets an HNSW index (Malkov and Yashunin 2018, arXiv:1603.09320) in the dataset's partition.

How much such an index finds depends on the data and on `hnsw.ef_search`, so it is measured on the very
vectors that it holds, against exact products: the least `ef_search` that finds `BAR` of the neighbours is
noted, and where none does the scan stays. The index is dropped before new vectors come, which would take
hundreds of times as long with it (see `embed.py`), and made again after them.

`python -m atlas.search.benchmark` measures time, memory and recall of such an index.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from django.db import DatabaseError, connection
from django.db.models import Q, QuerySet
from numpy.typing import NDArray
from psycopg import sql

from atlas.maps.build import OPEN
from atlas.maps.models import Build, DataMap, Space, VectorSet
from atlas.maps.vectors import Matrix, nearest_by_index, open_matrix, partition

log = logging.getLogger(__name__)

#: Where an exact query by Postgres takes a second of processor time, at 768 dimensions.
LEAST = 200_000
#: What pgvector can index of half-precision vectors.
MOST_DIMENSIONS = 4000
#: The share of the `K` nearest records that an index has to find, over `SAMPLE` of the records.
BAR, K, SAMPLE = 0.95, 10, 50
EF_SEARCH = (40, 100, 200, 400, 800)
#: The graph is built several times faster while it fits; beyond that pgvector goes on by way of the disk.
BUILD_MEMORY = "1GB"
#: Rows that are widened to single precision at a time.
_CHUNK = 50_000
#: Any number that nobody else takes for a lock.
_LOCK = 0x4861_6E73


def index_large_sets() -> None:
    """Make the indexes that are missing, one after the other and by one process of all. May be run again:
    what a killed run left is removed first."""
    with _alone() as mine:
        if not mine:
            return
        for made_by in _waiting():
            _make(made_by)


def drop_index(made_by: VectorSet) -> None:
    """Before vectors are added; does nothing where there is none."""
    if made_by.indexed_count is None:
        return
    _drop(made_by)
    _note(made_by, None, None, None)


def _drop(made_by: VectorSet) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(_index(made_by)))


def _waiting() -> Iterator[VectorSet]:
    """Sets whose maps show enough vectors, while no build adds any."""
    building = Build.objects.filter(state__in=OPEN).values("dataset")
    large: QuerySet[DataMap] = DataMap.objects.filter(current__count__gte=LEAST).exclude(dataset__in=building)
    for dataset_id, space, count in large.values_list("dataset_id", "space", "current__count"):
        wanted = Q(indexed_count=None) | ~Q(indexed_count=count)
        sets = VectorSet.objects.filter(wanted, dataset_id=dataset_id, space=space, complete=True)
        yield from sets.filter(dimensions__lte=MOST_DIMENSIONS, dataset__deleting=False)


def _make(made_by: VectorSet) -> None:
    version = DataMap.objects.get(dataset=made_by.dataset_id, space=made_by.space).current
    assert version is not None
    _create(made_by)
    matrix = open_matrix(made_by.dataset_id, Space(made_by.space), version.build.row_count)
    ef_search, recall = _measured(made_by, matrix)
    if ef_search is None:
        _drop(made_by)
    _note(made_by, version.count, ef_search, recall)
    log.info(
        "the index of the %s vectors of dataset %s finds %.3f of the neighbours with ef_search %s",
        made_by.space, made_by.dataset_id, recall, ef_search or "of any size: it is not used",
    )  # fmt: skip


def _create(made_by: VectorSet) -> None:
    """Without keeping anybody from reading or writing, and on one core."""
    names = {
        "index": _index(made_by),
        "table": partition(made_by.dataset_id),
        "dimensions": sql.Literal(made_by.dimensions),
        "space": sql.Literal(str(made_by.space)),
    }
    with connection.cursor() as cursor:
        # What was killed half-way stays behind as an index that is written to and never used.
        _drop(made_by)
        with _settings(maintenance_work_mem=BUILD_MEMORY, max_parallel_maintenance_workers="0"):
            create = sql.SQL(
                "CREATE INDEX CONCURRENTLY {index} ON {table}"
                " USING hnsw ((vector::halfvec({dimensions})) halfvec_cosine_ops) WHERE space = {space}"
            )
            try:
                cursor.execute(create.format(**names))
            except DatabaseError:
                _drop(made_by)
                raise


def _measured(made_by: VectorSet, matrix: Matrix) -> tuple[int | None, float]:
    """The least `ef_search` that reaches the bar, or None, and the recall with it or the largest."""
    count = min(SAMPLE, len(matrix.rows))
    rows = np.random.default_rng(0).choice(matrix.rows, count, replace=False)
    exact = _exact(matrix, rows)
    recall = 0.0
    for ef_search in EF_SEARCH:
        found = [
            {other for other, _ in nearest_by_index(made_by, int(row), len(matrix.vectors), K, ef_search)}
            for row in rows
        ]
        recall = float(np.mean([len(a & b) / len(a) for a, b in zip(exact, found, strict=True)]))
        if recall >= BAR:
            return ef_search, recall
    return None, recall


def _exact(matrix: Matrix, rows: NDArray[np.uint32]) -> list[set[int]]:
    """The nearest `K` rows to each, without itself, in single precision."""
    queries = matrix.vectors[rows].astype(np.float32)
    scores = np.empty((len(matrix.vectors), len(rows)), np.float32)
    for start in range(0, len(scores), _CHUNK):
        part = slice(start, start + _CHUNK)
        scores[part] = matrix.vectors[part].astype(np.float32) @ queries.T
    scores[~matrix.present] = -np.inf
    scores[rows, np.arange(len(rows))] = -np.inf
    k = min(K, len(matrix.rows) - 1)
    best = np.argpartition(-scores, k - 1, axis=0)[:k]
    return [set(each) for each in best.T.tolist()]


def _note(made_by: VectorSet, count: int | None, ef_search: int | None, recall: float | None) -> None:
    VectorSet.objects.filter(pk=made_by.pk).update(indexed_count=count, ef_search=ef_search, recall=recall)


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other process is at this: a lock of the session, which ends with a killed worker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        [mine] = cursor.fetchone()
        try:
            yield bool(mine)
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


@contextmanager
def _settings(**values: str) -> Iterator[None]:
    """For statements that run in no transaction, so that nothing resets them at its end."""
    with connection.cursor() as cursor:
        for name, value in values.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
        try:
            yield
        finally:
            for name in values:
                cursor.execute(sql.SQL("RESET {}").format(sql.Identifier(name)))


def _index(made_by: VectorSet) -> sql.Identifier:
    return sql.Identifier(f"hnsw_{made_by.dataset_id.hex}_{made_by.space}")
