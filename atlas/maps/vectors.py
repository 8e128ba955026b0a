"""Vectors in and out of Postgres, and the matrix files that everything reads them from.

The table `maps_vector` is the store of record. It is partitioned by dataset, and every statement here names
the dataset's own partition: a long COPY then locks nobody else, and a deleted dataset is one DROP TABLE.
COPY in binary, assembled by numpy, takes in 30,000 rows of 768 dimensions a second; `executemany` 8,000.

A matrix file is the same vectors as one float16 array, row number by row number, for searches and
projections. It is only a copy: whoever misses it makes it anew.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from numpy.typing import NDArray
from psycopg import sql

from atlas.maps.models import Space, VectorSet

TABLE = "maps_vector"
#: Rows in one write of a COPY: 6 MB at 768 dimensions.
COPY_ROWS = 4096
#: No matrix takes so long to be written; what is older was left by a killed worker.
SECONDS_TO_WRITE = 3600.0
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_TRAILER = b"\xff\xff"


@dataclass(frozen=True)
class Matrix:
    """The vectors of one space of a dataset."""

    #: (row_count, d) float16, of length 1, memory-mapped read-only; of no meaning without a vector.
    vectors: NDArray[np.float16]
    #: (n,) uint32, ascending: the rows that have one.
    rows: NDArray[np.uint32]
    #: Where `vectors.npy` and `rows.npy` lie, for another process to map.
    folder: Path
    #: As by `maker_name`.
    maker: str = ""

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """(row_count,) whether a row has a vector."""
        mask = np.zeros(len(self.vectors), np.bool_)
        mask[self.rows] = True
        return mask


def create_partition(dataset_id: UUID) -> None:
    """Make room for a dataset's vectors; does nothing where there is room already.

    Attached afterwards rather than created in place: that would lock the vectors of every other dataset.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # Two creators of the same partition wait for each other here; the lock ends with the transaction.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_name(dataset_id)])
        cursor.execute("SELECT to_regclass(%s)", [_name(dataset_id)])
        if cursor.fetchone() != (None,):
            return
        names = {"partition": partition(dataset_id), "table": sql.Identifier(TABLE)}
        cursor.execute(sql.SQL("CREATE TABLE {partition} (LIKE {table} INCLUDING ALL)").format(**names))
        cursor.execute(
            sql.SQL("ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES IN ({dataset})").format(
                **names, dataset=sql.Literal(str(dataset_id))
            )
        )


def drop_partition(dataset_id: UUID) -> None:
    """Remove a dataset's vectors and matrix files; does nothing where there are none."""
    with transaction.atomic(), connection.cursor() as cursor:
        # An index that is being made keeps the table for minutes, and who waits for it stops all others.
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(partition(dataset_id)))
    shutil.rmtree(_folder(dataset_id), ignore_errors=True)


def store(dataset_id: UUID, space: Space, rows: NDArray[np.integer], vectors: NDArray[np.floating]) -> None:
    """Add vectors by COPY.

    Args:
        rows: (n,) the records' row numbers.
        vectors: (n, d), of any length but zero; they are kept with length 1.
    Raises:
        ValueError: a vector is zero or not finite.
        django.db.IntegrityError: a row has a vector in this space already; none is added.
    """
    # In float64: the squares of numbers that float32 holds well may be too small or too large for it.
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))[:, None]
    if not np.isfinite(lengths).all() or not lengths.all():
        raise ValueError("A vector to be stored is zero or holds a number that is not finite.")
    command = sql.SQL("COPY {} (dataset_id, space, row, vector) FROM STDIN (FORMAT binary)")
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(command.format(partition(dataset_id))) as copy,
    ):
        copy.write(_COPY_HEADER)
        for start in range(0, len(rows), COPY_ROWS):
            part = slice(start, start + COPY_ROWS)
            copy.write(_as_copy(dataset_id, space, rows[part], vectors[part] / lengths[part]))
        copy.write(_COPY_TRAILER)


def stored_rows(dataset_id: UUID, space: Space, start: int, stop: int) -> NDArray[np.int64]:
    """The rows in [start, stop) that have a vector, ascending."""
    query = sql.SQL("SELECT row FROM {} WHERE space = %s AND row >= %s AND row < %s ORDER BY row")
    with connection.cursor() as cursor:
        cursor.execute(query.format(partition(dataset_id)), [space, start, stop])
        return np.array([row for (row,) in cursor.fetchall()], dtype=np.int64)


