"""UMAP's layout: its objective, by gradient descent in which every vertex moves only itself.

The cross entropy and its sampled gradient are umap-learn's (`optimize_layout_euclidean`): an edge pulls in
proportion to its weight, five random others push for each pull, the rate falls to 0. What differs:

* A vertex reads the positions of the last epoch and writes its own new one, so the result does not depend on
  how many threads share the work. As each edge is in the rows of both its ends and umap-learn moves both at
  each, pulls count twice.
* An edge of weight w fires in epoch t when floor(w·(t+1)) > floor(w·t): no schedule is stored per edge.
* Random numbers are a hash of (seed, vertex, epoch).
* The five pushes of one pull start from the same place, so that the processor need not wait for one before
  the next.
* The two powers of the distance come from tables over the leading bits of its square.

All pulls at once overshoot. While the rate is high a vertex adds its pulls up and the sum is damped; later it
takes them one after the other, each by at most half the way. Undamped, clusters tear.
"""

from collections.abc import Callable

import numba
import numpy as np
import numpy.typing as npt

from atlas.maps.graph import Graph, curve
from atlas.maps.hashing import spread
from atlas.maps.work import Work

Floats = npt.NDArray[np.float32]

EPOCHS = 200  # umap-learn gives maps under 10,000 points 500: no better, and islands drift further apart
NEGATIVES = 5
DAMPED_ABOVE = 0.15  # rate at which summed pulls give way to one after the other
MOST_GAIN = 1.0
MOST_STEP = 0.5
_CLIP = 4.0  # longest step of one force, before the rate: umap-learn's

# A table has one entry per 7 bits of mantissa for squared distances in [2^-24, 2^16): an error under 0.4 %.
_SHIFT = 16
_FIRST = int(np.float32(2.0**-24).view(np.int32)) >> _SHIFT
_LAST = int(np.float32(2.0**16).view(np.int32)) >> _SHIFT


def lay_out(
    graph: Graph,
    start: Floats,
    work: Work,
    *,
    seed: int,
    epochs: int,
    watch: Callable[[int, Floats], None] | None = None,
) -> Floats:
    """Coordinates (N, 2) from a start (N, 2). `watch(epoch, coordinates)` sees each epoch: copy what you
    keep."""
    n = len(start)
    pull, push = _tables()
    kept = _prune(graph, epochs)
    here = start.astype(np.float32, copy=True)
    there = np.empty_like(here)
    for epoch in range(epochs):
        alpha = np.float32(1 - epoch / epochs)
        work.over(
            n, 50_000, _move,
            here, there, kept.starts, kept.targets, kept.weights, pull, push, epoch, np.uint64(seed), alpha,
        )  # fmt: skip
        here, there = there, here
        if watch is not None:
            watch(epoch + 1, here)
        work.say("layout", epoch + 1, epochs)
    return here


def _prune(graph: Graph, epochs: int) -> Graph:
    """Weights scaled to at most 1; edges too weak to fire even once are dropped."""
    weights = graph.weights / max(float(graph.weights.max(initial=0)), 1e-30)
    keep = weights >= 1 / epochs
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    return Graph(kept_before[graph.starts], graph.targets[keep], weights[keep].astype(np.float32))


def _tables() -> tuple[Floats, Floats]:
    """Coefficients of the pull and of the push by the leading bits of the squared distance."""
    bits = (np.arange(_FIRST, _LAST, dtype=np.int64) << _SHIFT) + (1 << (_SHIFT - 1))  # middles of the bins
    square = bits.astype(np.int32).view(np.float32).astype(np.float64)
    a, b = curve()
    likeness = 1 + a * square**b
    pull = 2 * a * b * square ** (b - 1) / likeness
    push = 2 * b / ((0.001 + square) * likeness)
    return pull.astype(np.float32), push.astype(np.float32)


@numba.njit(cache=True, nogil=True, inline="always")
def _clip(x):  # type: ignore[no-untyped-def]
    return min(max(x, np.float32(-_CLIP)), np.float32(_CLIP))


@numba.njit(cache=True, nogil=True, inline="always")
def _bin(square):  # type: ignore[no-untyped-def]
    return min(max((np.float32(square).view(np.int32) >> _SHIFT) - _FIRST, 0), _LAST - _FIRST - 1)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _move(here, there, starts, targets, weights, pull, push, epoch, seed, alpha, first, last):  # type: ignore[no-untyped-def]
    n = len(here)
    now, then = np.float32(epoch), np.float32(epoch + 1)
    together = alpha > DAMPED_ABOVE
    twice = np.float32(2) * alpha
    for vertex in range(first, last):
        x, y = here[vertex, 0], here[vertex, 1]
        sum_x, sum_y, gains = np.float32(0), np.float32(0), np.float32(0)
        pulls = 0
        for edge in range(starts[vertex], starts[vertex + 1]):
            if np.int32(weights[edge] * then) == np.int32(weights[edge] * now):
                continue
            pulls += 1
            dx = here[targets[edge], 0] - x
            dy = here[targets[edge], 1] - y
            square = dx * dx + dy * dy
            if square <= 0:
                continue
            gain = pull[_bin(square)] * twice
            if together:
                gains += gain
                sum_x += gain * dx
                sum_y += gain * dy
            else:
                gain = min(gain, np.float32(MOST_STEP))
                x += gain * dx
                y += gain * dy
        if gains > 0:
            damp = min(np.float32(1), np.float32(MOST_GAIN) / gains)
            x += damp * sum_x
            y += damp * sum_y
        state = spread(spread(seed * np.uint64(0x100000001) + np.uint64(epoch)) + np.uint64(vertex))
        for _ in range(pulls):
            push_x, push_y = np.float32(0), np.float32(0)
            for _ in range(NEGATIVES):
                state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
                other = np.int64(((state >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))
                dx = x - here[other, 0]
                dy = y - here[other, 1]
                force = push[_bin(dx * dx + dy * dy)] if other != vertex else np.float32(0)
                push_x += _clip(force * dx)
                push_y += _clip(force * dy)
            x += push_x * alpha
            y += push_y * alpha
        there[vertex, 0] = x
        there[vertex, 1] = y
