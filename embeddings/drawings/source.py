"""Emoji scenes as a source of training pictures."""

import random
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from embeddings.augment import DRAWN, STILL, Freedom, Sprites, compose, disturb, random_grounds
from embeddings.drawings.art import Art, build_art
from embeddings.drawings.emoji import Emoji, Sources, read_emoji
from embeddings.drawings.scenes import GROUNDS, Scene, composed_scenes, single_scenes
from embeddings.drawings.sets import read_sets
from embeddings.drawings.uses import uses_of

_ART_SIDE = 72
_COMPOSED_SHARE = 0.1
_STILL_SHARE = 0.35  # shown as they are, on white
_USES_AGAIN = 3  # what a thing is for would drown in its names and keywords
_COLOUR_WORDS = frozenset(GROUNDS) | {"light", "dark"}
_SIDED = frozenset(
    ("left", "right", "left-pointing", "right-pointing", "clockwise", "counterclockwise", "clock")
)


class DrawnScenes:
    """The `Source` of `embeddings.samples` for drawings."""

    def __init__(self, emoji: list[Emoji], art: Art, *, composed: int = 20_000) -> None:
        rng = random.Random(7)
        singles = single_scenes(emoji, rng)
        together = composed_scenes(emoji, singles, composed, rng)
        self._art = art
        self._scenes: list[Scene] = singles + together
        self._flip = np.array([_may_flip(one) for one in emoji])
        self._recolour = np.array([_may_recolour(one) for one in emoji])
        again = [_USES_AGAIN * tuple(uses_of(one)) for one in emoji] + [()] * composed
        self.captions = [(*scene.captions, *more) for scene, more in zip(self._scenes, again, strict=True)]
        self.also_true = [scene.also_true for scene in self._scenes]
        alone = np.array([scene.weight for scene in singles])
        share = alone.sum() * _COMPOSED_SHARE / (1 - _COMPOSED_SHARE) / max(1, composed)
        self.weights = np.concatenate((alone, np.full(composed, share)))

    def draw(self, chosen: NDArray[np.int64], side: int, generator: Generator) -> Tensor:
        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        still = torch.from_numpy(rng.random(len(chosen)) < _STILL_SHARE)
        pictures = torch.empty(len(chosen), 3, side, side)
        pictures[still] = self._compose(chosen[still.numpy()], side, STILL, rng, generator)
        pictures[~still] = disturb(
            self._compose(chosen[~still.numpy()], side, DRAWN, rng, generator), generator
        )
        return pictures

    def _compose(
        self,
        chosen: NDArray[np.int64],
        side: int,
        freedom: Freedom,
        rng: np.random.Generator,
        generator: Generator,
    ) -> Tensor:
        if len(chosen) == 0:
            return torch.empty(0, 3, side, side)
        scenes = [self._scenes[i] for i in chosen]
        members = np.array([member for scene in scenes for member in scene.members])
        counts = [len(scene.members) for scene in scenes]
        centre, scale = _places(counts, rng)
        sprites = Sprites(
            pixels=torch.from_numpy(self._art.pixels[[self._style(member, rng) for member in members]]),
            picture=torch.from_numpy(np.repeat(np.arange(len(scenes)), counts)),
            depth=torch.from_numpy(np.concatenate([np.arange(count) for count in counts])),
            centre=torch.from_numpy(centre).float(),
            scale=torch.from_numpy(scale).float(),
            flip=torch.from_numpy(self._flip[members]),
            recolour=torch.from_numpy(self._recolour[members]),
        )
        if freedom is STILL:
            grounds = torch.ones(len(scenes), 3, side, side)
        else:
            grounds = random_grounds(len(scenes), side, generator)
        for i, scene in enumerate(scenes):
            if scene.ground is not None:
                grounds[i] = torch.tensor(scene.ground).view(3, 1, 1) / 255
        return compose(sprites, grounds, freedom, generator)

    def _style(self, member: int, rng: np.random.Generator) -> int:
        start, end = self._art.starts[member], self._art.starts[member + 1]
        return int(start + rng.choice(end - start, p=self._art.weights[start:end]))


def _places(counts: list[int], rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the members of each scene stand: centres (L, 2) in -1…1 and scales (L,)."""
    centres, scales = [], []
    for count in counts:
        scale = rng.uniform(0.62, 1.06) if count == 1 else rng.uniform(0.75, 1.0) / (2 if count == 2 else 2.6)
        line = np.linspace(-1, 1, count + 1)
        along = (line[:-1] + line[1:]) / 2 if count > 1 else np.zeros(1)
        across = rng.uniform(-0.35, 0.35, count) if count > 1 else np.zeros(1)
        places = np.stack((along, across), axis=1)
        room = abs(1 - scale) if count == 1 else 0.08
        centres.append(
            (places if rng.random() < 0.75 else places[:, ::-1]) + rng.uniform(-room, room, (count, 2))
        )
        scales.append(np.full(count, scale) * rng.uniform(0.9, 1.1, count))
    return np.concatenate(centres), np.concatenate(scales)


def _may_flip(emoji: Emoji) -> bool:
    return emoji.group not in ("Flags", "Symbols") and emoji.subgroup != "time" and not _words(emoji) & _SIDED


def _may_recolour(emoji: Emoji) -> bool:
    return emoji.group not in ("Flags", "Symbols", "People & Body") and not _words(emoji) & _COLOUR_WORDS


def _words(emoji: Emoji) -> set[str]:
    return set(emoji.name.replace(":", " ").split())


def open_drawings(art_file: Path, *, sets: Path | None = None, processes: int = 1) -> DrawnScenes:
    """All emoji of this machine's fonts, and of the icon sets in the folder `sets`.

    Their art is drawn once, in minutes, and kept in `art_file` (1 GB with eight sets). Raises EmbeddingError.
    """
    sources = Sources()
    emoji = read_emoji(sources)
    if not art_file.exists():
        others = {} if sets is None else read_sets(sets, emoji)
        build_art(emoji, sources, _ART_SIDE, others=others, processes=processes).save(art_file)
    return DrawnScenes(emoji, Art.load(art_file))
