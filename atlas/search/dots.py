"""Dot products of many float16 rows with a few float32 vectors, at the speed at which memory is read.

Neither numpy nor torch multiplies float16 by float32: both first write a float32 copy, which costs several
times what the products do, or keep one, which is twice as long to read. The processor widens numbers with one
instruction on their way into the sum, if it is asked to; numba has no float16, so it is asked through LLVM.

`python -m atlas.search.benchmark` measures it, as `cpu ms` of one thread. At 100,000 x 768 on a slow
processor: 11 for one vector, 3.7 for each of eight that go together; numpy takes 23 on a kept float32 copy,
295 when it makes one.
"""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

#: Numbers of the rows that every vector goes over before the next rows come: 192 KB, which leaves room in
#: any processor's second cache for those that are fetched meanwhile.
BLOCK = 96 << 10
#: Numbers that come from memory together.
LINE = 32
_PREFETCH = "llvm.prefetch.p0"
#: For reading, and not to be kept: the rows would push everything else out of all caches, for nothing.
_HOW = (0, 0, 1)


@intrinsic
def _widen(_: Any, bits: Any) -> Any:  # noqa: ARG001 - numba wants the name
    """The float32 with the value of these 16 bits."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        half = builder.bitcast(arguments[0], ir.HalfType())
        return builder.fpext(half, ir.FloatType())

    return types.float32(types.uint16), generate


@intrinsic
def _fetch(_: Any, array: Any, index: Any) -> Any:
    """Ask the memory for a number of a flat array that is read soon."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view: Any = make_array
        data = view(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        call = builder.module.globals.get(_PREFETCH) or ir.Function(builder.module, kind, _PREFETCH)
        builder.call(call, [place, *map(number, _HOW)])
        return context.get_dummy_value()

    return types.void(array, index), generate


# Their types are those of the definitions above, which is not how they are called.
widen: Any = _widen
fetch: Any = _fetch


@numba.njit(cache=True, nogil=True, fastmath=True)
def dots(rows: Any, vectors: Any, out: Any) -> None:
    """Fill `out` (P, N) float32 with the dot products of vectors and rows.

    Args:
        rows: (N, d) float16, seen as uint16; contiguous.
        vectors: (P, d) float32.
    """
    if len(vectors) == 1:
        _one(rows, vectors[0], out[0])
        return
    _several(rows, vectors, out)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _one(rows: Any, vector: Any, out: Any) -> None:
    for row in range(len(rows)):
        total = np.float32(0)
        for place in range(len(vector)):
            total += widen(rows[row, place]) * vector[place]
        out[row] = total


@numba.njit(cache=True, nogil=True, fastmath=True)
def _several(rows: Any, vectors: Any, out: Any) -> None:
    """Two rows and four vectors at a time: each number that was read serves several sums, and the eight sums
    fit into registers. All vectors go over a block of rows, four after four, while it is near; meanwhile the
    next block is fetched, a bit at each step, which the processor would not foresee."""
    count, width = rows.shape
    numbers, last = rows.reshape(-1), len(vectors) - 1
    block = max(2, BLOCK // width // 2 * 2)
    groups = (len(vectors) + 3) // 4
    lines = (2 * width + groups * LINE - 1) // (groups * LINE)
    for start in range(0, count, block):
        stop = min(start + block, count)
        ahead = stop * width
        for first in range(0, len(vectors), 4):
            # Of the last four some may be the same, and are written twice.
            p, q, r, s = first, min(first + 1, last), min(first + 2, last), min(first + 3, last)
            a, b, c, d = vectors[p], vectors[q], vectors[r], vectors[s]
            for row in range(start, stop, 2):
                other = min(row + 1, count - 1)
                for _ in range(lines):
                    fetch(numbers, min(ahead, len(numbers) - 1))
                    ahead += LINE
                x, y = rows[row], rows[other]
                ax = bx = cx = dx = ay = by = cy = dy = np.float32(0)
                for place in range(width):
                    one, two = widen(x[place]), widen(y[place])
                    ax += one * a[place]
                    bx += one * b[place]
                    cx += one * c[place]
                    dx += one * d[place]
                    ay += two * a[place]
                    by += two * b[place]
                    cy += two * c[place]
                    dy += two * d[place]
                out[p, row], out[q, row], out[r, row], out[s, row] = ax, bx, cx, dx
                out[p, other], out[q, other], out[r, other], out[s, other] = ay, by, cy, dy
