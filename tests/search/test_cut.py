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


@pytest.mark.parametrize("relevant", [1, 2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_it_stops_after_one_two_or_three_that_stand_out(relevant: int, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(size=5000)
    scores = np.concatenate([noise, np.linspace(7, 7.5, relevant)])

    assert (scores >= cut_of(scores)).sum() == relevant


@pytest.mark.parametrize("count", [50, 1000, 10_000, 100_000])
@pytest.mark.parametrize("seed", range(5))
def test_pure_noise_gives_next_to_nothing(seed: int, count: int) -> None:
    scores = np.random.default_rng(seed).normal(size=count).astype(np.float32)

    assert (scores >= cut_of(scores)).sum() < 40


def test_a_group_is_taken_whole_although_others_come_close() -> None:
    """Records of the same kind, and those that share but a part of it."""
    rng = np.random.default_rng(4)
    scores = np.concatenate([rng.normal(size=4000), rng.normal(3.5, 0.4, 200), rng.normal(7, 0.3, 40)])

    assert (scores >= cut_of(scores)).sum() == 40


@pytest.mark.parametrize("wanted", [1, 2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_of_a_crowd_that_comes_close_only_the_best_are_hits(wanted: int, seed: int) -> None:
    """All clocks are like "a clock that shows three", and few show it."""
    rng = np.random.default_rng(seed)
    clocks = rng.uniform(3, 4, size=300)
    scores = np.concatenate([rng.normal(size=5000), clocks, np.linspace(4.6, 4.8, wanted)])

    assert (scores >= cut_of(scores)).sum() == wanted


@pytest.mark.parametrize(("count", "relevant"), [(400, 40), (400, 100), (5000, 300), (20_000, 1000)])
@pytest.mark.parametrize("seed", range(5))
def test_a_wide_gap_is_believed_however_many_are_above_it(count: int, relevant: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(size=count), rng.normal(8, 0.6, size=relevant)])

    assert (scores >= cut_of(scores)).sum() == pytest.approx(relevant, rel=0.03)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_a_part_of_the_whole_set_may_be_relevant(share: float) -> None:
    relevant = np.arange(2000) < share * 2000
    scores = np.where(relevant, 1.0, -1.0) + np.random.default_rng(6).normal(scale=0.1, size=2000)

    found = scores >= cut_of(scores)

    assert not (found & ~relevant).any()
    assert found.sum() >= 1


@pytest.mark.parametrize("copies", [2, 10, 500])
def test_copies_of_the_best_are_all_relevant(copies: int) -> None:
    scores = np.concatenate([np.random.default_rng(7).normal(size=3000), np.full(copies, 8.0)])

    assert (scores >= cut_of(scores)).sum() == copies


def test_what_is_half_as_good_as_the_best_is_not_relevant_however_rare_it_is() -> None:
    rng = np.random.default_rng(3)
    scores = np.concatenate([rng.normal(size=3000), np.full(200, 5.0), np.full(12, 10.0)])

    assert (scores >= cut_of(scores)).sum() == 12


def test_one_duplicate_of_the_query_does_not_hide_what_is_like_it() -> None:
    rng = np.random.default_rng(3)
    scores = np.concatenate([rng.normal(size=3000), np.full(20, 6.0), [9.0]])

    assert (scores >= cut_of(scores)).sum() == 21


@pytest.mark.parametrize(
    ("scores", "found"),
    [
        ([0.4], 1),
        ([1, 1, 1, 1], 4),
        ([0, 0, 0, 0, 0, 3, 2], 2),
        ([1, 2], 1),
        ([0, 0.1, 5], 1),
        ([0, 4.9, 5], 1),
        ([2, 2], 2),
        ([0, 1, 1], 2),
        ([0] * 500 + [1] * 500, 500),
        ([0] * 999 + [1], 1),
        ([-1] + [1] * 99, 99),
    ],
)
def test_small_and_flat_sets_have_at_least_one_hit(scores: list[float], found: int) -> None:
    values = np.array(scores, np.float32)

    assert (values >= cut_of(values)).sum() == found
