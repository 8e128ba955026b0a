"""Pictures that were saved again, captions of the same words, the same vectors: groups of them.

Neighbours in the graph whose cosine is high are looked at: their thumbnails, shrunk to a few cells, must be
the same but for a trace. The vectors alone do not tell: by `mini` two emoji that differ in the colour of a
hand are as near as a photo and its half size. The trace is what saving at a lower quality or at half the size
leaves; different drawings of one kind differ by more in some cell. Pages of running text do not: all their
cells are of one grey. So what is finer than a cell must be the same, too, but for its lines across and down
and the edges of margins, which all pages of a book share.

Groups are the connected components of such pairs. Byte for byte the same originals are of one group at once.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from atlas.maps.sheets import decoded
from atlas.maps.work import Report

Rows = npt.NDArray[np.integer]
#: (P, 2) row numbers, the lower one first.
Pairs = npt.NDArray[np.uint32]

#: Cosine distance up to which two pictures are looked at.
NEAR = 0.05
#: Cells along each side of the shrunk thumbnail, and how much one of them may differ, of 255.
CELLS = 8
TRACE = 15
#: Places along each side of a cell, at which its details lie.
PLACES = 8
#: How much of the details of a cell may differ, as a share of what is there. Of other words it is more than
#: 1.1 in some cell, of the same picture in half the size up to 0.8, in a quarter up to 0.93. FAINT, of 255,
#: is what saving again leaves in a cell that has none.
SHARE = 0.95
FAINT = 1
#: Pairs that are compared at a time: each takes 800 bytes, and 64 kB where details are looked at.
BLOCK = 65_536
DETAIL_BLOCK = 1024

NO_PAIRS: Pairs = np.empty((0, 2), np.uint32)


def near_pairs(rows: Rows, among: Rows, indices: Rows, distances: npt.NDArray[np.float32]) -> Pairs:
    """Pairs of different rows that are near.

    `indices` (n, k) are places in `among` of the nearest to each of `rows` (n,), at cosine `distances`.
    """
    place, column = np.nonzero(distances <= NEAR)
    ends = np.stack([rows[place], among[indices[place, column]]], axis=1).astype(np.uint32)
    return distinct(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1))


def distinct(pairs: Pairs) -> Pairs:
    """Each once, in ascending order.

    What `np.unique(pairs, axis=0)` gives; but that keeps the interpreter to itself, for some 16 seconds where
    a million records are all alike, and a step that is silent for so long counts as dead.
    """
    keys = pairs[:, 0].astype(np.uint64) << np.uint64(32) | pairs[:, 1]
    keys.sort()
    keys = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
    return np.stack([keys >> np.uint64(32), keys & np.uint64(0xFFFFFFFF)], axis=1).astype(np.uint32)


def same_pictures(pairs: Pairs, load: Callable[[int], bytes | None], report: Report) -> Pairs:
    """Those that show the same picture. `load(row)`: its thumbnail, None if that is gone; one that
    is damaged is like none."""
    rows, ends = np.unique(pairs, return_inverse=True)
    ends = ends.reshape(pairs.shape)
    cells = np.zeros((len(rows), CELLS, CELLS, 3), np.int16)
    there = np.zeros(len(rows), bool)
    for at, row in enumerate(rows.tolist()):
        report(at, len(rows))
        thumbnail = decoded(load(row))
        if thumbnail is not None:
            cells[at], there[at] = _cells(thumbnail), True
    differ = np.zeros(len(pairs), np.int16)
    for start in range(0, len(pairs), BLOCK):
        report(len(rows), len(rows))
        one, other = ends[start : start + BLOCK].T
        differ[start : start + BLOCK] = np.abs(cells[one] - cells[other]).max(axis=(1, 2, 3))
    alike: Pairs = pairs[(differ <= TRACE) & there[ends].all(axis=1)]
    return _same_in_detail(alike, load, report)


def _same_in_detail(pairs: Pairs, load: Callable[[int], bytes | None], report: Report) -> Pairs:
    """Reads thumbnails a second time, to hold 4 kB of those alone that are like another one."""
    rows, ends = np.unique(pairs, return_inverse=True)
    ends = ends.reshape(pairs.shape)
    details = np.zeros((len(rows), CELLS**2, PLACES**2), np.int8)
    for at, row in enumerate(rows.tolist()):
        report(len(rows), len(rows))
        thumbnail = decoded(load(row))
        if thumbnail is not None:
            details[at] = _details(thumbnail)
    share = np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), DETAIL_BLOCK):
        report(len(rows), len(rows))
        one, other = (details[end].astype(np.float32) for end in ends[start : start + DETAIL_BLOCK].T)
        there = FAINT + np.maximum(_size(one), _size(other))
        share[start : start + DETAIL_BLOCK] = (_size(one - other) / there).max(axis=1)
    same: Pairs = pairs[share <= SHARE]
    return same


def _cells(thumbnail: Image.Image) -> npt.NDArray[np.int16]:
    return np.asarray(thumbnail.convert("RGB").resize((CELLS, CELLS), Image.Resampling.BOX), np.int16)


def _details(thumbnail: Image.Image) -> npt.NDArray[np.int8]:
    """What each cell (cells, places) shows besides its brightness and lines across and down."""
    side = CELLS * PLACES
    grey = np.asarray(thumbnail.convert("L").resize((side, side), Image.Resampling.BOX), np.float32)
    cells = grey.reshape(CELLS, PLACES, CELLS, PLACES).swapaxes(1, 2)
    across, down = cells.mean(3, keepdims=True), cells.mean(2, keepdims=True)
    left = cells - across - down + cells.mean((2, 3), keepdims=True)
    places: npt.NDArray[np.int8] = np.clip(np.rint(left), -128, 127).astype(np.int8)
    return places.reshape(CELLS**2, PLACES**2)


def _size(details: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    size: npt.NDArray[np.float32] = np.sqrt(np.square(details).mean(axis=-1))
    return size


def groups(
    rows: Rows, pairs: Pairs, same: Sequence[str], size: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each of `rows` (n,), ascending: the row of its group's original, and how many are in the group.

    `same` (n,): what makes two records one at once; `size` (n,): the greatest of a group is its original, the
    first of these. `pairs` of other rows are passed over.
    """
    from scipy.sparse import coo_matrix  # slow to load, and needed by builds only
    from scipy.sparse.csgraph import connected_components

    n = len(rows)
    known = np.isin(pairs, rows).all(axis=1)
    first, second = np.searchsorted(rows, pairs[known]).reshape(-1, 2).T
    earliest: dict[str, int] = {}
    first = np.append(first, np.arange(n))
    second = np.append(second, [earliest.setdefault(each, at) for at, each in enumerate(same)])
    graph = coo_matrix((np.ones(len(first), bool), (first, second)), shape=(n, n))
    count, label = connected_components(graph, directed=False)
    best_last = np.lexsort((-np.arange(n), size, label))
    original = np.zeros(count, np.int64)
    original[label[best_last]] = rows[best_last]  # the last one written stays
    return original[label], np.bincount(label, minlength=count)[label]
