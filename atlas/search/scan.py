"""Exact scores of every record, and how scores of different kinds are put together. No Django.

Why not raw cosines: text against pictures, text against captions and picture against picture live on
different scales (the modality gap; Liang et al. 2022, "Mind the Gap", arXiv:2203.02053). A list ranked by
raw cosine is all captions first. So each part of a query is scored in each space on its own, brought to one
scale over the dataset, and only then added.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]


class Moments(NamedTuple):
    """What scores are brought to one scale by."""

    number: int
    mean: float
    deviation: float


def cosines(vectors: NDArray[np.float16], queries: NDArray[np.float32]) -> Scores:
    """(N, P) cosines of N rows with P queries, computed in float32.

    Args:
        vectors: (N, d) float16 of length 1, may be memory-mapped.
        queries: (P, d) of length 1.

    Raises ValueError where these differ in d: `dots` would read past the end.
    """
    from atlas.search.dots import dots  # numba's compiler: in the query worker only

    if queries.shape[1] != vectors.shape[1]:
        raise ValueError(f"Queries of {queries.shape[1]} numbers, vectors of {vectors.shape[1]}.")
    out = np.empty((len(queries), len(vectors)), np.float32)
    dots(np.ascontiguousarray(vectors).view(np.uint16), np.ascontiguousarray(queries, np.float32), out)
    return out.T


def moments(scores: Scores, present: NDArray[np.bool_]) -> Moments:
    """Over the rows that have a vector."""
    known = scores if present.all() else scores[present]
    if not len(known):
        return Moments(0, 0.0, 0.0)
    # In single precision: numpy adds in pairs, so the sums are as good as the numbers.
    mean = float(known.mean())
    return Moments(len(known), mean, float(np.sqrt(np.square(known - mean).mean())))


def pooled(each: Sequence[Moments]) -> Moments:
    """The moments of all their scores together: the squares within each, and those between their means."""
    numbers, means, deviations = np.array(each, np.float64).T
    number = numbers.sum()
    if not number:
        return Moments(0, 0.0, 0.0)
    mean = (numbers * means).sum() / number
    squares = numbers * (deviations**2 + (means - mean) ** 2)
    return Moments(int(number), float(mean), float(np.sqrt(squares.sum() / number)))


def standardise(scores: Scores, present: NDArray[np.bool_], over: Moments) -> Scores:
    """Bring scores to mean 0 and deviation 1 over what has these moments; NaN where there is no vector."""
    out: Scores = scores - np.float32(over.mean)
    out /= np.float32(over.deviation or 1)
    out[~present] = np.nan
    return out


def over_spaces(per_space: Sequence[Scores]) -> Scores:
    """(N,) a record's score over the spaces in which it has a vector; NaN where it has none.

    Between their mean and the best of them. The logarithms of small chances add up to evidence (Fisher 1932,
    Statistical Methods for Research Workers, 21.1), and that of a standard score z is about -z²/2: so it is
    squares that are averaged. Of z + √(z² + 1), which is 2z for a high score and next to nothing for a low
    one: a picture that says nothing of the query does not hide a caption that says all.
    """
    if len(per_space) == 1:
        return per_space[0]
    total, counts = np.zeros(per_space[0].shape, np.float32), np.zeros(per_space[0].shape, np.float32)
    for scores in per_space:
        evidence = np.square(scores + np.sqrt(np.square(scores) + 1))
        known = ~np.isnan(evidence)
        total += np.where(known, evidence, np.float32(0))
        counts += known
    with np.errstate(invalid="ignore"):  # none of none
        mean = np.sqrt(total / counts)
    return np.asarray((mean - 1 / mean) / 2, np.float32)


def combine(parts: Sequence[Scores], weights: Sequence[float]) -> Scores:
    """(N,) the weighted sum of standardised part scores; NaN stays NaN.

    A negative part only counts where it is above average: being unlike "apple" makes nothing a red fruit.
    After Rocchio (1971), relevance feedback, in scores instead of vectors. Scaled so that one part alone
    with weight 1 keeps its score.
    """
    if len(parts) == 1 and weights[0] > 0:
        return parts[0]
    total = sum(
        weight * (part if weight > 0 else np.maximum(part, 0))
        for part, weight in zip(parts, weights, strict=True)
    )
    scale = np.sqrt(sum(weight * weight for weight in weights))
    return np.asarray(total / scale, np.float32)
