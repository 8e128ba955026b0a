"""Nearest neighbours by cosine distance: exact up to `EXACT_MAX` vectors, NN-descent above (`descent.py`); of
newcomers exact up to `MOST_PAIRS`, by cells above.

Rows come out sorted by (distance, index), the point itself first. Both ways give the same bytes for any
number of threads: a row keeps the k smallest (distance, index) pairs it was ever offered, whatever the order
of the offers.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from atlas.maps.descent import descend
from atlas.maps.neighbour_lists import Floats, Ints, Neighbours, insert
from atlas.maps.work import Work

Tile = TypeVar("Tile", bound=tuple[Any, Any])

K = 15  # with the point itself, as umap-learn counts
EXACT_MAX = 16_000  # 2 CPU seconds at 768 dimensions; a descent costs that at about 40,000

#: Newcomers times old rows that are multiplied with each other: 40 CPU seconds at 768 dimensions. Half a
#: million into as many would take an hour and a half, longer than to lay all of them out anew.
MOST_PAIRS = 2_000_000_000
#: Cells that are looked through for each newcomer, of as many as the square root of all old rows.
PROBES = 32

_TILE_ROWS, _TILE_COLUMNS = 1024, 4096


def nearest_neighbours(unit: Floats, sketch: Floats, work: Work, *, seed: int) -> Neighbours:
    """The min(K, N) nearest of each row of `unit` (N, d), rows of length one (or zero). `sketch` (N, m),
    small m."""
    k = min(K, len(unit))
    if k == 0:
        return Neighbours.none(0, 0)
    others = exact(unit, k - 1, work) if len(unit) <= EXACT_MAX else descend(unit, sketch, k - 1, work, seed)
    itself = np.arange(len(unit), dtype=np.int32)[:, None]
    distances = np.maximum(others.distances, 0)  # rounding leaves twins at -1e-7
    return Neighbours(
        np.hstack([itself, others.indices]), np.hstack([np.zeros((len(unit), 1), np.float32), distances])
    )


def exact(unit: Floats, k: int, work: Work) -> Neighbours:
    """The k nearest others of each row. Each pair is multiplied once: a tile serves its rows and its
    columns."""
    found = Neighbours.none(len(unit), k)
    starts = range(0, len(unit), _TILE_ROWS)
    tiles = [(i, j) for i in starts for j in range(i, len(unit), _TILE_COLUMNS)]
    if k:
        _offer(tiles, partial(_product, unit, unit), found, _keep_tile, work)
    return found


def nearest_of(queries: Floats, unit: Floats, k: int, work: Work) -> Neighbours:
    """The k rows of `unit` nearest to each of `queries` (M, d), for records that are not on the map yet:
    exact, or nearly all of them where that would take longer than a new map."""
    few = len(queries) * len(unit) <= MOST_PAIRS
    found = (_exact_of if few else _by_cells)(queries, unit, min(k, len(unit)), work)
    return Neighbours(found.indices, np.maximum(found.distances, 0))


def _exact_of(
    queries: Floats, unit: Floats, k: int, work: Work, part: tuple[int, int] = (0, 1)
) -> Neighbours:
    found = Neighbours.none(len(queries), k)
    tiles = [(i, j) for i in range(0, len(queries), _TILE_ROWS) for j in range(0, len(unit), _TILE_COLUMNS)]
    if k:
        _offer(tiles, partial(_product, queries, unit), found, _keep_rows, work, part)
    return found


def _by_cells(queries: Floats, unit: Floats, k: int, work: Work) -> Neighbours:
    """Every row of `unit` lies in the cell of that of √N rows which is nearest to it; a query looks through
    the cells that are nearest to itself. An inverted file, as of Jégou, Douze, Schmid, "Product quantization
    for nearest neighbor search", 2011, its centres drawn by lot: those lie where the rows do."""
    count = max(PROBES, math.isqrt(len(unit)))
    centres = unit[np.sort(np.random.default_rng(0).choice(len(unit), count, replace=False))]
    homes = _rows_by_cell(_exact_of(unit, centres, 1, work, (0, 3)).indices, count)
    askers = _rows_by_cell(_exact_of(queries, centres, PROBES, work, (1, 3)).indices, count)
    tiles = [
        (asking[i : i + _TILE_ROWS], home[j : j + _TILE_COLUMNS])
        for asking, home in zip(askers, homes, strict=True)
        for i in range(0, len(asking), _TILE_ROWS)
        for j in range(0, len(home), _TILE_COLUMNS)
    ]
    found = Neighbours.none(len(queries), k)
    _offer(tiles, lambda tile: queries[tile[0]] @ unit[tile[1]].T, found, _keep_listed, work, (2, 3))
    lacking = np.flatnonzero((found.indices < 0).any(axis=1))  # their cells hold fewer than k rows
    if len(lacking):
        rest = _exact_of(queries[lacking], unit, k, work)
        found.indices[lacking], found.distances[lacking] = rest.indices, rest.distances
    return found


