"""What the records most like each one tell of it: whether it is an outlier, and whether its label fits.

They come from the build's own lists of neighbours, so they need no tower: vectors may have been uploaded.

    outlier    the mean cosine distance to them (Angiulli and Pizzuti, "Fast outlier detection in high
               dimensional spaces", 2002). Far or near depends on the model: it orders the records of one map.
    strangers  of those the share whose label is another (Wilson, "Asymptotic properties of nearest neighbor
               rules using edited data", 1972; on learned vectors: Bahri, Jiang, Gupta, "Deep k-NN for noisy
               labels", 2020). A record of a class of three can have two of its like around it at most: so as
               many of the nearest count as its class has others.
"""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from atlas.maps.codes import Codes, Column

Floats = npt.NDArray[np.float32]
#: (n, k) of n points: which of them are the most like each, nearest first; -1: none.
Places = npt.NDArray[np.int32]
Rows = npt.NDArray[np.uint32]

#: A column of which the vectors know less than this is no label: most records are among strangers by it, and
#: nothing is wrong with them. 1: every record is among its like; 0: no more so than by chance.
LEAST_KNOWN = 0.25


def places_of(nearest: Rows, rows: Rows) -> Places:
    """The rows `nearest` (n, k) as places in `rows`, ascending; -1 for one that is not among them."""
    at = np.searchsorted(rows, nearest).clip(max=max(0, len(rows) - 1)).astype(np.int32)
    return np.where(rows[at] == nearest, at, np.int32(-1)) if len(rows) else at


def outlierness(distances: Floats, places: Places) -> Floats:
    """(n,) of points at these distances (n, k) from those at `places`; NaN where nobody is known."""
    return _mean(distances, places >= 0)


def label_of(
    columns: Iterable[Column], places: Places, check: Callable[[], None]
) -> tuple[str, Floats] | None:
    """The name of the category that the vectors know best, the first of equal ones, and `strangers` by it;
    None where they know none. `check` is called for each, and may raise to stop it."""
    judged = []
    for column in columns:
        check()
        if column.kind == "category":
            missing = int(np.iinfo(column.codes.dtype).max)
            by_it = strangers(column.codes, missing, places)
            judged.append((_known(column.codes[column.codes != missing], by_it), column.name, by_it))
    known, name, by_it = max(judged, key=lambda each: each[0], default=(0.0, "", np.empty(0, np.float32)))
    return (name, by_it) if known >= LEAST_KNOWN else None


def strangers(codes: Codes, missing: int, places: Places) -> Floats:
    """(n,) of points with these labels; NaN of one without a label, or with one that nobody else has."""
    others = np.where(places < 0, missing, codes[places])
    labelled = others != missing
    like_it = np.bincount(codes, minlength=missing + 1)[codes] - 1
    counted = labelled & (labelled.cumsum(axis=1, dtype=np.int32) <= like_it[:, None])
    counted[codes == missing] = False
    return _mean(others != codes[:, None], counted)


def _known(codes: Codes, by_it: Floats) -> float:
    """How far below chance the strangers are, as a share: Cohen's kappa of a record's label and those
    around it."""
    shares = by_it[~np.isnan(by_it)]
    if not len(shares):
        return 0.0
    by_chance = 1 - np.square(np.bincount(codes) / len(codes)).sum()
    return float(1 - shares.mean() / by_chance) if by_chance > 0 else 0.0


def _mean(values: npt.NDArray[np.generic], counted: npt.NDArray[np.bool_]) -> Floats:
    """(n,) the mean of each line where it counts, NaN where none does."""
    count = counted.sum(axis=1)
    total = np.where(counted, values, 0).sum(axis=1, dtype=np.float64)
    found: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return found
