"""Every emoji in several styles, as one array."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from embeddings.drawings.artist import SIDE, Artist, centred, colour_in, flatten, main_colours
from embeddings.drawings.emoji import Emoji, Sources
from embeddings.drawings.sets import Drawing

_BLACK = (0, 0, 0)
_OTHERS = 1.2  # how often the drawings of other artists are wanted; ours add up to 0.5 … 1


@dataclass(frozen=True)
class Art:
    """Sprites: `pixels` (A, side, side, 4) uint8 RGBA; emoji i owns rows starts[i] to starts[i + 1]."""

    pixels: NDArray[np.uint8]
    starts: NDArray[np.int64]  # (emoji + 1,)
    weights: NDArray[np.float64]  # (A,), how often each style is wanted; they add up to 1 for every emoji

    def save(self, path: Path) -> None:
        np.savez(path, pixels=self.pixels, starts=self.starts, weights=self.weights)

    @classmethod
    def load(cls, path: Path) -> Self:
        arrays = np.load(path)
        return cls(arrays["pixels"], arrays["starts"], arrays["weights"])


def build_art(
    emoji: Sequence[Emoji],
    sources: Sources,
    side: int,
    *,
    others: Mapping[str, Sequence[Drawing]] | None = None,
    processes: int = 1,
) -> Art:
    """Draw all styles of all emoji, with the drawings of other artists (`read_sets`) beside our own.

    About 20 ms of processor time for each emoji, 5 ms more for each drawing.
    """
    sources.require(line_fonts=True)
    draw = partial(_sprites, Artist(sources), side=side)
    drawings = [(others or {}).get(one.text, ()) for one in emoji]
    with ProcessPoolExecutor(processes) as pool:
        drawn = list(
            tqdm(
                pool.map(draw, emoji, drawings, chunksize=64), total=len(emoji), desc="drawing", unit="emoji"
            )
        )
    counts = [len(weights) for _, weights in drawn]
    return Art(
        pixels=np.concatenate([sprites for sprites, _ in drawn]),
        starts=np.concatenate(([0], np.cumsum(counts))),
        weights=np.concatenate([weights for _, weights in drawn]),
    )


def _sprites(
    artist: Artist, emoji: Emoji, others: Sequence[Drawing], *, side: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    styled = _styles(artist, emoji) + _styles_of_others(others)
    pixels = np.stack([_shrink(picture, side) for picture, _ in styled])
    weights = np.array([weight for _, weight in styled])
    return pixels, weights / weights.sum()


def _styles(artist: Artist, emoji: Emoji) -> list[tuple[Image.Image, float]]:
    picture = artist.draw(emoji)
    styled = [
        (picture, 0.30),
        (flatten(picture, 8, line=3, line_colour=_BLACK), 0.16),
        (flatten(picture, 6, line=0, line_colour=_BLACK), 0.08),
    ]
    if emoji.toned:
        return styled
    styled += [
        (flatten(picture, 5, line=5, line_colour=(30, 20, 20)), 0.08),
        (flatten(picture, 8, line=3, line_colour=_BLACK, filled=False), 0.06),
    ]
    fills = main_colours(picture, 3)
    for ink in artist.lines(emoji)[:2]:
        styled += [
            (colour_in(ink, None, _BLACK), 0.03),
            (colour_in(ink, (255, 255, 255), _BLACK), 0.03),
            (colour_in(ink, fills[0], _BLACK), 0.09),
            (colour_in(ink, fills[-1], (40, 30, 50)), 0.05),
        ]
    return styled


def _styles_of_others(others: Sequence[Drawing]) -> list[tuple[Image.Image, float]]:
    """As they are, and redrawn with dark outlines: together somewhat more often than all of our own."""
    styled = []
    for drawing in others:
        picture = centred(drawing.picture(SIDE), SIDE)
        styled.append((picture, _OTHERS * 0.7 / len(others)))
        styled.append((flatten(picture, 8, line=3, line_colour=_BLACK), _OTHERS * 0.3 / len(others)))
    return styled


def _shrink(picture: Image.Image, side: int) -> NDArray[np.uint8]:
    # Pillow weighs RGBA by its alpha while resizing, so no dark fringe comes from clear pixels.
    return np.asarray(picture.resize((side, side), Image.Resampling.LANCZOS))
