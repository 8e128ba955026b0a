"""Where the hits of a query end: a cut that comes from this query's own scores. No Django.

A flat threshold fails, because good hits of one query score like the junk of the next. Two levels of this
query are known, though: that of the best records, and the one that the best of as many records would reach
by chance, were the scores normal. Hits end between them. Near the middle of the two, the cut lies in the
widest gap: of scores that thin out evenly, the k-th and the next are 1/k as far apart as the first and the
second (Rényi 1953, doi:10.1007/BF02127580), so a gap counts k times its width, and the less the further away.
Where nothing stands out, both levels are the same and a few records are left.

`python -m atlas.search.benchmark --relevance` measures it on sets with known truth. On the sample of the
project, 727 queries by meaning: mean F1 0.446, where the best flat threshold, chosen afterwards, has 0.427
and the first 50 have 0.277; with the hits that have the words, 0.533. It is weak where hundreds of hits fade
into what is no hit, as records that look a little like another do. Among the rules tried were shares of the
best, levels of chance alone, Otsu's, and gaps without regard to where they lie.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

#: So many are "the best": a record that is the query itself must not speak for all.
BEST = 2
#: How far from the middle a gap may well be, as a share of how far the best are from the mean. A standard
#: deviation: the weight is that of a normal distribution.
NEAR = 0.15
#: Further away than so many of these no gap counts: most records are never looked at.
REACH = 3


def relevance_cut(ordered: NDArray[np.float32]) -> float:
    """The lowest score that counts as relevant; at least one record is relevant.

    Args:
        ordered: (n,) n ≥ 1 finite scores of all records that could be a hit, ascending.
    """
    if ordered[0] == ordered[-1]:
        return float(ordered[0])
    count = len(ordered)
    mean, deviation = (float(figure(ordered, dtype=np.float64)) for figure in (np.mean, np.std))
    best = float(ordered[-min(BEST, count - 1) :].mean(dtype=np.float64)) - mean
    by_chance = deviation * NormalDist().inv_cdf(count / (count + 1))
    middle, near = mean + (best + min(by_chance, best)) / 2, NEAR * best
    first = int(np.searchsorted(ordered, middle - REACH * near))
    best_first = ordered[max(first - 1, 0) :][::-1].astype(np.float64)
    above, below = best_first[:-1], best_first[1:]
    away = np.maximum(np.maximum(middle - above, below - middle), 0) / near
    gaps = np.arange(1, len(best_first)) * (above - below)
    return float(above[np.argmax(gaps * np.exp(-(away**2) / 2))])
