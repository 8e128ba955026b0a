"""How far to trust a point's place on a map: are those around it there like it?"""

import numba
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from atlas.maps.neighbour_lists import Floats, Neighbours
from atlas.maps.neighbours import K
from atlas.maps.work import Work

_CHUNK = 2048


def trust(unit: Floats, coordinates: Floats, neighbours: Neighbours, work: Work) -> Floats:
    """Trust (N,) in each point of a map (N, 2), whose unit vectors (N, d) have these neighbours."""
    n, k = neighbours.indices.shape
    if n <= k:
        return np.ones(n, np.float32)  # everything surrounds everything
    near = cKDTree(coordinates).query(coordinates, k)[1]
    return _believed(unit, unit, near, 1 - neighbours.distances[:, 1:].mean(axis=1), work, itself=1)


def trust_placed(
    unit: Floats,
    among: Floats,
    coordinates: Floats,
    old_coordinates: Floats,
    near: Neighbours,
    work: Work,
) -> Floats:
    """Trust (M,) in points that were placed among the N of a map, by their neighbours `near` there."""
    if len(among) < K:
        return np.ones(len(unit), np.float32)  # everything surrounds everything
    others = K - 1  # as many as around a point of the map, which is the first of its own k
    shown = cKDTree(old_coordinates).query(coordinates, others)[1]
    return _believed(unit, among, shown, 1 - near.distances[:, :others].mean(axis=1), work)


def _believed(
    unit: Floats, among: Floats, near: npt.NDArray[np.intp], true: Floats, work: Work, itself: int = 0
) -> Floats:
    """Can you believe a point's surroundings on the map? (M,) from 1: those around it are as like it as its
    true nearest neighbours, to 0: no more like it than anything else.

    `unit` (M, d), `among` (N, d) the points around them, `near` (M, k) those around each on the map, `true`
    (M,) the mean cosine to its true nearest; `itself`: how many of the k are the point itself.
    """
    n, k = near.shape
    mean = among.mean(axis=0)
    score = np.empty(n, np.float32)

    def measure(start: int) -> Floats:
        rows = slice(start, min(start + _CHUNK, n))
        base = unit[rows] @ mean
        shown = _likeness(unit[rows], among, near[rows]) - itself
        possible = np.maximum(true[rows] - base, 1e-6)
        part: Floats = np.clip((shown / (k - itself) - base) / possible, 0, 1)
        return part

    def keep(start: int, part: Floats) -> None:
        score[start : start + len(part)] = part
        work.say("trust", start + len(part), n)

    work.each(range(0, n, _CHUNK), measure, keep)
    return score


@numba.njit(cache=True, nogil=True, fastmath=True)
def _likeness(unit, among, near):  # type: ignore[no-untyped-def]
    """The sum (M,) of each row's cosines to those near it. (Gathering the rows takes twice as long.)"""
    m, d = unit.shape
    summed = np.empty(m, np.float32)
    for row in range(m):
        total = np.float32(0)
        for other in near[row]:
            for at in range(d):
                total += unit[row, at] * among[other, at]
        summed[row] = total
    return summed