def _rows_by_cell(cells: Ints, count: int) -> list[npt.NDArray[np.intp]]:
    """For each of `count` cells the rows of `cells` (n, p) that name it."""
    order = np.argsort(cells, axis=None, kind="stable")
    bounds = np.searchsorted(cells.ravel()[order], np.arange(1, count))
    return np.split(order // cells.shape[1], bounds)


def _product(queries: Floats, unit: Floats, tile: tuple[int, int]) -> Floats:
    i, j = tile
    product: Floats = queries[i : i + _TILE_ROWS] @ unit[j : j + _TILE_COLUMNS].T
    return product


def _offer(
    tiles: list[Tile],
    multiply: Callable[[Tile], Floats],
    found: Neighbours,
    keep_pairs: Callable[..., None],
    work: Work,
    part: tuple[int, int] = (0, 1),
) -> None:
    """Multiply the blocks at `tiles` and let `keep_pairs` enter what is near into `found`. The `part`: this
    one, from 0, of so many."""
    number, parts = part
    done = 0

    def keep(tile: Tile, similarity: Floats) -> None:
        nonlocal done
        keep_pairs(similarity, *tile, found.indices, found.distances)
        done += 1
        work.say("neighbours", number * len(tiles) + done, parts * len(tiles))

    work.each(tiles, multiply, keep)


def recall(found: Neighbours, truth: Neighbours) -> float:
    """Share of the true neighbours that were found, both (M, k)."""
    hits = (found.indices[:, :, None] == truth.indices[:, None, :]).any(axis=1)
    return float(hits.mean())


@numba.njit(cache=True, nogil=True)
def _keep_rows(similarity, row0, column0, indices, distances):  # type: ignore[no-untyped-def]
    k = indices.shape[1]
    for i in range(similarity.shape[0]):
        row = row0 + i
        for j in range(similarity.shape[1]):
            distance = np.float32(1) - similarity[i, j]
            if distance <= distances[row, k - 1]:
                insert(indices[row], distances[row], column0 + j, distance)


@numba.njit(cache=True, nogil=True)
def _keep_listed(similarity, rows, columns, indices, distances):  # type: ignore[no-untyped-def]
    k = indices.shape[1]
    for i in range(similarity.shape[0]):
        row = rows[i]
        for j in range(similarity.shape[1]):
            distance = np.float32(1) - similarity[i, j]
            if distance <= distances[row, k - 1]:
                insert(indices[row], distances[row], columns[j], distance)


@numba.njit(cache=True, nogil=True)
def _keep_tile(similarity, row0, column0, indices, distances):  # type: ignore[no-untyped-def]
    """Offer every pair of a tile to both its ends; of a pair inside the row block, only the upper half is
    offered."""
    k = indices.shape[1]
    for i in range(similarity.shape[0]):
        row = row0 + i
        for j in range(max(0, row + 1 - column0), similarity.shape[1]):
            column = column0 + j
            distance = np.float32(1) - similarity[i, j]
            if distance <= distances[row, k - 1]:
                insert(indices[row], distances[row], column, distance)
            if distance <= distances[column, k - 1]:
                insert(indices[column], distances[column], row, distance)
