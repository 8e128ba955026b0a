from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from atlas.maps.vectors import Matrix
from atlas.search import passes
from atlas.search.scan import cosines


@pytest.fixture
def matrix(tmp_path: Path) -> Matrix:
    vectors = np.random.default_rng(0).normal(size=(50, 12)).astype(np.float16)
    return Matrix(vectors, np.arange(50, dtype=np.uint32), tmp_path)


def queries(seed: int, count: int) -> Any:
    return np.random.default_rng(seed).normal(size=(count, 12)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
def test_the_scores_are_the_products(matrix: Matrix, count: int) -> None:
    asked = queries(1, count)

    found = passes.scores_of(matrix, asked)

    assert found.shape == (50, count)
    assert found == pytest.approx(matrix.vectors.astype(np.float32) @ asked.T, abs=1e-4)


def test_who_comes_during_a_pass_shares_the_next_one(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    first_runs, go_on, sizes = Event(), Event(), []

    def slow(vectors: Any, asked: Any) -> Any:
        sizes.append(len(asked))
        first_runs.set()
        assert go_on.wait(10)
        return cosines(vectors, asked)

    monkeypatch.setattr(passes, "cosines", slow)
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(passes.scores_of, matrix, queries(0, 1))]
        assert first_runs.wait(10)
        running += [pool.submit(passes.scores_of, matrix, queries(number, number)) for number in (1, 2, 3)]
        while len(passes._waiting.get(matrix.folder, [])) < 3:
            pass
        go_on.set()
        found = [each.result() for each in running]

    assert sizes == [1, 6]
    for number, scores in zip((1, 2, 3), found[1:], strict=True):
        assert scores == pytest.approx(cosines(matrix.vectors, queries(number, number)))


def test_a_pass_that_breaks_stops_nobody_else(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(passes, "cosines", broken)
        with pytest.raises(MemoryError):
            passes.scores_of(matrix, queries(1, 1))

    assert passes.scores_of(matrix, queries(1, 1)).shape == (50, 1)
