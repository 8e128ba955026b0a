"""Vectors of one modality as seen from their middle: there its island no longer shows (Liang et al., "Mind
the gap", 2022)."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Vectors = npt.NDArray[np.floating]

#: What the rounding of float16 leaves of nothing.
_NO_LENGTH = 1e-3


def middle_of(parts: Iterable[Vectors], size: int) -> Floats:
    """(d,) of vectors (n, d) that come in parts; zero of none. Summed in double precision: a million equal
    rows in float32 come out per cents off."""
    total, count = np.zeros(size), 0
    for part in parts:
        total += part.sum(axis=0, dtype=np.float64)
        count += len(part)
    middle: Floats = (total / max(count, 1)).astype(np.float32)
    return middle


def centred(vectors: Vectors, middle: Floats) -> Floats:
    """(n, d) from `middle`, each of length one; zero for the middle itself. `vectors` have length one."""
    found = vectors.astype(np.float32) - middle
    length = np.linalg.norm(found, axis=1, keepdims=True)
    unit: Floats = np.where(length > _NO_LENGTH, found / np.maximum(length, _NO_LENGTH), 0)
    return unit