def stored_per_shard(dataset_id: UUID, space: Space, row_count: int, shard_rows: int) -> dict[int, int]:
    """{shard number: vectors in it} over the rows [0, row_count)."""
    query = sql.SQL("SELECT row / %s, count(*) FROM {} WHERE space = %s AND row < %s GROUP BY 1")
    with connection.cursor() as cursor:
        cursor.execute(query.format(partition(dataset_id)), [shard_rows, space, row_count])
        return dict(cursor.fetchall())


def forget(dataset_id: UUID, space: Space) -> None:
    """Remove the vectors of one space: another model will make new ones. It has no matrix until `settle`."""
    VectorSet.objects.filter(dataset_id=dataset_id, space=space).update(complete=False)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DELETE FROM {} WHERE space = %s").format(partition(dataset_id)), [space])


def remove(dataset_id: UUID, rows: NDArray[np.integer]) -> None:
    """Remove the vectors of these rows in every space. Matrices that have them are out of date."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [_name(dataset_id)])
        if cursor.fetchone() == (None,):
            return
        statement = sql.SQL("DELETE FROM {} WHERE space = ANY(%s) AND row = ANY(%s)")
        cursor.execute(statement.format(partition(dataset_id)), [Space.values, rows.tolist()])
    VectorSet.objects.filter(dataset_id=dataset_id).update(generation=F("generation") + 1)


def settle(dataset_id: UUID, spaces: Collection[Space]) -> None:
    """All vectors of these spaces are there."""
    VectorSet.objects.filter(dataset_id=dataset_id, space__in=spaces, complete=False).update(complete=True)


def open_matrix(
    dataset_id: UUID, space: Space, row_count: int, check: Callable[[], None] | None = None
) -> Matrix:
    """The matrix of the rows [0, row_count), made first where it is missing.

    Call it once all vectors of these rows are stored: a file that exists is never looked at again. `check`
    is called often while it is made, and may raise to stop that.
    Raises VectorSet.DoesNotExist where the space has no vectors, or not all that it had.
    """
    return _opened(_whole().get(dataset_id=dataset_id, space=space), row_count, check)


def open_matrices(dataset_id: UUID, spaces: Collection[Space], row_count: int) -> dict[Space, Matrix]:
    """The same of those among the spaces that have vectors, for whoever waits for an answer: where some were
    removed since, those that are left of the matrix of before, until a build has written another."""
    found: dict[Space, Matrix] = {}
    for made_by in _whole().filter(dataset_id=dataset_id, space__in=spaces).order_by("space"):
        with suppress(VectorSet.DoesNotExist):  # they were replaced just now
            found[Space(made_by.space)] = _left(made_by, row_count) or _opened(made_by, row_count)
    return found


def remove_other_matrices(dataset_id: UUID, row_counts: set[int], *, building: bool = False) -> None:
    """Delete the matrix files that are not of one of these numbers of rows, by the present models, and what
    killed workers left of others.

    building: a build is to write those that a removal made out of date; until then searches need these.
    Whoever has one of them open keeps reading it: the system frees the bytes after the last reader.
    """
    present = VectorSet.objects.filter(dataset_id=dataset_id)
    folders = {_matrix_folder(made_by, count) for made_by in present for count in row_counts}
    wanted = folders | {_last_written(folder) for folder in folders if building}
    for folder in list(_folder(dataset_id).glob("*")):
        if folder not in wanted and not _is_being_written(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_being_written(folder: Path) -> bool:
    with suppress(FileNotFoundError):
        return folder.name.startswith(".new-") and time.time() - folder.stat().st_mtime < SECONDS_TO_WRITE
    return False


def neighbours(dataset_id: UUID, space: Space, row: int, row_count: int, k: int) -> list[tuple[int, float]]:
    """The k records nearest to one, as (row, cosine similarity), best first; by Postgres alone.

    By the HNSW index of the space where one finds enough (see `hnsw.py`), else exact, by a scan.
    For `joint`: exact, by the mean over the modalities that both records have. Empty where the record has no
    vector.
    """
    made_by = VectorSet.objects.filter(dataset_id=dataset_id, space=space, ef_search__isnull=False).first()
    if made_by is not None and made_by.ef_search is not None:
        return nearest_by_index(made_by, row, row_count, k, made_by.ef_search)
    spaces = [Space.IMAGE, Space.CAPTION] if space == Space.JOINT else [space]
    query = sql.SQL(
        "SELECT other.row, 1 - avg(other.vector <=> this.vector) AS score FROM {p} this"
        " JOIN {p} other ON other.space = this.space AND other.row <> this.row AND other.row < %s"
        " WHERE this.row = %s AND this.space = ANY(%s)"
        " GROUP BY other.row ORDER BY score DESC, other.row LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(query.format(p=partition(dataset_id)), [row_count, row, [*spaces], k])
        return [(int(other), float(score)) for other, score in cursor.fetchall()]


def nearest_by_index(
    made_by: VectorSet, row: int, row_count: int, k: int, ef_search: int
) -> list[tuple[int, float]]:
    """The same by the index of the space, which must be there; some may be missed."""
    vector = sql.SQL("vector::halfvec({})").format(sql.Literal(made_by.dimensions))
    # The space as a literal: the index is of its rows only. The vector as a query of its own, run once.
    query = sql.SQL(
        "SELECT row, 1 - ({vector} <=> {this}) FROM {p} WHERE space = {space} AND row < %(rows)s"
        " AND row <> %(row)s ORDER BY {vector} <=> {this} LIMIT %(k)s"
    )
    parts = {"vector": vector, "p": partition(made_by.dataset_id), "space": sql.Literal(str(made_by.space))}
    this = sql.SQL("(SELECT {vector} FROM {p} WHERE space = {space} AND row = %(row)s)").format(**parts)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('hnsw.ef_search', %s, true)", [str(ef_search)])
        # Rows of a later build are passed over: then the search goes on until there are enough.
        cursor.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
        # With a large ef_search the planner takes a scan of all and a sort for cheaper, by far too much.
        cursor.execute("SET LOCAL enable_sort = off")
        values = {"row": row, "rows": row_count, "k": k}
        cursor.execute(query.format(this=this, **parts), values)
        found = [(int(other), float(score)) for other, score in cursor.fetchall() if score is not None]
    return sorted(found, key=lambda each: (-each[1], each[0]))


def _opened(made_by: VectorSet, row_count: int, check: Callable[[], None] | None = None) -> Matrix:
    folder = _matrix_folder(made_by, row_count)
    if not folder.exists():
        with transaction.atomic():
            # While it is held nobody replaces the vectors: the file has those of the maker in its name.
            made_by = _whole().select_for_update(no_key=True).get(pk=made_by.pk)
            folder = _matrix_folder(made_by, row_count)
            if not folder.exists():
                _write_matrix(folder, made_by, row_count, check)
    return _mapped(folder, maker_name(made_by.model, made_by.revision))


def _left(made_by: VectorSet, row_count: int) -> Matrix | None:
    """Of the last generation that was written, where that is not the present one; None where none was."""
    folder = _matrix_folder(made_by, row_count)
    before = _last_written(folder)
    if before is None or before == folder:
        return None
    try:
        return _what_is_left(before, folder, made_by)
    except FileNotFoundError:  # swept away just now
        return None


def _last_written(folder: Path) -> Path | None:
    """The folder of this generation of a matrix, or of the last one before that was written."""
    if folder.exists():
        return folder
    same = folder.name.rpartition("-")[0]
    written = {int(path.name.rpartition("-")[2]): path for path in folder.parent.glob(f"{same}-*")}
    return written[max(written)] if written else None


# By the folder that the present generation will have: another has other rows.
@lru_cache(maxsize=8)
def _what_is_left(before: Path, _now: Path, made_by: VectorSet) -> Matrix:
    matrix = _mapped(before, maker_name(made_by.model, made_by.revision))
    stored = stored_rows(made_by.dataset_id, Space(made_by.space), 0, len(matrix.vectors))
    return replace(matrix, rows=matrix.rows[np.isin(matrix.rows, stored, assume_unique=True)])


def maker_name(model: str, revision: str) -> str:
    """Vectors of two makers are never compared."""
    return f"{model}@{revision}"


def _whole() -> QuerySet[VectorSet]:
    return VectorSet.objects.filter(complete=True)


# A folder's name says what is in it, so it never changes. Few, since an open file keeps its disk space.
@lru_cache(maxsize=8)
def _mapped(folder: Path, maker: str) -> Matrix:
    return Matrix(np.load(folder / "vectors.npy", mmap_mode="r"), np.load(folder / "rows.npy"), folder, maker)


def _write_matrix(folder: Path, made_by: VectorSet, row_count: int, check: Callable[[], None] | None) -> None:
    """Write both files beside their place and rename, so that a half-written matrix is never opened."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        _fill(unfinished, made_by, row_count, check)
        os.sync()  # after a power cut a matrix that is there is not looked at again
        os.rename(unfinished, folder)
    except OSError:
        # Another worker was faster: its files hold the same bytes.
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _fill(folder: Path, made_by: VectorSet, row_count: int, check: Callable[[], None] | None) -> None:
    shape = (row_count, made_by.dimensions)
    path = folder / "vectors.npy"
    matrix = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
    # A page of a file with holes that finds no room on the disk kills the process; this raises instead.
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    found = []
    for rows, vectors in _read(made_by, row_count):
        matrix[rows] = vectors
        found.append(rows)
        if check is not None:
            check()
    matrix.flush()
    np.save(folder / "rows.npy", np.concatenate(found) if found else np.zeros(0, np.uint32))


