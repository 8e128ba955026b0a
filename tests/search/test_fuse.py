from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from atlas.search import fuse
from atlas.search.fuse import Matches, as_glow, histogram, top
from atlas.search.scan import Scores

NAN = float("nan")
SCORES = np.array([5, 4, 3, 0, -1, NAN], np.float32)


def best_rows(
    seen: Scores,
    words: Sequence[int],
    cut: float,
    count: int,
    share: float = 1,
    places: Sequence[int] | None = None,
    whole: Sequence[bool] | None = None,
) -> tuple[NDArray[np.intp], int]:
    """Each of the words has a place of its own unless `places` are given, and all of the wanted texts."""
    ordered = np.sort(seen[~np.isnan(seen)])
    placed = np.arange(1, len(words) + 1) if places is None else np.array(places, np.intp)
    has_all = np.ones(len(words), np.bool_) if whole is None else np.array(whole, np.bool_)
    matches = Matches(np.array(words, np.intp), placed, has_all)
    return fuse.best_rows(seen, ordered, matches, share, cut, count)


def test_without_words_the_order_is_that_of_the_scores() -> None:
    rows, relevant = best_rows(SCORES, [], 3, 10)

    assert rows.tolist() == [0, 1, 2, 3, 4]
    assert relevant == 3


def test_what_both_lists_name_comes_before_what_one_names() -> None:
    rows, relevant = best_rows(SCORES, [2], 3, 10)

    assert rows.tolist() == [2, 0, 1, 3, 4]
    assert relevant == 3


def test_words_make_a_record_relevant_below_the_cut_and_without_a_vector() -> None:
    rows, relevant = best_rows(SCORES, [5, 3], 3, 10)

    assert relevant == 5
    assert set(rows[:5]) == {0, 1, 2, 3, 5}
    assert rows[5] == 4


def test_the_worth_of_a_record_is_the_sum_of_its_reciprocal_ranks() -> None:
    rows, _ = best_rows(SCORES, [4, 1], -2, 10)
    worth = {0: 1 / 61, 1: 1 / 62 + 1 / 62, 2: 1 / 63, 3: 1 / 64, 4: 1 / 65 + 1 / 61}

    assert rows.tolist() == sorted(worth, key=lambda row: -worth[row])


def test_what_has_the_words_equally_well_is_ordered_by_its_scores() -> None:
    rows, _ = best_rows(SCORES, [1, 3, 4], -2, 10, places=[1, 1, 1])

    assert rows[:3].tolist() == [1, 3, 4]


def test_the_order_of_rows_that_are_equally_good_changes_nothing() -> None:
    scores = np.array([5, 4, 4, 1, 1, NAN], np.float32)
    turned = [5, 3, 4, 1, 2, 0]

    rows, relevant = best_rows(scores, [1, 2, 3, 5], 3, 10, places=[1, 1, 3, 3])
    again, the_same = best_rows(
        scores[turned], [turned.index(row) for row in (2, 1, 5, 3)], 3, 10, places=[1, 1, 3, 3]
    )

    assert {1, 2} == set(rows[:2].tolist()) == {turned[row] for row in again[:2]}
    assert relevant == the_same == 5


def test_beside_other_wishes_words_lift_by_their_share_and_make_nothing_relevant() -> None:
    rows, relevant = best_rows(SCORES, [5, 1], 3, 10, share=0.5)

    assert relevant == 3
    assert rows.tolist() == [1, 0, 2, 3, 4, 5]


def test_who_has_some_of_the_wanted_texts_is_lifted_and_not_made_relevant() -> None:
    rows, relevant = best_rows(SCORES, [3, 1, 4], 3, 10, whole=[True, False, False])

    assert relevant == 4
    assert rows.tolist() == [1, 3, 0, 2, 4]


def test_a_page_is_the_beginning_of_a_longer_one() -> None:
    rng = np.random.default_rng(1)
    scores, words = rng.normal(size=500).astype(np.float32), rng.permutation(500)[:80].tolist()

    whole, _ = best_rows(scores, words, 1.5, 500)
    page, _ = best_rows(scores, words, 1.5, 40)

    assert page.tolist() == whole[:40].tolist()


def test_what_is_not_allowed_is_no_hit() -> None:
    allowed = np.array([False, True, True, False, False, False])
    rows, relevant = best_rows(np.where(allowed, SCORES, np.float32(NAN)), [], 3, 10)

    assert (rows.tolist(), relevant) == ([1, 2], 2)


def test_the_histogram_counts_every_score() -> None:
    found = histogram(np.array([-1, 0, 0, 3], np.float32))

    assert found is not None
    assert (found["from"], found["to"], len(found["counts"]), sum(found["counts"])) == (-1, 3, 64, 4)
    assert histogram(np.zeros(0, np.float32)) is None


def test_the_histogram_is_numpys() -> None:
    scores = np.sort(np.random.default_rng(2).normal(size=5000).astype(np.float32))
    found = histogram(scores)

    assert found is not None
    assert found["counts"] == np.histogram(scores, 64)[0].tolist()


def test_the_top_has_no_more_than_asked_for_where_many_score_the_same() -> None:
    scores = np.array([1, 2, NAN, 2, 2, 3], np.float32)

    assert top(scores, np.array([1, 2, 2, 2, 3], np.float32), 3).tolist() == [5, 1, 3]
    assert top(np.full(4, NAN, np.float32), np.zeros(0, np.float32), 3).tolist() == []


@pytest.mark.parametrize(("score", "byte"), [(5.0, 255), (3.0, 128), (NAN, 0), (-40.0, 0)])
def test_the_glow_has_its_middle_at_the_cut(score: float, byte: int) -> None:
    scores = np.array([5, score, *np.random.default_rng(1).normal(size=99)], np.float32)

    assert as_glow(scores, 3)[1] == byte
