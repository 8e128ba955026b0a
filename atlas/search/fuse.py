"""Two rankings made one, and the numbers that explain it. No Django."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.search.scan import Scores

#: How little the first places outweigh the next: the value of the paper, good for any pair of lists.
RANK_CONSTANT = 60
BINS = 64


def best_rows(
    total: Scores, allowed: NDArray[np.bool_], words: Sequence[int], cut: float, count: int
) -> tuple[NDArray[np.intp], int]:
    """The first `count` rows of both rankings fused, and how many rows of all are relevant.

    Relevant is what scores at least `cut` or has the words; that comes first. Within, by reciprocal rank
    fusion: a record's worth is the sum over the lists of 1 / (60 + its rank) (Cormack, Clarke and Büttcher
    2009, doi:10.1145/1571941.1572114). Ranks and not scores, because cosines and word ranks share no scale.

    Args:
        total: (N,) scores by meaning, NaN where there is none.
        allowed: (N,) the rows that may be hits.
        words: the allowed rows that have the words, best first.
    """
    scored = np.flatnonzero(allowed & ~np.isnan(total))
    passing = scored[total[scored] >= cut]
    if not words:  # one list alone keeps its order
        return top(total, scored, count), len(passing)
    ascending = np.sort(total[scored])
    named = np.asarray(words, np.intp)
    # Beyond the first `count` of a list only its words can lift a record.
    rows = np.union1d(top(total, scored, count), named)
    worth = np.zeros(len(rows))
    known = ~np.isnan(total[rows])
    above = len(ascending) - np.searchsorted(ascending, total[rows[known]], side="right")
    worth[known] = 1 / (RANK_CONSTANT + 1 + above)
    worth[np.searchsorted(rows, named)] += 1 / (RANK_CONSTANT + 1 + np.arange(len(named)))
    relevant = (np.nan_to_num(total[rows], nan=-np.inf) >= cut) | np.isin(rows, named)
    order = np.lexsort((rows, -worth, ~relevant))[:count]
    return rows[order], len(np.union1d(passing, named))


def top(scores: Scores, rows: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """The rows with the highest scores, best first; equal scores in row order."""
    if count < len(rows):
        rows = rows[np.argpartition(-scores[rows], count - 1)[:count]]
    return rows[np.lexsort((rows, -scores[rows]))]


def histogram(scores: Scores) -> dict[str, Any] | None:
    """How many scores lie in each of 64 equal steps from the lowest to the highest; None of no scores."""
    if not len(scores):
        return None
    low, high = float(scores.min()), float(scores.max())
    counts, _ = np.histogram(scores, BINS, (low, high if high > low else low + 1))
    return {"from": round(low, 4), "to": round(high, 4), "counts": counts.tolist()}


def as_glow(scores: Scores, cut: float) -> NDArray[np.uint8]:
    """(N,) a byte for each score: 128 at the cut, 255 at the best, 0 two deviations below the mean or NaN.

    Straight lines between; so what is relevant has half of the steps, however few it is.
    """
    known = scores[~np.isnan(scores)]
    if not len(known):
        return np.zeros(len(scores), np.uint8)
    low, best = float(known.mean() - 2 * known.std()), float(known.max())
    levels = [low, max(cut, low + 1e-6)]
    levels.append(max(best, levels[1] + 1e-6))
    glow = np.interp(scores, levels, [0, 128, 255])
    return np.nan_to_num(glow, nan=0).astype(np.uint8)
