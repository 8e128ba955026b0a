"""Two rankings made one, and the numbers that explain it. No Django."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atlas.search.scan import Scores

#: How little the first places outweigh the next: the value of the paper, good for any pair of lists.
RANK_CONSTANT = 60
BINS = 64


class Matches(NamedTuple):
    """Rows that have the words, best first, and their places from 1: as good ones share a place."""

    rows: NDArray[np.intp]
    places: NDArray[np.intp]
    #: Whether they have all of the wanted texts: those come first.
    whole: NDArray[np.bool_]
    #: How many have all of them, beyond those that are told apart too.
    whole_count: int = 0


NO_MATCHES = Matches(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.bool_))


def best_rows(
    seen: Scores, ordered: Scores, words: Matches, share: float, cut: float, count: int
) -> tuple[NDArray[np.intp], int]:
    """The first `count` rows of both rankings fused, and how many rows of all are relevant.

    Relevant is what scores at least `cut` or has all of the words; that comes first. Within, by reciprocal
    rank fusion: a record's worth is the sum over the lists of 1 / (60 + its rank) (Cormack, Clarke and
    Büttcher 2009, doi:10.1145/1571941.1572114). Ranks and not scores: cosines and word ranks share no scale.
    Where more is wanted than words, having them is an answer to a part only: it lifts by their share, and
    makes nothing relevant. Nor does it to have one of two texts.

    Args:
        seen: (N,) scores by meaning, NaN where there is none or the row may not be a hit.
        ordered: the numbers among them, ascending.
        words: the rows that have the words and may be hits.
        share: how much of what is wanted the words are, above 0 to 1.
    """
    passing = len(ordered) - int(np.searchsorted(ordered, np.float32(cut)))
    best = top(seen, ordered, count)
    if not len(words.rows):  # one list alone keeps its order
        return best, passing
    # Beyond the first `count` of a list only its words can lift a record.
    rows = np.union1d(best, words.rows)
    worth = np.zeros(len(rows))
    known = ~np.isnan(seen[rows])
    above = len(ordered) - np.searchsorted(ordered, seen[rows[known]], side="right")
    worth[known] = 1 / (RANK_CONSTANT + 1 + above)
    worth[np.searchsorted(rows, words.rows)] += share / (RANK_CONSTANT + words.places)
    suffices = sure_rows(words, share)
    relevant = (seen[rows] >= cut) | np.isin(rows, suffices)
    order = np.lexsort((rows, -worth, ~relevant))[:count]
    return rows[order], passing + int((~(seen[suffices] >= cut)).sum())


def sure_rows(words: Matches, share: float) -> NDArray[np.intp]:
    """What is relevant by its words, however it scores."""
    return words.rows[words.whole] if share == 1 else words.rows[:0]


def top(scores: Scores, ordered: Scores, count: int) -> NDArray[np.intp]:
    """The rows with the `count` highest scores, best first; equal scores in row order.

    Args:
        scores: (N,) with NaN where there is none.
        ordered: the numbers among them, ascending.
    """
    if not len(ordered):
        return np.zeros(0, np.intp)
    rows = np.flatnonzero(scores >= ordered[-min(count, len(ordered))])
    return rows[np.lexsort((rows, -scores[rows]))][:count]


def histogram(ordered: Scores) -> dict[str, Any] | None:
    """How many scores lie in each of 64 equal steps from the lowest to the highest; None of no scores."""
    if not len(ordered):
        return None
    low, high = float(ordered[0]), float(ordered[-1])
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    # In ascending scores a step is a stretch; the last one has its upper end, too.
    below = np.searchsorted(ordered, edges[1:-1].astype(np.float32))
    counts = np.diff(below, prepend=0, append=len(ordered))
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
    glow[scores >= best] = 255  # also where the cut is at the best
    return np.nan_to_num(glow, nan=0).astype(np.uint8)
