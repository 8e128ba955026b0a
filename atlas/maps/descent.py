"""Nearest neighbours by NN-descent: the neighbours of a neighbour are likely to be neighbours.

Dong, Moses, Li, "Efficient k-nearest neighbor graph construction for generic similarity measures", 2011. Its
start comes from random-projection trees over a sketch of the vectors (their first principal components).
"""

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from atlas.maps.hashing import spread
from atlas.maps.neighbour_lists import Floats, Ints, Neighbours, insert
from atlas.maps.work import Work

TREES = 8
LEAF = 48
CANDIDATES = 30
ITERATIONS = 8
CONVERGED = 0.005  # stop when fewer than this share of all entries changed: one more finds 1 in 10,000 more

_CHOSEN = 100_000  # vertices whose candidates are chosen at a time: each time reads the whole graph
_BLOCK = 2048  # vertices joined before their offers are applied: thresholds tighten between blocks


def descend(unit: Floats, sketch: Floats, k: int, work: Work, seed: int) -> Neighbours:
    """The k nearest others of each row, nearly all of them (recall about .99 on embeddings). Wants N >
    LEAF."""
    n = len(unit)
    found = Neighbours.none(n, k)
    fresh = np.zeros((n, k), np.bool_)
    _plant(unit, sketch, found, fresh, work, seed)
    scratch = _Scratch.of(n)
    for iteration in range(ITERATIONS):
        changed = _iterate(unit, found, fresh, scratch, work, seed, iteration)
        if changed < CONVERGED * n * k:
            break
    work.say("neighbours", 1, 1)
    return found


def _plant(
    unit: Floats, sketch: Floats, found: Neighbours, fresh: npt.NDArray[np.bool_], work: Work, seed: int
) -> None:
    """Compare all pairs in every leaf of TREES trees. One leaf holds a point once, so leaves share no
    rows."""
    for tree in range(TREES):
        order, bounds = _grow(sketch, LEAF, seed * TREES + tree)
        work.again()
        work.over(
            len(bounds) - 1, 512, _join_leaves, unit, order, bounds, found.indices, found.distances, fresh
        )
        work.say("neighbours", tree + 1, TREES * 3)


@dataclass(frozen=True)
class _Scratch:
    new: Ints  # (N, CANDIDATES): neighbours of a vertex, both ways, found since they were last joined
    old: Ints
    new_keys: npt.NDArray[np.uint32]
    old_keys: npt.NDArray[np.uint32]
    counts: Ints  # (BLOCK,): offers made by a vertex of the block
    ends: Ints  # (BLOCK, OFFERS, 2)
    lengths: Floats  # (BLOCK, OFFERS)

    @classmethod
    def of(cls, n: int) -> "_Scratch":
        offers = CANDIDATES * (CANDIDATES - 1) // 2 + CANDIDATES * CANDIDATES
        wide = (n, CANDIDATES)
        return cls(
            np.empty(wide, np.int32),
            np.empty(wide, np.int32),
            np.empty(wide, np.uint32),
            np.empty(wide, np.uint32),
            np.empty(_BLOCK, np.int32),
            np.empty((_BLOCK, offers, 2), np.int32),
            np.empty((_BLOCK, offers), np.float32),
        )


def _iterate(
    unit: Floats,
    found: Neighbours,
    fresh: npt.NDArray[np.bool_],
    scratch: _Scratch,
    work: Work,
    seed: int,
    iteration: int,
) -> int:
    """Join the neighbours of every vertex with each other. Returns how many entries changed."""
    n = len(unit)
    s = scratch
    salt = np.uint64(seed * ITERATIONS + iteration + 1)
    work.over(n, _CHOSEN, _choose, found.indices, fresh, salt, s.new, s.new_keys, s.old, s.old_keys)
    work.over(n, n, _mark_joined, found.indices, fresh, s.new)
    changed = np.zeros(n, np.int32)
    for first in range(0, n, _BLOCK):
        size = min(_BLOCK, n - first)
        offers = (s.counts, s.ends, s.lengths)
        work.over(size, 256, _join, unit, found.distances, s.new, s.old, first, *offers)
        work.over(n, n, _apply, size, *offers, found.indices, found.distances, fresh, changed)
        work.say("neighbours", n + iteration * n + first, (ITERATIONS + 1) * n)
    return int(changed.sum())


@numba.njit(cache=True, nogil=True, fastmath=True)
def _cosine(a, b):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    for at in range(len(a)):
        total += a[at] * b[at]
    return np.float32(1) - total


@numba.njit(cache=True, nogil=True)
def _grow(sketch, leaf, seed):  # type: ignore[no-untyped-def]
    """Split by random planes until parts hold at most `leaf`. Returns the points by leaf (N,) and the leaves'
    bounds."""
    n, m = sketch.shape
    order = np.arange(n).astype(np.int32)
    spare = np.empty(n, np.int32)
    cuts = np.zeros(n + 1, np.int32)
    leaves = 0
    todo = [(0, n)]
    state = np.uint64(seed)
    while todo:
        start, stop = todo.pop()  # right parts wait, left parts come next: leaves appear in order
        size = stop - start
        if size <= leaf:
            leaves += 1
            cuts[leaves] = stop
            continue
        state = spread(state)
        a = order[start + np.int64(state % np.uint64(size))]
        state = spread(state)
        b = order[start + np.int64(state % np.uint64(size))]
        left, right = start, stop
        for at in range(start, stop):
            point = order[at]
            side = np.float32(0)
            for c in range(m):
                side += (sketch[a, c] - sketch[b, c]) * (
                    sketch[point, c] - np.float32(0.5) * (sketch[a, c] + sketch[b, c])
                )
            if side == 0:  # twins: any side, as long as both get some
                side = np.float32(1) if spread(state + np.uint64(point)) & np.uint64(1) else np.float32(-1)
            if side > 0:
                spare[left] = point
                left += 1
            else:
                right -= 1
                spare[right] = point
        if left in (start, stop):
            left = start + size // 2
        order[start:stop] = spare[start:stop]
        todo.append((left, stop))
        todo.append((start, left))
    return order, cuts[: leaves + 1].copy()


