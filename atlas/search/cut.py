"""Where the hits of a query end: a cut that comes from this query's own scores. No Django.

A flat threshold fails, because good hits of one query score like the junk of the next. The cut is the most
likely end of the hits, by three things that this query's scores say. No unit or scale of scores matters.

The gap. Of scores that thin out evenly, the k-th and the next are 1/k as far apart as the first and the
second (Rényi 1953, doi:10.1007/BF02127580): where a gap is wider than that, something ends. So a gap counts
k times its width.

How many hits there may be. Where the scores fall steeply, the best are a kind of their own, and take some
others of it with them. Where a crowd comes close to the best, a whole kind is like the query, and what was
asked for is one special thing within it: the hits are few. Between the two the expected number goes from
half a record to a quarter of the root of all, in even ratios. A number is the less likely the further its
logarithm is away, by Student's distribution: its tails are so heavy that a wide gap overrules what was
expected (Dawid 1973, doi:10.1093/biomet/60.3.664).

How good they may be. What is not nearly as good as the best is another thing: near four fifths of the way
from the middle of all scores to the best, a gap counts most.

`python -m atlas.search.benchmark --relevance` measures it on sets with known truth. On the sample of the
project, 727 queries by meaning: mean F1 0.465, where the best flat threshold, chosen afterwards, has 0.427
and the first 50 have 0.277; by a record instead of words 0.523, 0.510 and 0.253. The numbers below were
chosen on seven sets of drawings, paintings and made-up scenes: together 0.488, 0.444 and 0.266. On four
others it has 0.378, 0.332 and 0.178. It is weak where hundreds of hits fade into what is no hit. Among the
rules tried were shares of the best, levels of chance, Otsu's, gaps at a level alone, and the best expected F1
of a fitted logistic.
"""

from math import log

import numpy as np
from numpy.typing import NDArray

#: The best, and those that are a crowd if they come close.
BEST, CROWD = 5, 150
#: How close: as shares of how far the best are above the middle of all scores, no crowd and a whole one.
SPARSE, CROWDED = 0.4, 0.55
#: Of the logarithm of how many hits there are: scale and degrees of freedom.
SPREAD, FREEDOM = 1.3, 3
#: As such a share, where the hits end most often, by what deviation, and where they have ended for sure.
END, NEAR, FAR = 0.8, 0.2, 0.3


def relevance_cut(ordered: NDArray[np.float32]) -> float:
    """The lowest score that counts as relevant; at least one record is relevant.

    Args:
        ordered: (n,) n ≥ 1 finite scores of all records that could be a hit, ascending.
    """
    count = len(ordered)
    middle = float(ordered[(count - 1) // 2])
    best = float(ordered[-1]) - middle
    if best == 0:  # half of all are as good as the best
        return middle
    first = int(np.searchsorted(ordered, middle + FAR * best))
    shares = (ordered[first - 1 :][::-1].astype(np.float64) - middle) / best
    above, below = shares[:-1], shares[1:]
    numbers = np.arange(1, len(shares))
    off = (np.log(numbers) - log(_expected(ordered, middle))) / SPREAD
    likely = 1 / np.square(1 + np.square(off) / FREEDOM)  # by the power of (FREEDOM + 1) / 2
    away = np.maximum(np.maximum(END - above, below - END), 0) / NEAR
    last = int(np.argmax(numbers * (above - below) * likely * np.exp(-(away**2) / 2)))
    return float(ordered[-1 - last])


def _expected(ordered: NDArray[np.float32], middle: float) -> float:
    """How many hits there are most often, by how close a crowd comes to the best."""
    count = len(ordered)
    crowd = max(1, min(CROWD, count // 4))
    best = float(ordered[-min(BEST, crowd) :].mean(dtype=np.float64)) - middle
    close = (float(ordered[-crowd]) - middle) / best
    steep = min(max((CROWDED - close) / (CROWDED - SPARSE), 0), 1)
    fewest, most = 0.5, max(0.5, count**0.5 / 4)
    return float(fewest * (most / fewest) ** steep)
