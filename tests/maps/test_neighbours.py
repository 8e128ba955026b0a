"""Neighbours: exact ones are exact, descended ones nearly so, and both are the same on any number of
threads."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from atlas.maps import descent
from atlas.maps import neighbours as nb
from atlas.maps.neighbour_lists import Neighbours
from atlas.maps.work import Work

Floats = npt.NDArray[np.float32]


def unit_vectors(n: int, d: int = 24, seed: int = 0) -> Floats:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((12, d))
    vectors = (centres[random.integers(0, 12, n)] + 0.6 * random.standard_normal((n, d))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def brute_force(unit: Floats, k: int) -> npt.NDArray[np.intp]:
    similarity = unit.astype(np.float64) @ unit.T.astype(np.float64)
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1)[:, :k]


def descend(unit: Floats, threads: int) -> Neighbours:
    with Work(threads=threads) as work:
        return descent.descend(unit, unit[:, :8], 14, work, seed=3)


def exact(unit: Floats, threads: int, k: int = 14) -> Neighbours:
    with Work(threads=threads) as work:
        return nb.exact(unit, k, work)


def test_exact_neighbours_equal_brute_force_across_tile_borders() -> None:
    unit = unit_vectors(1500)
    found = exact(unit, threads=2)
    assert (found.indices == brute_force(unit, 14)).mean() > 0.9999  # float32 may swap near ties


def test_distances_are_one_minus_cosine_and_sorted() -> None:
    unit = unit_vectors(300)
    found = exact(unit, threads=1)
    expected = 1 - np.einsum("nd,nkd->nk", unit, unit[found.indices])
    np.testing.assert_allclose(found.distances, expected, atol=1e-6)
    assert (np.diff(found.distances, axis=1) >= 0).all()


def test_descent_finds_nearly_all_true_neighbours() -> None:
    unit = unit_vectors(3000)
    with Work() as work:
        truth = nb.exact(unit, 14, work)
    assert nb.recall(descend(unit, threads=2), truth) > 0.98


@pytest.mark.parametrize("search", [exact, descend])
def test_one_and_two_threads_give_the_same_bytes(search) -> None:  # type: ignore[no-untyped-def]
    unit = unit_vectors(2500)
    one, two = search(unit, threads=1), search(unit, threads=2)
    assert one.indices.tobytes() == two.indices.tobytes()
    assert one.distances.tobytes() == two.distances.tobytes()


def test_descent_survives_thousands_of_twins() -> None:
    unit = np.vstack([np.tile(unit_vectors(1), (600, 1)), unit_vectors(600, seed=2)])
    found = descend(unit, threads=2)
    assert (found.indices >= 0).all()
    assert (found.indices[:600] < 600).all()
    assert np.abs(found.distances[:600]).max() < 1e-6


def test_no_row_names_a_neighbour_twice_or_itself() -> None:
    found = descend(unit_vectors(2000), threads=2)
    rows = np.sort(found.indices, axis=1)
    assert (np.diff(rows, axis=1) > 0).all()
    assert not (found.indices == np.arange(2000)[:, None]).any()


def test_the_point_itself_comes_first_even_among_twins() -> None:
    unit = np.tile(unit_vectors(1), (40, 1))
    with Work() as work:
        found = nb.nearest_neighbours(unit, unit[:, :2], work, seed=0)
    assert (found.indices[:, 0] == np.arange(40)).all()
    assert found.indices.shape == (40, 15)
    assert (found.distances >= 0).all()


def test_neighbours_of_newcomers_are_the_nearest_old_rows() -> None:
    old, new = unit_vectors(500), unit_vectors(7, seed=9)
    with Work() as work:
        found = nb.nearest_of(new, old, 5, work)
    assert (found.indices == np.argsort(-(new @ old.T), axis=1)[:, :5]).all()


def in_cells(new: Floats, old: Floats, monkeypatch: pytest.MonkeyPatch, threads: int = 2) -> Neighbours:
    """As of many newcomers on a large map; few cells are looked through."""
    monkeypatch.setattr(nb, "MOST_PAIRS", 0)
    monkeypatch.setattr(nb, "PROBES", 24)
    with Work(threads=threads) as work:
        return nb.nearest_of(new, old, 15, work)


def test_many_newcomers_are_compared_with_a_part_of_a_large_map(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = unit_vectors(8000), unit_vectors(1500, seed=9)
    multiplied = 0
    offer = nb._offer

    def counting(tiles: list[Any], multiply: Callable[[Any], Floats], *rest: Any) -> None:
        def counted(tile: Any) -> Floats:
            nonlocal multiplied
            product = multiply(tile)
            multiplied += product.size
            return product

        offer(tiles, counted, *rest)

    with Work() as work:
        truth = nb.nearest_of(new, old, 15, work)
    monkeypatch.setattr(nb, "_offer", counting)
    found = in_cells(new, old, monkeypatch, threads=1)
    to_place_in_cells = (8000 + 1500) * 89  # √8000
    assert multiplied - to_place_in_cells < 0.5 * 8000 * 1500
    assert nb.recall(found, truth) > 0.9
    assert (np.diff(np.sort(found.indices, axis=1), axis=1) > 0).all()
    two = in_cells(new, old, monkeypatch, threads=2)
    assert (found.indices.tobytes(), found.distances.tobytes()) == (
        two.indices.tobytes(),
        two.distances.tobytes(),
    )


def test_newcomers_whose_cells_are_nearly_empty_have_all_their_neighbours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = np.vstack([np.tile(unit_vectors(1), (600, 1)), unit_vectors(20, seed=2)])
    found = in_cells(old[:5], old, monkeypatch)
    assert (found.indices >= 0).all()
    assert np.abs(found.distances).max() < 1e-6


def test_recall_counts_the_shared_entries() -> None:
    truth = Neighbours(np.array([[1, 2], [0, 2]], np.int32), np.zeros((2, 2), np.float32))
    found = Neighbours(np.array([[2, 1], [0, 3]], np.int32), np.zeros((2, 2), np.float32))
    assert nb.recall(found, truth) == 0.75
