"""Nearest neighbours by cosine distance: exact up to `EXACT_MAX` vectors, NN-descent above (`descent.py`).

Rows come out sorted by (distance, index), the point itself first. Both ways give the same bytes for any
number of threads: a row keeps the k smallest (distance, index) pairs it was ever offered, whatever the order
of the offers.
"""

from collections.abc import Callable

import numba
import numpy as np

from atlas.maps.descent import descend
from atlas.maps.neighbour_lists import Floats, Neighbours, insert
from atlas.maps.work import Work

K = 15  # with the point itself, as umap-learn counts
EXACT_MAX = 16_000  # 2 CPU seconds at 768 dimensions; a descent costs that at about 40,000

_TILE_ROWS, _TILE_COLUMNS = 1024, 4096


def nearest_neighbours(unit: Floats, sketch: Floats, work: Work, *, seed: int, k: int = K) -> Neighbours:
    """The min(k, N) nearest of each row of `unit` (N, d), rows of length one (or zero). `sketch` (N, m),
    small m."""
    k = min(k, len(unit))
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
        _offer(unit, unit, tiles, found, _keep_tile, work)
    return found


def nearest_of(queries: Floats, unit: Floats, k: int, work: Work) -> Neighbours:
    """The k rows of `unit` nearest to each of `queries` (M, d): exact, for records that are not on the map
    yet."""
    k = min(k, len(unit))
    found = Neighbours.none(len(queries), k)
    tiles = [(i, j) for i in range(0, len(queries), _TILE_ROWS) for j in range(0, len(unit), _TILE_COLUMNS)]
    if k:
        _offer(queries, unit, tiles, found, _keep_rows, work)
    return Neighbours(found.indices, np.maximum(found.distances, 0))


def _offer(
    queries: Floats,
    unit: Floats,
    tiles: list[tuple[int, int]],
    found: Neighbours,
    keep_pairs: Callable[..., None],
    work: Work,
) -> None:
    """Multiply the blocks that start at `tiles` and let `keep_pairs` enter what is near into `found`."""
    done = 0

    def multiply(tile: tuple[int, int]) -> Floats:
        i, j = tile
        product: Floats = queries[i : i + _TILE_ROWS] @ unit[j : j + _TILE_COLUMNS].T
        return product

    def keep(tile: tuple[int, int], similarity: Floats) -> None:
        nonlocal done
        keep_pairs(similarity, *tile, found.indices, found.distances)
        done += 1
        work.say("neighbours", done, len(tiles))

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
