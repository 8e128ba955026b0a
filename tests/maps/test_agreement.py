"""How well captions fit their pictures: against random pairs, whatever the gap between the modalities."""

import numpy as np
import pytest

from atlas.maps.agreement import LEAST, agreement
from atlas.maps.work import Cancelled

COUNT, SIZE = 700, 32  # more than the cohort


def pairs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and captions of the same things, each modality shifted to an island of its own."""
    random = np.random.default_rng(seed)
    things = random.normal(size=(COUNT, SIZE))
    islands = random.normal(scale=3, size=(2, SIZE))
    found = [things + random.normal(scale=0.4, size=things.shape) + island for island in islands]
    pictures, captions = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in found)
    return pictures.astype(np.float16), captions.astype(np.float16)


def test_captions_of_other_pictures_come_last() -> None:
    pictures, captions = pairs()
    wrong = np.random.default_rng(1).choice(COUNT, 40, replace=False)
    captions[wrong] = captions[np.roll(wrong, 1)]

    score = agreement(pictures, captions)

    assert score is not None
    worst = np.argsort(score)[: len(wrong)]
    assert np.isin(worst, wrong).mean() > 0.95
    bare = (pictures.astype(np.float32) * captions.astype(np.float32)).sum(axis=1)
    assert np.isin(np.argsort(bare)[: len(wrong)], wrong).mean() < 0.5
    assert abs(float(score[wrong].mean())) < 0.5  # as a caption at random
    assert float(np.median(score)) > 2


def test_a_caption_that_is_near_to_every_picture_gains_nothing() -> None:
    pictures, captions = pairs()
    middle = pictures.astype(np.float32).mean(axis=0)
    captions[5] = middle / np.linalg.norm(middle)

    score = agreement(pictures, captions)

    assert score is not None
    bare = (pictures.astype(np.float32) * captions.astype(np.float32)).sum(axis=1)
    assert (bare > bare[5]).mean() < 0.5
    assert (score < score[5]).mean() < 0.1


def test_it_is_what_the_formula_says() -> None:
    pictures, captions = (each[:60].astype(np.float32) for each in pairs())
    centred = [each - each.mean(axis=0) for each in (pictures, captions)]
    left, right = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in centred)
    cosines = left @ right.T
    others = ~np.eye(60, dtype=bool)
    expected = [
        (
            (cosines[i, i] - cosines[i][others[i]].mean()) / cosines[i][others[i]].std()
            + (cosines[i, i] - cosines[:, i][others[i]].mean()) / cosines[:, i][others[i]].std()
        )
        / 2
        for i in range(60)
    ]

    score = agreement(pictures, captions)

    assert score is not None
    np.testing.assert_allclose(score, expected, rtol=1e-3)


def test_where_all_are_the_same_nothing_fits_better() -> None:
    same = np.tile(pairs()[0][:1], (20, 1))

    assert agreement(same, same) == pytest.approx(np.zeros(20))


def test_a_handful_of_records_has_none() -> None:
    pictures, captions = pairs()
    assert agreement(pictures[: LEAST - 1], captions[: LEAST - 1]) is None


def test_it_stops_when_asked() -> None:
    with pytest.raises(Cancelled):
        agreement(*pairs(), cancelled=lambda: True)
