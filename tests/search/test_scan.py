import numpy as np
import pytest
from scipy.special import log_ndtr
from scipy.stats import spearmanr

from atlas.search.scan import Scores, combine, cosines, moments, over_spaces, pooled, standardise


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    vectors: np.ndarray = rng.normal(size=shape)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors


def test_cosines_are_those_of_numpy_in_double_precision() -> None:
    rng = np.random.default_rng(1)
    vectors, queries = unit(rng, 5000, 96).astype(np.float16), unit(rng, 3, 96).astype(np.float32)

    expected = vectors.astype(np.float64) @ queries.T.astype(np.float64)

    assert np.abs(cosines(vectors, queries) - expected).max() < 1e-6


@pytest.mark.parametrize(
    ("rows", "dimensions", "count"), [(1, 7, 2), (2, 33, 5), (51, 96, 9), (8, 1000, 23), (301, 768, 8)]
)
def test_any_numbers_of_rows_and_queries_go_through_it(rows: int, dimensions: int, count: int) -> None:
    rng = np.random.default_rng(4)
    vectors = unit(rng, rows, dimensions).astype(np.float16)
    queries = unit(rng, count, dimensions).astype(np.float32)

    assert cosines(vectors, queries) == pytest.approx(vectors.astype(np.float64) @ queries.T, abs=1e-6)


def test_the_best_ten_are_exactly_those_of_double_precision() -> None:
    rng = np.random.default_rng(2)
    vectors, queries = unit(rng, 20_000, 64).astype(np.float16), unit(rng, 1, 64).astype(np.float32)

    exact = vectors.astype(np.float64) @ queries[0].astype(np.float64)
    found = cosines(vectors, queries)[:, 0]

    assert set(np.argsort(-found)[:10]) == set(np.argsort(-exact)[:10])


def over_itself(scores: Scores, present: np.ndarray) -> Scores:
    return standardise(scores, present, moments(scores, present))


def test_standard_scores_leave_rows_without_a_vector_out() -> None:
    scores = over_itself(np.array([1, 2, 3, 99], np.float32), np.array([True, True, True, False]))

    assert scores[:3] == pytest.approx([-1.2247, 0, 1.2247], abs=1e-3)
    assert np.isnan(scores[3])


def test_equal_scores_say_nothing() -> None:
    assert over_itself(np.full(4, 0.3, np.float32), np.ones(4, np.bool_)).tolist() == [0, 0, 0, 0]


def test_the_moments_of_several_are_those_of_all_their_scores() -> None:
    rng = np.random.default_rng(6)
    several = [rng.normal(mean, 0.1, size=size).astype(np.float32) for mean, size in ((0.2, 900), (0.6, 7))]
    several.append(np.zeros(0, np.float32))

    together = pooled([moments(scores, np.ones(len(scores), np.bool_)) for scores in several])

    every = np.concatenate(several).astype(np.float64)
    assert together == pytest.approx((907, every.mean(), every.std()), rel=1e-5)


def test_a_record_with_both_lies_between_the_mean_and_the_best_and_one_with_less_keeps_what_it_has() -> None:
    nan = np.nan
    merged = over_spaces(
        [np.array([1, 5, -3, 4, 2, nan, nan], np.float32), np.array([3, 0, -1, 4, nan, 5, nan], np.float32)]
    )

    assert 2 < merged[0] < 3
    assert 2.5 < merged[1] < 5
    assert -2 < merged[2] < -1
    assert merged[3:6] == pytest.approx([4, 2, 5], rel=1e-5)
    assert np.isnan(merged[6])


def test_what_both_say_counts_most_and_what_one_denies_least() -> None:
    agreeing, held_against, alone = over_spaces(
        [np.array([4, 4, 4], np.float32), np.array([4, -2, 0], np.float32)]
    )

    assert agreeing > alone > held_against


def test_the_order_is_that_of_added_evidence() -> None:
    """Fisher's sum of log chances, in the upper tail."""
    rng = np.random.default_rng(5)
    scores = rng.uniform(1.5, 6, size=(2, 500)).astype(np.float32)

    merged, fisher = over_spaces(list(scores)), -log_ndtr(-scores.astype(np.float64)).sum(axis=0)

    assert spearmanr(merged, fisher).statistic > 0.99
    assert spearmanr(scores.mean(axis=0), fisher).statistic < spearmanr(merged, fisher).statistic


def test_captions_are_not_all_ranked_above_pictures() -> None:
    """Raw cosines of captions are 0.6 higher here, as in real towers; the relevant ones are half of each."""
    rng = np.random.default_rng(3)
    relevant = np.arange(1000) % 10 == 0
    picture = np.where(relevant, 0.12, 0.04) + rng.normal(scale=0.01, size=1000)
    caption = np.where(relevant, 0.85, 0.60) + rng.normal(scale=0.03, size=1000)
    only_pictures, only_captions = np.arange(1000) < 500, np.arange(1000) >= 500
    total = over_spaces(
        [
            over_itself(picture.astype(np.float32), only_pictures),
            over_itself(caption.astype(np.float32), only_captions),
        ]
    )

    best = np.argsort(-total)[:100]

    assert set(best) == set(np.flatnonzero(relevant))


def test_an_unwanted_part_pushes_down_what_is_like_it_and_lifts_nothing() -> None:
    fruit = np.array([2, 2, 0, -1], np.float32)
    apple = np.array([3, -1, -3, 0], np.float32)

    total = combine([fruit, apple], [1, -1])

    assert total[1] > total[0]
    assert total[2] == pytest.approx(0)
    assert total[3] < 0


def test_one_part_alone_keeps_its_scores() -> None:
    scores = np.array([1.5, -0.5, np.nan], np.float32)

    assert combine([scores], [3.0]).tolist()[:2] == [1.5, -0.5]
