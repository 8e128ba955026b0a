"""The fuzzy graph of UMAP: edges for edge what umap-learn's `fuzzy_simplicial_set` builds, without its
start-up cost.

Importing umap-learn compiles for 17 CPU seconds on a fresh machine; this is a few array operations. Source:
McInnes, Healy, Melville, "UMAP", 2018, section 3.1. The tests compare it with the original.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from atlas.maps.neighbours import Neighbours

# find_ab_params(spread=1, min_dist=0.1) of umap-learn: 1 / (1 + a·d^2b) is the fitted likeness at distance d
A, B = 1.5769434602697652, 0.8950608778515733

_STEPS = 64
_CLOSE = 1e-5
_LEAST = 1e-3  # a bandwidth is at least this share of the mean distance


@dataclass(frozen=True)
class Graph:
    """Symmetric, row by row: row i's edges are starts[i]:starts[i+1] of targets and weights (0 < w ≤ 1)."""

    starts: npt.NDArray[np.int64]  # (N + 1,)
    targets: npt.NDArray[np.int32]  # (E,)
    weights: npt.NDArray[np.float32]  # (E,)


def fuzzy_graph(neighbours: Neighbours) -> Graph:
    """Likeness of every point to its neighbours, then the fuzzy union of both directions: a + b - a·b."""
    n, k = neighbours.indices.shape
    nearest, bandwidth = _bandwidths(neighbours.distances)
    beyond = np.maximum(neighbours.distances - nearest[:, None], 0)
    with np.errstate(divide="ignore", invalid="ignore"):  # a bandwidth of 0 only where the next line decides
        likeness = np.exp(-beyond / bandwidth[:, None])
    likeness[(beyond <= 0) | (bandwidth[:, None] == 0)] = 1
    likeness[neighbours.indices == np.arange(n)[:, None]] = 0
    one_way = csr_matrix(
        (likeness.ravel(), neighbours.indices.ravel(), np.arange(0, n * k + 1, max(k, 1))), shape=(n, n)
    )
    one_way.eliminate_zeros()
    back = one_way.T.tocsr()
    both = (one_way + back - one_way.multiply(back)).tocsr()
    both.sort_indices()
    return Graph(both.indptr.astype(np.int64), both.indices.astype(np.int32), both.data.astype(np.float32))


def _bandwidths(
    distances: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Distance to the nearest other (N,), and the width (N,) at which the likenesses of a row sum to log2
    k."""
    n, k = distances.shape
    apart = distances > 0
    nearest = np.where(apart.any(axis=1), np.min(distances, axis=1, where=apart, initial=np.inf), 0).astype(
        np.float32
    )
    beyond = np.maximum(distances[:, 1:] - nearest[:, None], 0)
    low, high, middle = np.zeros(n, np.float32), np.full(n, np.inf, np.float32), np.ones(n, np.float32)
    target = np.log2(k) if k else 0
    open_rows = np.arange(n)
    for _ in range(_STEPS):
        total = np.exp(-beyond[open_rows] / middle[open_rows, None]).sum(axis=1)
        unsettled = np.abs(total - target) >= _CLOSE
        open_rows, total = open_rows[unsettled], total[unsettled]
        if not len(open_rows):
            break
        above = total > target
        high[open_rows[above]] = middle[open_rows[above]]
        low[open_rows[~above]] = middle[open_rows[~above]]
        ceiling = high[open_rows]
        middle[open_rows] = np.where(np.isinf(ceiling), middle[open_rows] * 2, (low[open_rows] + ceiling) / 2)
    floor = np.where(nearest > 0, distances.mean(axis=1), distances.mean()) * _LEAST
    return nearest, np.maximum(middle, floor).astype(np.float32)
