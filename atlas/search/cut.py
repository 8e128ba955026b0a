"""Where the hits of a query end: a cut that comes from this query's own scores. No Django.

A flat threshold fails, because good hits of one query score like the junk of the next. So the cut lies at a
share of the way from the middle of all scores to the best ones of this query: a record is relevant if it is
nearly as good as the best. Which are "the best" is found in two steps: the first few show where the hits
begin, and then all of these count, lest five excellent ones hide three hundred good ones.

Where nothing stands out that would still call the best of the noise relevant. So there is a bound: the
lower half of the scores, where relevant records are not, is taken as the junk's distribution, and no more
hits than there are may be expected from that alone (an empirical null and a false discovery rate: Efron
2004, doi:10.1198/016214504000000089; Benjamini and Hochberg 1995). It is lenient because what is like the
query a little widens the lower half, too.

`python -m atlas.search.benchmark --relevance` measures it on sets with known truth. On the sample of the
project, 727 queries against pictures and captions both: mean F1 0.502, where the best flat threshold, chosen
afterwards, has 0.423 and the first 50 have 0.269. It is weak where a query has but two or three hits: the
average over the best ten then lies far below them, and a flat threshold that knows the set does better.
Among the rules tried were that bound alone, Otsu's, a knee, the widest gap and a fitted logistic.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

#: How much of the way from the median to the best a record must have come …
NEARLY = 0.85
#: … where "the best" are at least so many: a few duplicates of the query must not hide all others.
BEST = 10
#: Median absolute deviation to standard deviation, for a normal distribution.
_MAD_TO_SIGMA = 1.4826


def relevance_cut(ordered: NDArray[np.float32]) -> float:
    """The lowest score that counts as relevant; at least one record is relevant.

    Args:
        ordered: (n,) n ≥ 1 finite scores of all records that could be a hit, ascending.
    """
    best_first = ordered[::-1].astype(np.float64)
    centre = _median(best_first)
    lowest = _beyond_chance(best_first, centre)
    count = BEST
    for _ in range(2):
        near_best = centre + NEARLY * (float(best_first[:count].mean()) - centre)
        cut = min(max(near_best, lowest), float(best_first[0]))
        count = max(BEST, int(np.searchsorted(-best_first, -cut, side="right")))
    return cut


def _beyond_chance(best_first: NDArray[np.float64], centre: float) -> float:
    """The lowest score up to which chance explains no more than the hits."""
    half = len(best_first) // 2
    width = _MAD_TO_SIGMA * (centre - _median(best_first[half:]))
    if width <= 0:  # half of the scores are equal: whatever stands out of them does so by no chance
        return centre
    upper = best_first[: half + 1]
    by_chance = len(best_first) * ndtr(-(upper - centre) / width)
    passing = np.flatnonzero(by_chance <= np.arange(1, len(upper) + 1))
    return float(upper[passing[-1]]) if len(passing) else float(best_first[0])


def _median(ordered: NDArray[np.float64]) -> float:
    middle = len(ordered) // 2
    return float(ordered[[middle, -1 - middle]].mean())
