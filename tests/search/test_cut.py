import numpy as np
import pytest
from numpy.typing import NDArray

from atlas.search.cut import relevance_cut


def cut_of(scores: NDArray[np.floating]) -> float:
    return relevance_cut(np.sort(scores.astype(np.float32)))


@pytest.mark.parametrize("relevant", [5, 50, 300])
@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.09, 0.01), (-3.0, 40.0)])
def test_it_finds_what_stands_out_at_any_level_and_scale(relevant: int, shift: float, scale: float) -> None:
    rng = np.random.default_rng(relevant)
    standing_out = rng.normal(loc=8, scale=0.7, size=relevant)
    scores = np.concatenate([rng.normal(size=5000), standing_out]) * scale + shift
    cut = cut_of(scores)

    found = scores >= cut
    precision = found[5000:].sum() / found.sum()
    recall = found[5000:].mean()

    assert precision == 1
    assert recall >= 0.8


@pytest.mark.parametrize("seed", range(5))
def test_pure_noise_gives_next_to_nothing(seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=10_000).astype(np.float32)

    assert (scores >= cut_of(scores)).sum() < 100


def test_what_is_half_as_good_as_the_best_is_not_relevant_however_rare_it_is() -> None:
    rng = np.random.default_rng(3)
    scores = np.concatenate([rng.normal(size=3000), np.full(200, 5.0), np.full(12, 10.0)])

    assert (scores >= cut_of(scores)).sum() == 12


def test_one_duplicate_of_the_query_does_not_hide_what_is_like_it() -> None:
    rng = np.random.default_rng(3)
    scores = np.concatenate([rng.normal(size=3000), np.full(20, 6.0), [9.0]])

    assert (scores >= cut_of(scores)).sum() == 21


@pytest.mark.parametrize(
    ("scores", "found"), [([0.4], 1), ([1, 1, 1, 1], 4), ([0, 0, 0, 0, 0, 3, 2], 2), ([1, 2], 1)]
)
def test_small_and_flat_sets_have_at_least_one_hit(scores: list[float], found: int) -> None:
    values = np.array(scores, np.float32)

    assert (values >= cut_of(values)).sum() == found
