"""Where the layout begins: the whole set at a glance, in a box of 10 × 10.

The layout only looks at neighbours, so the order at large is that of its start. Two principal components lose
what lies in the others; from them, points move until their distances are like those of the sketch: stochastic
multidimensional scaling (Zheng, Pawar, Goodman, "Graph drawing by stochastic gradient descent", 2018), in
which every point looks at a few random others. `python -m atlas.maps.benchmark` counts the random triplets
whose order a map keeps.
"""

import numba
import numpy as np
import numpy.typing as npt

from atlas.maps.hashing import spread
from atlas.maps.work import Work

Floats = npt.NDArray[np.float32]

SIDE = 10.0
_EPOCHS = 30
_OTHERS = 10
_PAIRS = 20_000  # that tell how long the plane's unit is


def begin(sketch: Floats, work: Work, seed: int) -> Floats:
    """Coordinates (N, 2) from the first principal components (N, m), with a speck of noise that tells twins
    apart."""
    n = len(sketch)
    here = np.zeros((n, 2), np.float32)
    axes = min(2, sketch.shape[1])
    here[:, :axes] = sketch[:, :axes]
    random = np.random.default_rng(seed)
    if n > 1:
        here = _unfolded(here, sketch, work, seed, random)
    span = np.ptp(here, axis=0) if n else np.ones(2)
    here = (here - here.min(axis=0, initial=0)) / np.where(span > 1e-6, span, 1) * SIDE
    placed: Floats = (here + random.normal(scale=1e-4, size=(n, 2))).astype(np.float32)
    return placed


def _unfolded(here: Floats, sketch: Floats, work: Work, seed: int, random: np.random.Generator) -> Floats:
    one, other = random.integers(0, len(here), (2, _PAIRS))
    apart = np.linalg.norm(sketch[one] - sketch[other], axis=1).mean()
    scale = np.linalg.norm(here[one] - here[other], axis=1).mean() / max(float(apart), 1e-30)
    there = np.empty_like(here)
    for epoch in range(_EPOCHS):
        rate = np.float32(1 - epoch / _EPOCHS)
        salt = np.uint64(seed * _EPOCHS + epoch)
        work.over(len(here), 50_000, _relax, here, there, sketch, np.float32(scale), salt, rate)
        here, there = there, here
        work.again()
    return here


@numba.njit(cache=True, nogil=True, fastmath=True)
def _relax(here, there, sketch, scale, salt, rate, start, stop):  # type: ignore[no-untyped-def]
    """Move each point by the mean of what a few random others ask: to be as far as they are on the sketch."""
    n, m = sketch.shape
    for i in range(start, stop):
        state = spread(spread(salt) + np.uint64(i))
        x, y = np.float32(0), np.float32(0)
        for _ in range(_OTHERS):
            state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
            j = np.int64(((state >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))
            square = np.float32(0)
            for axis in range(m):
                difference = sketch[i, axis] - sketch[j, axis]
                square += difference * difference
            dx, dy = here[i, 0] - here[j, 0], here[i, 1] - here[j, 1]
            shown = np.sqrt(dx * dx + dy * dy)
            if shown > 0:
                stretch = np.sqrt(square) * scale / shown - np.float32(1)
                x += stretch * dx
                y += stretch * dy
        there[i, 0] = here[i, 0] + rate * x / np.float32(_OTHERS)
        there[i, 1] = here[i, 1] + rate * y / np.float32(_OTHERS)
