"""A dataset as a table: its rows in the order of any column, page by page."""

import numpy as np
from django.core.cache import cache
from django.db import connection
from numpy.typing import NDArray

from atlas.datasets.filters import AS_NUMBER, Mask
from atlas.datasets.models import Dataset

_CACHE_SECONDS = 600
_OWN = {"row": "row", "key": "key", "caption": "nullif(caption, '')", "source": "source"}


class SortError(Exception):
    """There is nothing to sort by: a sentence."""


def sorted_rows(dataset: Dataset, sort: str) -> NDArray[np.uint32]:
    """All rows, in the order of `row`, `key`, `caption`, `source` or an own column; "-year" turns it round.

    Rows without a value come last either way; equal values in row order. Raises SortError.
    """
    down, name = sort.startswith("-"), sort.removeprefix("-")
    types = {column["name"]: str(column["type"]) for column in dataset.columns}
    if name not in _OWN and name not in types:
        raise SortError(f"There is no column “{name}” to sort by.")
    records = f"{dataset.row_count}:{dataset.removed_count}"
    key = f"sorted:{dataset.pk}:{records}:{len(dataset.columns)}:{sort.encode().hex()}"
    order = cache.get(key)
    if order is None:
        order = _sorted(dataset, name, types.get(name, ""), down).tobytes()
        cache.set(key, order, _CACHE_SECONDS)
    return np.frombuffer(order, np.uint32)


def _sorted(dataset: Dataset, name: str, kind: str, down: bool) -> NDArray[np.uint32]:
    values: list[str] = []
    expression = _OWN.get(name)
    if expression is None:
        values = [name, name] if kind == "number" else [name]
        expression = AS_NUMBER if kind == "number" else '"values" ->> %s'
    direction = "DESC" if down else "ASC"
    with connection.cursor() as cursor:
        cursor.execute(
            # An import may have added rows since the dataset was read.
            "SELECT row FROM datasets_record WHERE dataset_id = %s AND row < %s"  # noqa: S608  # all of it is ours
            f" ORDER BY {expression} {direction} NULLS LAST, row",
            [dataset.pk, dataset.row_count, *values],
        )
        return np.array([row for (row,) in cursor.fetchall()], np.uint32)


def page_of_rows(
    order: NDArray[np.uint32], mask: Mask | None, offset: int, limit: int
) -> tuple[list[int], int]:
    """The rows of one page, and how many there are in all."""
    if mask is not None:
        order = order[mask[order]]
    return [int(row) for row in order[offset : offset + limit]], len(order)


def page_around(order: NDArray[np.uint32], mask: Mask | None, row: int, limit: int) -> tuple[list[int], int]:
    """The page with this row in its middle, masked or not, and how many rows there are in all."""
    left = np.ones(len(order), bool) if mask is None else mask[order]
    kept = order[left | (order == row)]
    place = np.flatnonzero(kept == row)
    if len(place) == 0:
        return [], int(left.sum())
    first = max(0, int(place[0]) - limit // 2)
    return [int(each) for each in kept[first : first + limit]], int(left.sum())
