from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from atlas.maps.vectors import Matrix
from atlas.search import passes
from atlas.search.passes import Scan, Texts, Work, alone, together
from atlas.search.scan import Scores, cosines


def matrix(folder: Path, seed: int = 0) -> Matrix:
    vectors = np.random.default_rng(seed).normal(size=(50, 12)).astype(np.float16)
    return Matrix(vectors, np.arange(50, dtype=np.uint32), folder)


def queries(seed: int, count: int) -> Any:
    return np.random.default_rng(seed).normal(size=(count, 12)).astype(np.float32)


def scores(of: Matrix, *asked: NDArray[np.float32]) -> Work[list[Scores]]:
    """One pass for each."""
    found = []
    for each in asked:
        score = yield Scan(of, each)
        found.append(score)
    return found


def nothing() -> Work[list[Scores]]:
    return []
    yield


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of the passes."""
    seen: list[int] = []

    def counted(vectors: Any, asked: Any) -> Any:
        seen.append(len(asked))
        return cosines(vectors, asked)

    monkeypatch.setattr(passes, "cosines", counted)
    return seen


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
def test_the_scores_are_the_products(tmp_path: Path, count: int) -> None:
    asked = queries(1, count)

    [found] = alone(scores(matrix(tmp_path), asked))

    assert found.shape == (50, count)
    assert found == pytest.approx(matrix(tmp_path).vectors.astype(np.float32) @ asked.T, abs=1e-4)


def test_queries_of_one_matrix_share_a_pass(tmp_path: Path, sizes: list[int]) -> None:
    one, other = matrix(tmp_path / "a"), matrix(tmp_path / "b", seed=5)
    works = [
        scores(one, queries(1, 1)),
        scores(other, queries(2, 2)),
        nothing(),
        scores(one, queries(3, 3), queries(4, 1)),
    ]

    found: dict[int, Any] = dict(together(works))

    assert sorted(sizes) == [1, 2, 4]
    assert found[2] == []
    for place, of, asked in ((0, one, [(1, 1)]), (1, other, [(2, 2)]), (3, one, [(3, 3), (4, 1)])):
        for got, each in zip(found[place], asked, strict=True):
            assert got == pytest.approx(cosines(of.vectors, queries(*each)), abs=1e-5)


def test_one_that_breaks_stops_nobody_else(tmp_path: Path) -> None:
    def broken() -> Work[list[Scores]]:
        yield Scan(matrix(tmp_path), queries(1, 1))
        raise MemoryError

    found = dict(together([broken(), scores(matrix(tmp_path), queries(1, 1))]))

    assert isinstance(found[0], MemoryError)
    assert not isinstance(found[1], Exception)
    with pytest.raises(MemoryError):
        alone(broken())


def test_one_that_breaks_a_pass_keeps_it_to_itself(tmp_path: Path) -> None:
    one, other = matrix(tmp_path / "a"), matrix(tmp_path / "b")
    too_long = np.ones((1, 99), np.float32)
    works = [scores(one, queries(1, 1)), scores(other, queries(1, 1), queries(2, 1)), scores(one, too_long)]

    found: dict[int, Any] = dict(together(works))

    assert found[0][0] == pytest.approx(cosines(one.vectors, queries(1, 1)), abs=1e-5)
    assert len(found[1]) == 2
    assert isinstance(found[2], ValueError)


def test_what_breaks_a_pass_reaches_whoever_asked_for_it(tmp_path: Path) -> None:
    def prepared() -> Work[str]:
        try:
            yield Scan(matrix(tmp_path), np.ones((1, 99), np.float32))
        except ValueError:
            return "by words"
        return "by meaning"

    assert alone(prepared()) == "by words"


def test_texts_go_through_the_tower_together_and_then_share_a_pass_with_the_others(
    tmp_path: Path, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[frozenset[str]] = []

    def embed(_: str, texts: frozenset[str]) -> dict[str, Any]:
        embedded.append(texts)
        return {text: queries(len(text), 1)[0] for text in texts}

    def by_text(*texts: str) -> Work[Scores]:
        vectors = yield Texts("mini", frozenset(texts))
        found: Scores = yield Scan(matrix(tmp_path), np.stack([vectors[text] for text in texts]))
        return found

    monkeypatch.setattr(passes, "vectors_of_texts", embed)
    works: list[Any] = [by_text("a", "dog"), scores(matrix(tmp_path), queries(9, 1)), by_text("dog", "ship")]

    found = dict(together(works))

    assert embedded == [{"a", "dog", "ship"}]
    assert sizes == [5]
    for place, lengths in ((0, (1, 3)), (2, (3, 4))):
        wanted = np.concatenate([queries(length, 1) for length in lengths])
        assert found[place] == pytest.approx(cosines(matrix(tmp_path).vectors, wanted), abs=1e-5)
