"""Random numbers from counters, inside compiled code: the same on any number of threads."""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, inline="always")
def spread(x):  # type: ignore[no-untyped-def]
    """Spread a 64-bit counter (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = (x + np.uint64(0x9E3779B97F4A7C15)) & np.uint64(0xFFFFFFFFFFFFFFFF)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
