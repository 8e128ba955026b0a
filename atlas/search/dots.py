"""Dot products of many float16 rows with a few float32 vectors, at the speed at which memory is read.

Neither numpy nor torch multiplies float16 by float32: both first write a float32 copy, which costs several
times what the products do, or keep one, which is twice as long to read. The processor widens numbers with one
instruction on their way into the sum, if it is asked to; numba has no float16, so it is asked through LLVM.

`python -m atlas.search.benchmark` measures it, as `cpu ms` of one thread. At 100,000 x 768: 6.4 for one
vector, 1.8 for each of four that go together; numpy takes 12 on a kept float32 copy, 148 when it makes one.
"""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic


@intrinsic
def _widen(_: Any, bits: Any) -> Any:  # noqa: ARG001 - numba wants the name
    """The float32 with the value of these 16 bits."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        half = builder.bitcast(arguments[0], ir.HalfType())
        return builder.fpext(half, ir.FloatType())

    return types.float32(types.uint16), generate


widen: Any = _widen  # its type is that of the definition above, which is not how it is called


@numba.njit(cache=True, nogil=True, fastmath=True)
def dots(rows: Any, vectors: Any, out: Any) -> None:
    """Fill `out` (P, N) float32 with the dot products of vectors and rows.

    Four vectors at a time: what is read and widened once serves them all, and their sums fit into registers.

    Args:
        rows: (N, d) float16, seen as uint16.
        vectors: (P, d) float32.
    """
    fours = len(vectors) // 4 * 4
    for first in range(0, fours, 4):
        a, b, c, d = vectors[first], vectors[first + 1], vectors[first + 2], vectors[first + 3]
        for row in range(len(rows)):
            to_a = to_b = to_c = to_d = np.float32(0)
            for place in range(rows.shape[1]):
                number = widen(rows[row, place])
                to_a += number * a[place]
                to_b += number * b[place]
                to_c += number * c[place]
                to_d += number * d[place]
            out[first, row], out[first + 1, row] = to_a, to_b
            out[first + 2, row], out[first + 3, row] = to_c, to_d
    for row in range(len(rows)):
        for left in range(fours, len(vectors)):
            total = np.float32(0)
            for place in range(rows.shape[1]):
                total += widen(rows[row, place]) * vectors[left, place]
            out[left, row] = total