@numba.njit(cache=True, nogil=True)
def _join_leaves(unit, order, bounds, indices, distances, fresh, first, last):  # type: ignore[no-untyped-def]
    for leaf in range(first, last):
        for i in range(bounds[leaf], bounds[leaf + 1]):
            for j in range(i + 1, bounds[leaf + 1]):
                a, b = order[i], order[j]
                distance = _cosine(unit[a], unit[b])
                insert(indices[a], distances[a], b, distance)
                insert(indices[b], distances[b], a, distance)
        for i in range(bounds[leaf], bounds[leaf + 1]):
            fresh[order[i]] = True


@numba.njit(cache=True, nogil=True)
def _sample(keys, ids, key, other):  # type: ignore[no-untyped-def]
    """Keep the entries of lowest key: a sample that does not depend on the order of the offers."""
    last = len(keys) - 1
    if key > keys[last] or (key == keys[last] and other >= ids[last] >= 0):
        return
    place = last
    while place > 0 and (
        ids[place - 1] < 0 or key < keys[place - 1] or (key == keys[place - 1] and other < ids[place - 1])
    ):
        place -= 1
    if place > 0 and ids[place - 1] == other:
        return
    for at in range(last, place, -1):
        keys[at] = keys[at - 1]
        ids[at] = ids[at - 1]
    keys[place] = key
    ids[place] = other


@numba.njit(cache=True, nogil=True)
def _choose(indices, fresh, salt, new, new_keys, old, old_keys, start, stop):  # type: ignore[no-untyped-def]
    """Sample the neighbours of vertices start…stop, in both directions of the graph, new and old apart."""
    for i in range(start, stop):
        new[i] = -1
        old[i] = -1
        new_keys[i] = np.uint32(0xFFFFFFFF)
        old_keys[i] = np.uint32(0xFFFFFFFF)
    n, k = indices.shape
    for i in range(n):
        for place in range(k):
            j = indices[i, place]
            here, there = start <= i < stop, start <= j < stop
            if j < 0 or not (here or there):
                continue
            low, high = min(i, j), max(i, j)  # the same key from both ends, so that twins meet in _sample
            key = np.uint32(spread(spread(np.uint64(low) * salt) + np.uint64(high)) >> np.uint64(32))
            if fresh[i, place]:
                if here:
                    _sample(new_keys[i], new[i], key, j)
                if there:
                    _sample(new_keys[j], new[j], key, i)
            else:
                if here:
                    _sample(old_keys[i], old[i], key, j)
                if there:
                    _sample(old_keys[j], old[j], key, i)


@numba.njit(cache=True, nogil=True)
def _mark_joined(indices, fresh, new, start, stop):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        for place in range(indices.shape[1]):
            if fresh[i, place]:
                for candidate in new[i]:
                    if candidate == indices[i, place]:
                        fresh[i, place] = False
                        break


@numba.njit(cache=True, nogil=True)
def _join(unit, distances, new, old, first, counts, ends, lengths, start, stop):  # type: ignore[no-untyped-def]
    """Measure new × new and new × old around each vertex; write down the pairs that would enter a row."""
    k = distances.shape[1]
    for slot in range(start, stop):
        vertex = first + slot
        count = 0
        for i in range(new.shape[1]):
            p = new[vertex, i]
            if p < 0:
                break
            worst = distances[p, k - 1]
            for kind in range(2):
                others = new[vertex] if kind == 0 else old[vertex]
                for j in range(i + 1 if kind == 0 else 0, len(others)):
                    q = others[j]
                    if q < 0:
                        break
                    if q == p:
                        continue
                    distance = _cosine(unit[p], unit[q])
                    if distance <= worst or distance <= distances[q, k - 1]:
                        ends[slot, count, 0] = p
                        ends[slot, count, 1] = q
                        lengths[slot, count] = distance
                        count += 1
        counts[slot] = count


@numba.njit(cache=True, nogil=True)
def _apply(size, counts, ends, lengths, indices, distances, fresh, changed, start, stop):  # type: ignore[no-untyped-def]
    """Enter the offers that belong to rows start…stop."""
    for slot in range(size):
        for at in range(counts[slot]):
            for end in range(2):
                row = ends[slot, at, end]
                if row < start or row >= stop:
                    continue
                place = insert(indices[row], distances[row], ends[slot, at, 1 - end], lengths[slot, at])
                if place >= 0:
                    for shift in range(fresh.shape[1] - 1, place, -1):
                        fresh[row, shift] = fresh[row, shift - 1]
                    fresh[row, place] = True
                    changed[row] += 1
