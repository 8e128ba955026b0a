"""How well the caption of each record fits its picture, against captions and pictures drawn at random.

The bare cosine between a picture and its caption cannot be compared between records: each modality lies on
an island of its own (Liang et al., "Mind the gap", 2022), and some captions are near to every picture. So
both are centred first, as for the joint map, and each cosine s is measured against those of random pairs,
once with the same picture and once with the same caption, as speaker verification normalises its scores
(S-norm: Shum, Dehak, Dehak, Glass, "Unsupervised speaker adaptation based on the cosine similarity", 2010):

    z = (s - mean of the picture with others' captions) / their standard deviation
    agreement = the mean of z and of the same for the caption with others' pictures

0: a caption at random would fit as well. The cosine itself is that of CLIPScore (Hessel et al., 2021).

Where the modality gap is small the bare cosine finds wrong captions as well; where some captions are near to
every picture it does not, which `tests/maps/test_agreement.py` shows.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from atlas.maps.centred import centred, middle_of
from atlas.maps.work import Progress, Work

Floats = npt.NDArray[np.float32]
Vectors = npt.NDArray[np.floating]

#: With fewer records there is no telling what a random pair is like.
LEAST = 10
#: Records whose captions and pictures stand for all: a deviation is known to 3 %, for 1.6 MFLOP a record.
COHORT = 512
_CHUNK = 2048


def agreement(
    pictures: Vectors,
    captions: Vectors,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Floats | None:
    """(n,) of n records with both, whose vectors (n, d) have length one; None of fewer than LEAST.

    Raises `Cancelled` soon after `cancelled()` turned true.
    """
    n = len(pictures)
    if n < LEAST:
        return None
    cohort = np.sort(np.random.default_rng(0).choice(n, min(n, COHORT), replace=False))
    middles = [middle_of([vectors], vectors.shape[1]) for vectors in (pictures, captions)]
    some_pictures = centred(pictures[cohort], middles[0])
    some_captions = centred(captions[cohort], middles[1])
    score = np.empty(n, np.float32)

    def measure(start: int) -> Floats:
        rows = slice(start, start + _CHUNK)
        picture, caption = centred(pictures[rows], middles[0]), centred(captions[rows], middles[1])
        own = np.einsum("nd,nd->n", picture, caption)
        itself = np.isin(np.arange(start, start + len(own)), cohort)
        by_picture = _against(own, picture @ some_captions.T, itself)
        by_caption = _against(own, caption @ some_pictures.T, itself)
        part: Floats = ((by_picture + by_caption) / 2).astype(np.float32)
        return part

    def keep(start: int, part: Floats) -> None:
        score[start : start + len(part)] = part
        work.say("agreement", start + len(part), n)

    with Work(progress, cancelled) as work:
        work.each(range(0, n, _CHUNK), measure, keep)
    return score


def _against(own: Floats, random: Floats, itself: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """(m,) standard scores of `own` (m,) among cosines `random` (m, c), its own left out where `itself`."""
    others = random.shape[1] - itself
    own64 = own.astype(np.float64)
    mean = (random.sum(axis=1, dtype=np.float64) - own64 * itself) / others
    square = (np.square(random, dtype=np.float64).sum(axis=1) - own64**2 * itself) / others
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    # All the same up to the rounding of float16: nothing fits better than anything else.
    flat = deviation < 1e-4
    score: npt.NDArray[np.float64] = np.where(flat, 0, (own64 - mean) / np.where(flat, 1, deviation))
    return score
