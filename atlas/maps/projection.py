"""Vectors to a map: neighbours, fuzzy graph, a start that shows the whole, UMAP's layout, and how far to
trust it.

The same vectors and seed give the same bytes, on any number of threads (on one kind of processor).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from atlas.maps.centred import centred, middle_of
from atlas.maps.graph import fuzzy_graph
from atlas.maps.layout import EPOCHS, lay_out
from atlas.maps.neighbour_lists import Neighbours
from atlas.maps.neighbours import K, nearest_neighbours, nearest_of
from atlas.maps.start import begin
from atlas.maps.trust import trust, trust_placed
from atlas.maps.work import Progress, Work

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Vectors = npt.NDArray[np.floating]  # (N, d) float32 or float16, may be a memory map

_SAMPLE = 20_000
_SKETCH = 32
_CHUNK = 2048
#: How far a newcomer steps aside, as a share of how far the nearer of its neighbours are.
_STEP = 0.5


def _go_on() -> None:
    """The check of work that nobody stops."""


class BadVectorError(ValueError):
    """A vector cannot be placed; says which row and why."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(f"vector of row {row} {reason}")
        self.row = row


@dataclass(frozen=True)
class Projection:
    """A map of N vectors. k = min(15, N), the point itself included."""

    coordinates: Floats  # (N, 2)
    neighbours: Ints  # (N, k) rows, nearest first, the row itself in column 0
    distances: Floats  # (N, k) cosine distances, 0…2
    trust: Floats  # (N,) 0…1, see `trust`


@dataclass(frozen=True)
class Placement:
    """New points on an existing map."""

    coordinates: Floats  # (M, 2)
    neighbours: Ints  # (M, k) rows of the old vectors, nearest first
    distances: Floats  # (M, k) cosine distances
    trust: Floats  # (M,) 0…1, of what lies around each among the old points


def project(
    vectors: Vectors,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    threads: int | None = None,
    watch: Callable[[int, Floats], None] | None = None,
) -> Projection:
    """Lay N vectors out on a plane. Cosine distances; a zero vector is equally far from all.

    `progress(stage, done, total)` and `cancelled()` are called several times a second from this thread;
    `watch(epoch, coordinates)` once per epoch of the layout. Raises BadVectorError for a vector that is not
    finite, `Cancelled` soon after `cancelled()` turned true.
    """
    with Work(progress, cancelled, threads) as work:
        work.say("neighbours", 0, 1)
        unit = normalise(vectors, check=work.again)
        n = len(unit)
        sketch = _sketch(unit, seed, work)
        neighbours = nearest_neighbours(unit, sketch, work, seed=seed)
        coordinates = begin(sketch, work, seed)
        if n > 1:
            graph = fuzzy_graph(neighbours)
            work.say("layout", 0, 1)
            coordinates = lay_out(graph, coordinates, work, seed=seed, epochs=EPOCHS, watch=watch)
        return Projection(
            coordinates, neighbours.indices, neighbours.distances, trust(unit, coordinates, neighbours, work)
        )