def _read(made_by: VectorSet, row_count: int) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.float16]]]:
    """The vectors of the rows [0, row_count) in ascending order, a few thousand at a time."""
    record = np.dtype(
        [("fields", ">i2"), ("row_size", ">i4"), ("row", ">i4"), *_vector_fields(made_by.dimensions)]
    )
    query = sql.SQL(
        "COPY (SELECT row, vector FROM {} WHERE space = {} AND row < {} ORDER BY row)"
        " TO STDOUT (FORMAT binary)"
    ).format(partition(made_by.dataset_id), sql.Literal(made_by.space), sql.Literal(row_count))
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(query) as copy:
        buffer = bytearray()
        header = len(_COPY_HEADER)
        for piece in copy:
            buffer += piece
            if len(buffer) >= header + COPY_ROWS * record.itemsize:
                whole = (len(buffer) - header) // record.itemsize
                yield _from_copy(buffer, record, header, whole)
                del buffer[: header + whole * record.itemsize]
                header = 0
        if whole := (len(buffer) - header - len(_COPY_TRAILER)) // record.itemsize:
            yield _from_copy(buffer, record, header, whole)


def _from_copy(
    buffer: bytearray, record: np.dtype[np.void], start: int, count: int
) -> tuple[NDArray[np.uint32], NDArray[np.float16]]:
    table = np.frombuffer(bytes(buffer[start : start + count * record.itemsize]), record)
    return table["row"].astype(np.uint32), table["vector"].astype(np.float16)


