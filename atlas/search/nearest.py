"""The records nearest to one, by the query worker's exact scan; where that is away Postgres finds them.

The scan is exact. At 100,000 x 768 it takes 11 ms of one processor; an HNSW index answers in 2 to 5 ms as
`ef_search` goes from 40 to 400, misses 7 to 0.4 % of the ten nearest, and takes 46 s and 195 MB to build for
each space (`python -m atlas.search.benchmark`). So small sets have none. What Postgres does is in
`atlas/maps/vectors.py`, and its index of large sets in `atlas/maps/hnsw.py`.
"""

from uuid import UUID

import numpy as np

from atlas.maps.models import Space
from atlas.maps.vectors import open_matrices
from atlas.search.fuse import top
from atlas.search.scan import Scores, cosines

Found = list[tuple[int, float]]


def nearest(dataset_id: UUID, space: Space, row: int, row_count: int, k: int) -> Found:
    """The k records nearest to `row` among [0, row_count), as (row, cosine similarity), best first.

    For `joint`: by the mean over the modalities that both records have. Empty where the record has no vector.
    """
    spaces = (Space.IMAGE, Space.CAPTION) if space == Space.JOINT else (space,)
    per_space: list[Scores] = []
    for matrix in open_matrices(dataset_id, spaces, row_count).values():
        if row < row_count and matrix.present[row]:
            query = matrix.vectors[row : row + 1].astype(np.float32)
            scores = cosines(matrix.vectors, query)[:, 0]
            scores[~matrix.present] = np.nan
            per_space.append(scores)
    if not per_space:
        return []
    total = _mean(per_space)
    total[row] = np.nan
    best = top(total, np.sort(total[~np.isnan(total)]), k)
    return list(zip(best.tolist(), total[best].tolist(), strict=True))


def _mean(per_space: list[Scores]) -> Scores:
    """(N,) over the spaces that have a score; NaN where none has."""
    if len(per_space) == 1:
        return per_space[0]
    stacked = np.stack(per_space)
    with np.errstate(invalid="ignore"):  # none of none
        mean = np.nansum(stacked, axis=0) / (~np.isnan(stacked)).sum(axis=0, dtype=np.float32)
    return np.asarray(mean, np.float32)
