"""The fuzzy graph is umap-learn's; the layout pulls neighbours together and is the same on any number of
threads."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import csr_matrix

from atlas.maps.graph import Graph, fuzzy_graph
from atlas.maps.layout import lay_out
from atlas.maps.neighbour_lists import Neighbours
from atlas.maps.work import Cancelled, Work

Floats = npt.NDArray[np.float32]


def neighbours_of(points: Floats, k: int = 15) -> Neighbours:
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    indices = np.argsort(distances, axis=1, kind="stable")[:, :k].astype(np.int32)
    return Neighbours(indices, np.take_along_axis(distances, indices, 1).astype(np.float32))


def two_crowds(n: int = 120) -> Floats:
    random = np.random.default_rng(0)
    points = random.standard_normal((n, 5)).astype(np.float32)
    points[n // 2 :] += 40
    return points


def laid_out(threads: int, seed: int = 0, n: int = 120) -> Floats:
    start = np.random.default_rng(1).random((n, 2)).astype(np.float32) * 10
    with Work(threads=threads) as work:
        return lay_out(fuzzy_graph(neighbours_of(two_crowds(n))), start, work, seed=seed, epochs=100)


def test_likeness_falls_from_one_to_a_sum_of_log2_k_over_a_points_neighbours() -> None:
    """The definition, in the paper's section 3.1, for a point whose edges all come from its own side."""
    near = neighbours_of(two_crowds(200))
    indices, distances = near.indices[:1], near.distances[:1]
    alone = Neighbours(np.repeat(indices, 200, 0), np.repeat(distances, 200, 0))
    graph = fuzzy_graph(alone)
    square = csr_matrix((graph.weights, graph.targets, graph.starts), shape=(200, 200)).toarray()

    likeness = square[150][indices[0]]  # row 150 is nobody's neighbour: these are its own likenesses

    assert likeness[1] == pytest.approx(1)
    assert likeness[1:].sum() == pytest.approx(np.log2(15), abs=1e-3)


def test_points_in_one_place_are_fully_alike() -> None:
    points = two_crowds(200)
    points[:30] = points[0]
    graph = fuzzy_graph(neighbours_of(points))
    square = csr_matrix((graph.weights, graph.targets, graph.starts), shape=(200, 200))

    assert square[0].max() == 1
    assert np.isfinite(graph.weights).all()


def test_the_graph_is_symmetric_with_weights_up_to_one() -> None:
    graph = fuzzy_graph(neighbours_of(two_crowds()))
    square = csr_matrix((graph.weights, graph.targets, graph.starts), shape=(120, 120))
    assert abs(square - square.T).max() < 1e-6
    assert graph.weights.min() > 0
    assert graph.weights.max() <= 1


def test_two_crowds_end_apart_and_compact() -> None:
    laid = laid_out(threads=1)
    left, right = laid[:60], laid[60:]
    between = np.linalg.norm(left.mean(axis=0) - right.mean(axis=0))
    within = max(np.linalg.norm(part - part.mean(axis=0), axis=1).mean() for part in (left, right))
    assert between > 3 * within


def test_one_and_two_threads_lay_out_the_same_bytes() -> None:
    assert laid_out(threads=1).tobytes() == laid_out(threads=2).tobytes()


def test_another_seed_gives_another_layout() -> None:
    assert laid_out(threads=1, seed=1).tobytes() != laid_out(threads=1, seed=2).tobytes()


def test_a_lone_vertex_stays_finite() -> None:
    nothing = Graph(np.zeros(4, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
    start = np.zeros((3, 2), np.float32)
    with Work() as work:
        laid = lay_out(nothing, start, work, seed=0, epochs=20)
    assert np.isfinite(laid).all()


def test_the_watcher_sees_every_epoch_and_the_start_is_left_alone() -> None:
    near = neighbours_of(two_crowds())
    start = np.random.default_rng(1).random((120, 2)).astype(np.float32)
    before = start.copy()
    seen: list[int] = []
    with Work() as work:
        lay_out(
            fuzzy_graph(near),
            start,
            work,
            seed=0,
            epochs=5,
            watch=lambda epoch, _: seen.append(epoch),
        )
    assert seen == [1, 2, 3, 4, 5]
    assert (start == before).all()


def test_cancel_stops_between_epochs() -> None:
    seen: list[int] = []
    near = neighbours_of(two_crowds())
    with Work(cancelled=lambda: len(seen) >= 3) as work, pytest.raises(Cancelled):
        lay_out(
            fuzzy_graph(near),
            np.zeros((120, 2), np.float32),
            work,
            seed=0,
            epochs=100_000,
            watch=lambda epoch, _: seen.append(epoch),
        )
    assert 3 <= len(seen) < 100_000
