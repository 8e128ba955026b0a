"""Regions of a map at several levels: where points gather, what they have in common, and which record stands
for them.

The finest regions are the basins of the map's density (a histogram, smoothed just enough for the number of
regions wanted, cut along its valleys). Ward's method joins them to coarser ones by place and meaning. Names
come from `names.py`.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from atlas.maps.codes import Column
from atlas.maps.names import Vocabulary, name_topics
from atlas.maps.topic import Topic, Topics
from atlas.maps.work import Report, part_of, unheard

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

FINEST = 300
POINTS_PER_TOPIC = 25
_FRINGE = 0.08  # of the density at a region's peak: below that a point is in no topic of the finest level
_VALLEY = 0.8  # a pass this share of the lower peak's height divides nothing
_SEEN = 16  # points that the smoothing must see around the typical point, or it draws noise
_MEANING = 0.6  # weight of likeness beside place when regions are joined
_COMPONENTS = 8
_TYPICAL = 40  # records of a topic that may name it
_GRID = (64, 768)
_TRIALS = 9  # halvings of the interval in which the right smoothing lies
_CHUNK = 8192


def find_topics(
    coordinates: Floats,
    vectors: npt.NDArray[np.floating],
    captions: Sequence[str | None] | None = None,
    vocabulary: Vocabulary | None = None,
    report: Report = unheard,
    categories: Sequence[Column] = (),
) -> Topics:
    """Regions of a map of N points (coordinates (N, 2), vectors (N, d) of length one) with names at one to
    three levels.

    Names come from the captions where a region has some, from the vocabulary (words and their text vectors
    (V, d)) where not, and from `categories`, columns (N,). What `report` raises ends it: it is called between
    parts of a fraction of a second.
    """
    n = len(coordinates)
    if n == 0:
        return Topics([], np.zeros((0, 0), np.int32))
    leaf, at_peak = _basins(coordinates, max(1, min(FINEST, n // POINTS_PER_TOPIC)), part_of(report, 0, 20))
    sums = _sums(vectors, leaf, part_of(report, 20, 10))
    levels = _join(coordinates, leaf, sums, _level_sizes(len(sums)))
    ids = levels[:, leaf].astype(np.int32)
    if len(levels) > 1:
        ids[-1, at_peak < _FRINGE] = -1
    parents = _parents(levels)
    means = _means(levels, sums)
    typical = _typical(vectors, means, ids, part_of(report, 30, 15))
    naming = part_of(report, 45, 50)
    names = name_topics(ids, parents, means, captions, vocabulary, typical, naming, categories)
    report(95, 100)
    return Topics(_describe(coordinates, ids, parents, names, typical), ids)


def _level_sizes(leaves: int) -> list[int]:
    """How many topics to aim for at each level, coarsest first."""
    if leaves < 8:
        return [leaves]
    if leaves < 150:
        return [max(4, min(14, round(1.3 * leaves**0.5))), leaves]
    return [15, round((15 * leaves) ** 0.5), leaves]


def _basins(coordinates: Floats, wanted: int, report: Report) -> tuple[Ints, Floats]:
    """The region (N,) of every point, 0 … at most `wanted` - 1, and the density there as a share of its
    region's peak."""
    n = len(coordinates)
    low = coordinates.min(axis=0)
    side = max(float(np.ptp(coordinates, axis=0).max()), 1e-6)
    cells = int(np.clip(4 * n**0.5, *_GRID))
    at = np.minimum(((coordinates - low) / side * cells).astype(np.int64), cells - 1)
    cell = at[:, 0] * cells + at[:, 1]
    histogram = np.bincount(cell, minlength=cells * cells).reshape(cells, cells).astype(np.float32)
    least = max(4, n // (8 * wanted))
    fine, coarse = 0.7, cells / 4
    region, density = _watershed(histogram, coarse, cell)
    for trial in range(_TRIALS):
        report(trial, _TRIALS)
        between = (fine * coarse) ** 0.5
        tried, tried_density = _watershed(histogram, between, cell)
        calm = np.median(tried_density) * 4 * np.pi * between**2 >= _SEEN
        if calm and (np.bincount(tried) >= least).sum() <= wanted:
            coarse, region, density = between, tried, tried_density
        else:
            fine = between
    region = _drop_small(coordinates, region, least)
    peaks = np.zeros(region.max() + 1, np.float32)
    np.maximum.at(peaks, region, density)
    return region, np.asarray(density / peaks[region], np.float32)


def _watershed(histogram: Floats, sigma: float, cell: npt.NDArray[np.int64]) -> tuple[Ints, Floats]:
    """Smooth, let every cell climb to the highest of its neighbours until nothing moves, join peaks without a
    valley between them. Returns the peak and the density at each point (N,)."""
    smooth = gaussian_filter(histogram, sigma, mode="constant")
    size = len(smooth)
    padded = np.pad(smooth, 1, constant_values=-1)
    steps = [(0, 0)] + [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    around = np.stack([padded[1 + i : 1 + i + size, 1 + j : 1 + j + size] for i, j in steps])
    offsets = np.array([i * size + j for i, j in steps])
    climb = np.arange(size * size) + offsets[around.argmax(axis=0)].ravel()
    while not np.array_equal(further := climb[climb], climb):
        climb = further
    peak = _without_shallow_valleys(climb.reshape(size, size), smooth)
    region = np.unique(peak[cell], return_inverse=True)[1].astype(np.int32)
    return region, smooth.ravel()[cell]


def _without_shallow_valleys(climb: npt.NDArray[np.int64], smooth: Floats) -> npt.NDArray[np.int64]:
    """Peak of each cell, flat, after joining peaks whose pass is hardly lower than the lower of them."""
    height = smooth.ravel()
    pairs, passes = [], []
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        border = climb[here] != climb[there]
        pairs.append(np.stack([climb[here][border], climb[there][border]], axis=1))
        passes.append(np.minimum(smooth[here][border], smooth[there][border]))
    pair, pass_height = np.concatenate(pairs), np.concatenate(passes)
    worthy = pass_height > _VALLEY * height[pair].min(axis=1)
    pair, pass_height = pair[worthy], pass_height[worthy]
    joined: dict[int, int] = {}

    def top(peak: int) -> int:
        while peak in joined:
            peak = joined[peak]
        return peak

    for at in np.argsort(-pass_height, kind="stable").tolist():
        low, high = sorted((top(int(peak)) for peak in pair[at]), key=lambda peak: (height[peak], peak))
        if low != high and pass_height[at] > _VALLEY * height[low]:
            joined[low] = high
    final = np.arange(climb.size)
    for peak in joined:
        final[peak] = top(peak)
    return np.asarray(final[climb.ravel()])


def _drop_small(coordinates: Floats, region: Ints, least: int) -> Ints:
    """Give the points of regions under `least` to the nearest larger region; renumber without gaps."""
    counts = np.bincount(region)
    if counts.max() < least:
        return np.zeros_like(region)
    small = counts[region] < least
    kept = region.copy()
    if small.any():
        nearest = cKDTree(coordinates[~small]).query(coordinates[small])[1]
        kept[small] = region[~small][nearest]
    return np.unique(kept, return_inverse=True)[1].astype(np.int32)


def _sums(vectors: npt.NDArray[np.floating], leaf: Ints, report: Report) -> npt.NDArray[np.float64]:
    """Sum of the vectors of each leaf (leaves, d)."""
    sums = np.zeros((leaf.max() + 1, vectors.shape[1]))
    for start in range(0, len(leaf), _CHUNK):
        report(start, len(leaf))
        part, of = vectors[start : start + _CHUNK].astype(np.float64), leaf[start : start + _CHUNK]
        order = np.argsort(of, kind="stable")
        present, first = np.unique(of[order], return_index=True)
        sums[present] += np.add.reduceat(part[order], first)
    return sums


def _join(coordinates: Floats, leaf: Ints, sums: npt.NDArray[np.float64], sizes: list[int]) -> Ints:
    """Topic ids of the leaves (levels, leaves): nested cuts of one tree, numbered through from the coarsest
    level."""
    leaves = len(sums)
    levels = np.zeros((len(sizes), leaves), np.int32)
    if leaves > 1:
        tree = linkage(_features(coordinates, leaf, sums), "ward")
        for at, size in enumerate(sizes[:-1]):
            levels[at] = fcluster(tree, size, "maxclust") - 1
        levels[-1] = np.arange(leaves)
    offset = 0
    for level in levels:
        counts = np.bincount(level, weights=np.bincount(leaf, minlength=leaves))
        place = np.empty(len(counts), np.int32)  # the largest topic of a level has its lowest id
        place[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
        level[:] = place[level] + offset
        offset += len(counts)
    return levels


def _features(coordinates: Floats, leaf: Ints, sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Place and meaning of each leaf: both of variance one in all, meaning scaled by its weight."""
    counts = np.bincount(leaf)[:, None]
    place = np.stack([np.bincount(leaf, weights=axis) for axis in coordinates.T], axis=1) / counts
    means = sums / counts
    left, strength, _ = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    meaning = (left * strength)[:, :_COMPONENTS]
    spread = [max(float(np.sqrt(part.var(axis=0).sum())), 1e-12) for part in (place, meaning)]
    return np.hstack([(place - place.mean(axis=0)) / spread[0], _MEANING * meaning / spread[1]])


def _parents(levels: Ints) -> list[int | None]:
    parents: list[int | None] = [None] * (int(levels.max()) + 1)
    for upper, lower in pairwise(levels):
        for topic, parent in zip(lower.tolist(), upper.tolist(), strict=True):
            parents[topic] = parent
    return parents


def _means(levels: Ints, sums: npt.NDArray[np.float64]) -> Floats:
    """Mean vector of each topic, scaled to length one (topics, d)."""
    means = np.zeros((int(levels.max()) + 1, sums.shape[1]))
    for level in levels:
        np.add.at(means, level, sums)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return means.astype(np.float32)


def _typical(vectors: npt.NDArray[np.floating], means: Floats, ids: Ints, report: Report) -> list[Ints]:
    """Of each topic the points that are most like its mean, the best first."""
    found: list[Ints] = []
    for level, of in enumerate(ids):
        likeness = _likeness(vectors, means, of, part_of(report, 100 * level // len(ids), 100 // len(ids)))
        for members in _members(of).values():
            best = np.argsort(-likeness[members], kind="stable")[:_TYPICAL]
            found.append(members[best].astype(np.int32))
    return found


def _members(of: Ints) -> dict[int, npt.NDArray[np.intp]]:
    """The points of each topic of a level, by topic."""
    order = np.argsort(of, kind="stable")
    topics, starts = np.unique(of[order], return_index=True)
    parts = np.split(order, starts[1:])
    return {topic: part for topic, part in zip(topics.tolist(), parts, strict=True) if topic >= 0}


def _describe(
    coordinates: Floats,
    ids: Ints,
    parents: list[int | None],
    names: list[str],
    typical: list[Ints],
) -> list[Topic]:
    found = []
    for level, of in enumerate(ids):
        for topic, members in _members(of).items():
            here = coordinates[members]
            middle = int(np.linalg.norm(here - np.median(here, axis=0), axis=1).argmin())
            radius = float(np.median(np.linalg.norm(here - here[middle], axis=1)))
            x, y = here[middle].tolist()
            best = int(typical[topic][0])
            found.append(Topic(topic, level, parents[topic], names[topic], x, y, radius, len(members), best))
    return found


def _likeness(vectors: npt.NDArray[np.floating], means: Floats, of: Ints, report: Report) -> Floats:
    """How like its topic's mean each point is (N,)."""
    likeness = np.zeros(len(of), np.float32)
    for start in range(0, len(of), _CHUNK):
        report(start, len(of))
        rows = slice(start, start + _CHUNK)
        likeness[rows] = np.einsum("nd,nd->n", vectors[rows].astype(np.float32), means[of[rows]])
    return likeness