def place(
    new: Vectors,
    old: Vectors,
    old_coordinates: Floats,
    *,
    old_rows: npt.NDArray[np.intp] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Placement:
    """Put new vectors (M, d) on the map of old ones (N ≥ 1): each near the median of its nearest neighbours'
    positions. `old_rows` (N,): which rows of `old` are on the map, where not all are.

    Old points do not move. (Moving the new ones on from there was measured and made neighbourhoods worse.)
    """
    if not len(old_coordinates):
        raise ValueError("a map without points has no place for new ones: project them instead")
    with Work(progress, cancelled) as work:
        work.say("neighbours", 0, 1)
        unit, among = normalise(new, check=work.again), normalise(old, old_rows, work.again)
        near = nearest_of(unit, among, K, work)
        coordinates = _among(old_coordinates[near.indices], len(among))
        believed = trust_placed(unit, among, coordinates, old_coordinates, near, work)
    return Placement(coordinates, near.indices, near.distances, believed)


def _among(positions: Floats, seed: int) -> Floats:
    """(M, 2) near the median of the positions (M, k, 2) of each one's neighbours.

    Newcomers that are alike have the same neighbours: at the median itself nothing could tell them apart. So
    each steps aside by chance, by less than the nearer of its neighbours are away.
    """
    middle = np.median(positions, axis=1)
    away = np.linalg.norm(positions - middle[:, None], axis=2)
    reach = _STEP * np.quantile(away, 0.25, axis=1, keepdims=True)
    aside = np.random.default_rng(seed).uniform(-1, 1, middle.shape)
    placed: Floats = (middle + reach * aside).astype(np.float32)
    return placed


def nearest(
    vectors: Vectors, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
) -> Neighbours:
    """The graph of `project` alone: the nearest of N vectors among themselves. Raises what `project` does."""
    with Work(progress, cancelled) as work:
        unit = normalise(vectors, check=work.again)
        return nearest_neighbours(unit, _sketch(unit, 0, work), work, seed=0)


def joint(
    image_vectors: Vectors,
    caption_vectors: Vectors,
    has_image: npt.NDArray[np.bool_] | None = None,
    has_caption: npt.NDArray[np.bool_] | None = None,
    check: Callable[[], None] = _go_on,
    *,
    rows: npt.NDArray[np.intp] | None = None,
) -> Floats:
    """One vector (N, d) per record from its picture and its caption, each of length one before and after; of
    these `rows` (N,) alone, where they are given.

    Each modality is centred first. Raw image and text vectors lie on two islands (Liang et al., "Mind the
    gap", 2022), and records with only a picture would never come near records with only a caption. Rows with
    neither become zero. `check` is called often, and may raise to stop it. Made in chunks, for what it makes
    may be larger than anything else in memory.
    """
    if image_vectors.shape != caption_vectors.shape:
        raise ValueError(
            f"images {image_vectors.shape} and captions {caption_vectors.shape} must have the same shape"
        )
    n, d = image_vectors.shape
    halves = []
    for vectors, present in ((image_vectors, has_image), (caption_vectors, has_caption)):
        there = np.ones(n, np.bool_) if present is None else present
        halves.append((vectors, there, middle_of(_units(vectors, np.flatnonzero(there), check), d)))
    wanted = np.arange(n) if rows is None else rows
    found = np.empty((len(wanted), d), np.float32)
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        total = np.zeros((len(part), d), np.float32)
        for vectors, there, middle in halves:
            at = np.flatnonzero(there[part])
            total[at] += centred(normalise(vectors, part[at], check), middle)
        found[start : start + _CHUNK] = normalise(total, check=check)
    return found


def _units(vectors: Vectors, rows: npt.NDArray[np.intp], check: Callable[[], None]) -> Iterator[Floats]:
    return (normalise(vectors, rows[start : start + _CHUNK], check) for start in range(0, len(rows), _CHUNK))


def normalise(
    vectors: Vectors, rows: npt.NDArray[np.intp] | None = None, check: Callable[[], None] = _go_on
) -> Floats:
    """Rows scaled to length one, zero rows left zero, as a new float32 array. Raises BadVectorError, and what
    `check` raises, which is called often."""
    if vectors.ndim != 2:
        raise ValueError(f"vectors must have two dimensions, not {vectors.ndim}")
    n = len(vectors) if rows is None else len(rows)
    unit = np.empty((n, vectors.shape[1]), np.float32)
    for start in range(0, n, _CHUNK):
        taken = slice(start, start + _CHUNK)
        part = vectors[taken if rows is None else rows[taken]].astype(np.float32, order="C", copy=False)
        bad = _scale(part, unit[taken])
        if bad >= 0:
            row = start + bad if rows is None else int(rows[start + bad])
            raise BadVectorError(row, "has a value that is not a finite number")
        check()
    return unit


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _scale(vectors, unit):  # type: ignore[no-untyped-def]
    """Write each row at length one, zero rows as zero. Returns the first row that is not finite, or -1.

    Squares are summed in double precision, where those of any float32 neither overflow nor vanish.
    """
    for row in range(len(vectors)):
        total = 0.0
        for at in range(vectors.shape[1]):
            value = np.float64(vectors[row, at])
            total += value * value
        if not np.isfinite(total):
            return row
        scale = 1 / np.sqrt(total) if total > 0 else 0.0
        for at in range(vectors.shape[1]):
            unit[row, at] = np.float32(vectors[row, at] * scale)
    return -1


def _sketch(unit: Floats, seed: int, work: Work) -> Floats:
    """The first principal components (N, ≤ 32), strongest first, signs fixed. Axes by subspace iteration on a
    sample."""
    n, d = unit.shape
    if n == 0 or d == 0:
        return np.zeros((n, 2), np.float32)
    random = np.random.default_rng(seed)
    sample = unit if n <= _SAMPLE else unit[np.sort(random.choice(n, _SAMPLE, replace=False))]
    mean = sample.mean(axis=0)
    sample = sample - mean
    axes = random.standard_normal((d, min(_SKETCH, n, d))).astype(np.float32)
    for _ in range(5):
        axes = np.linalg.qr(sample.T @ (sample @ axes))[0]
        work.again()
    projected = sample @ axes
    turn = np.linalg.svd(projected.T @ projected)[0]
    axes = axes @ turn
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1, 1)
    sketch = np.empty((n, axes.shape[1]), np.float32)
    for start in range(0, n, _CHUNK):
        sketch[start : start + _CHUNK] = (unit[start : start + _CHUNK] - mean) @ axes
        work.again()
    return sketch
