"""Where the hits of a query end: a cut that comes from this query's own scores. No Django.

A flat threshold fails, because good hits of one query score like the junk of the next. So the bulk of the
scores is taken as the junk: its centre and width are those of the lower half, where relevant records are
not, and the cut lies where no more than a given share of what is above it would be expected from the bulk
alone (an empirical null and a false discovery rate: Efron 2004, doi:10.1198/016214504000000089; Benjamini
and Hochberg 1995).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

#: The share of the hits above the cut that may be expected by chance.
FALSE_SHARE = 0.1
#: Median absolute deviation to standard deviation, for a normal distribution.
_MAD_TO_SIGMA = 1.4826


def relevance_cut(scores: NDArray[np.float32]) -> float:
    """The lowest score that counts as relevant; at least one record is relevant.

    Args:
        scores: (n,) n ≥ 1 finite scores of all records that could be a hit.
    """
    ordered = np.sort(scores.astype(np.float64))[::-1]
    centre = np.median(ordered)
    width = _MAD_TO_SIGMA * np.median(centre - ordered[ordered <= centre])
    if width == 0:  # half of the scores are equal: whatever stands out of them is relevant
        above = int((ordered > centre).sum())
        return float(ordered[max(above, 1) - 1])
    by_chance = len(ordered) * ndtr(-(ordered - centre) / width)
    passing = np.flatnonzero(by_chance <= FALSE_SHARE * np.arange(1, len(ordered) + 1))
    return float(ordered[passing[-1] if len(passing) else 0])
