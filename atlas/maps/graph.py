"""The fuzzy graph of UMAP, and the curve its layout fits: umap-learn's own.

Importing umap-learn compiles for 15 CPU seconds on a fresh machine and takes 2 on a warm one, so it is
imported where a graph is built, and `atlas.warm` compiles it once when Atlas is set up.

Source: McInnes, Healy, Melville, "UMAP", 2018, section 3.1.
"""

from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np
import numpy.typing as npt

from atlas.maps.neighbour_lists import Neighbours

SPREAD, MIN_DIST = 1.0, 0.1


@dataclass(frozen=True)
class Graph:
    """Symmetric, row by row: row i's edges are starts[i]:starts[i+1] of targets and weights (0 < w ≤ 1)."""

    starts: npt.NDArray[np.int64]  # (N + 1,)
    targets: npt.NDArray[np.int32]  # (E,)
    weights: npt.NDArray[np.float32]  # (E,)


def fuzzy_graph(neighbours: Neighbours) -> Graph:
    """Likeness of every point to its neighbours, then the fuzzy union of both directions: a + b - a·b."""
    n, k = neighbours.indices.shape
    both = (
        _umap()
        .fuzzy_simplicial_set(
            np.empty((n, 0), np.float32),  # read only for its length: the neighbours are known
            k,
            None,  # no random numbers where the neighbours are known
            "precomputed",
            knn_indices=neighbours.indices,
            knn_dists=neighbours.distances,
        )[0]
        .tocsr()
    )
    both.sort_indices()
    return Graph(both.indptr.astype(np.int64), both.indices.astype(np.int32), both.data.astype(np.float32))


@cache
def curve() -> tuple[float, float]:
    """a and b of 1 / (1 + a·d^2b), the likeness that the layout gives to two points at distance d."""
    a, b = _umap().find_ab_params(SPREAD, MIN_DIST)
    return float(a), float(b)


@cache
def _umap() -> ModuleType:
    from umap import umap_

    # umap-learn keeps no compiled code of these two; with it a worker's first graph is 4 seconds sooner.
    umap_.smooth_knn_dist.enable_caching()
    umap_.compute_membership_strengths.enable_caching()
    return umap_  # type: ignore[no-any-return]