def _as_copy(
    dataset_id: UUID, space: Space, rows: NDArray[np.integer], vectors: NDArray[np.floating]
) -> bytes:
    """Rows of the binary COPY format: every field as its size and its bytes, big endian."""
    record = np.dtype(
        [
            ("fields", ">i2"),
            ("dataset_size", ">i4"),
            ("dataset", "V16"),
            ("space_size", ">i4"),
            ("space", f"S{len(space)}"),
            ("row_size", ">i4"),
            ("row", ">i4"),
            *_vector_fields(vectors.shape[1]),
        ]
    )
    table = np.zeros(len(rows), record)
    table["fields"] = 4
    table["dataset_size"], table["dataset"] = 16, np.void(dataset_id.bytes)
    table["space_size"], table["space"] = len(space), space.encode()
    table["row_size"], table["row"] = 4, rows
    table["vector_size"], table["dimensions"] = 4 + 2 * vectors.shape[1], vectors.shape[1]
    table["vector"] = vectors
    return table.tobytes()


def _vector_fields(dimensions: int) -> list[tuple[str, str] | tuple[str, str, tuple[int]]]:
    """A halfvec as pgvector sends it: its number of dimensions, two bytes without meaning, the numbers."""
    return [
        ("vector_size", ">i4"),
        ("dimensions", ">u2"),
        ("unused", ">u2"),
        ("vector", ">f2", (dimensions,)),
    ]


def _matrix_folder(made_by: VectorSet, row_count: int) -> Path:
    maker = hashlib.sha256(maker_name(made_by.model, made_by.revision).encode()).hexdigest()[:12]
    return _folder(made_by.dataset_id) / f"{made_by.space}-{row_count}-{maker}-{made_by.generation}"


def _folder(dataset_id: UUID) -> Path:
    return Path(settings.ATLAS_HOME) / "vectors" / str(dataset_id)


def _name(dataset_id: UUID) -> str:
    return f"{TABLE}_{dataset_id.hex}"


def partition(dataset_id: UUID) -> sql.Identifier:
    """The table of a dataset's own vectors."""
    return sql.Identifier(_name(dataset_id))
