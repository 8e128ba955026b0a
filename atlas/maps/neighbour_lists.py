"""For each point the k nearest found so far: lists that keep the same, whatever the order of the offers."""

from dataclasses import dataclass
from typing import Self

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

_UNUSED = np.float32(np.inf)


@dataclass(frozen=True)
class Neighbours:
    """indices (N, k) int32 and cosine distances (N, k) float32 in 0…2; column 0 is the point itself."""

    indices: Ints
    distances: Floats

    @classmethod
    def none(cls, n: int, k: int) -> Self:
        """Room for k of each of n: index -1, farther than everything."""
        return cls(np.full((n, k), -1, np.int32), np.full((n, k), _UNUSED, np.float32))


@numba.njit(cache=True, nogil=True)
def insert(indices, distances, other, distance):  # type: ignore[no-untyped-def]
    """Keep a row's k smallest (distance, index) pairs sorted. Returns the new entry's place, or -1."""
    last = len(indices) - 1
    worst = distances[last]
    if distance > worst or (distance == worst and other >= indices[last]):
        return -1
    place = last
    while place > 0 and (
        distance < distances[place - 1] or (distance == distances[place - 1] and other < indices[place - 1])
    ):
        place -= 1
    if place > 0 and indices[place - 1] == other and distances[place - 1] == distance:
        return -1
    for at in range(last, place, -1):
        indices[at] = indices[at - 1]
        distances[at] = distances[at - 1]
    indices[place] = other
    distances[place] = distance
    return place
