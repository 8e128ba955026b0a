import numpy as np
import pytest

from atlas.search.cut import relevance_cut


@pytest.mark.parametrize(("relevant", "gap"), [(5, 8.0), (50, 5.0), (300, 5.0)])
@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.09, 0.01), (-3.0, 40.0)])
def test_it_finds_what_stands_out_at_any_level_and_scale(
    relevant: int, gap: float, shift: float, scale: float
) -> None:
    rng = np.random.default_rng(relevant)
    scores = np.concatenate([rng.normal(size=5000), rng.normal(loc=gap, size=relevant)]) * scale + shift
    cut = relevance_cut(scores.astype(np.float32))

    found = scores >= cut
    precision = found[5000:].sum() / found.sum()
    recall = found[5000:].mean()

    assert precision >= 0.75  # of five, one more than expected by chance may come along
    assert recall >= 0.8


def test_pure_noise_gives_next_to_nothing() -> None:
    scores = np.random.default_rng(4).normal(size=10_000).astype(np.float32)

    assert (scores >= relevance_cut(scores)).sum() < 5


@pytest.mark.parametrize(
    ("scores", "found"), [([0.4], 1), ([1, 1, 1, 1], 1), ([0, 0, 0, 0, 0, 3, 2], 2), ([1, 2], 1)]
)
def test_small_and_flat_sets_have_at_least_one_hit(scores: list[float], found: int) -> None:
    values = np.array(scores, np.float32)
    expected = len(values) if found == 1 and len(set(scores)) == 1 else found

    assert (values >= relevance_cut(values)).sum() == expected
