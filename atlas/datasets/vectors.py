"""Vectors that came with the records, kept until the maps take them over.

One file per dataset, `ATLAS_HOME/given/<dataset>`: a matrix of float32, one line of `Dataset.vector_size`
numbers per row number. A line of zeros, or one beyond the end of the file: the record brought none.
Lines are on the disk before the transaction commits that gives the rows their numbers; one that is rolled
back leaves lines that the next batch writes over.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from atlas.datasets.models import Dataset

Vectors = NDArray[np.float32]


def given_vectors(dataset: Dataset, rows: NDArray[np.integer]) -> Vectors:
    """The vectors (n, d) of these rows (n,) as they were uploaded; zeros for a row that brought none."""
    assert dataset.vector_size is not None
    found = np.zeros((len(rows), dataset.vector_size), np.float32)
    path = _path(dataset.pk)
    lines = path.stat().st_size // (4 * dataset.vector_size)
    if lines:
        matrix = np.memmap(path, np.float32, "r", shape=(lines, dataset.vector_size))
        inside = rows < lines
        found[inside] = matrix[rows[inside]]
    return found


def keep_vectors(dataset: Dataset, first_row: int, vectors: Sequence[Vectors | None]) -> None:
    """Write the vectors (d,) of consecutive rows, `first_row` and after; None for a row without one."""
    assert dataset.vector_size is not None
    lines = np.zeros((len(vectors), dataset.vector_size), np.float32)
    for line, vector in zip(lines, vectors, strict=True):
        if vector is not None:
            line[:] = vector
    path = _path(dataset.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()  # opened for writing it would be emptied, for appending a write could not go back
    with path.open("r+b") as file:
        file.seek(first_row * lines[:1].nbytes)
        file.write(lines.tobytes())
        file.flush()
        os.fsync(file.fileno())


def forget_vectors(dataset: Dataset, rows: NDArray[np.integer]) -> None:
    """Zeros in the lines of these rows (n,), as of records that brought none."""
    path = _path(dataset.pk)
    if dataset.vector_size is None or not path.exists():
        return
    lines = path.stat().st_size // (4 * dataset.vector_size)
    if lines:
        matrix = np.memmap(path, np.float32, "r+", shape=(lines, dataset.vector_size))
        matrix[rows[rows < lines]] = 0
        matrix.flush()


def remove_vectors(dataset_id: UUID) -> None:
    _path(dataset_id).unlink(missing_ok=True)


def _path(dataset_id: UUID) -> Path:
    return Path(settings.ATLAS_HOME) / "given" / str(dataset_id)
