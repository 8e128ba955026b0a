"""Which drawings stand together in a training picture, on what ground, and what is said about it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from embeddings.drawings.captions import captions_for, spoken_name
from embeddings.drawings.emoji import Emoji

GROUNDS: dict[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "red": (200, 40, 40),
    "green": (60, 150, 70),
    "blue": (50, 90, 200),
    "yellow": (245, 215, 70),
    "orange": (240, 140, 50),
    "purple": (130, 70, 160),
    "pink": (245, 160, 190),
    "brown": (130, 90, 60),
    "grey": (140, 140, 140),
}
_TONED_WEIGHT = 0.4  # five tones of one gesture would otherwise be seen five times as often as a cat
_NUMBERS = {2: "two", 3: "three"}


@dataclass(frozen=True)
class Scene:
    """One training picture before it is drawn."""

    members: tuple[int, ...]  # which emoji, left to right
    captions: tuple[str, ...]  # the first is its title
    also_true: tuple[str, ...]  # captions of others that would not be wrong here
    weight: float
    ground: tuple[int, int, int] | None = None


def single_scenes(emoji: Sequence[Emoji], rng: random.Random) -> list[Scene]:
    return [
        Scene((i,), tuple(captions_for(one, rng)), (), _TONED_WEIGHT if one.toned else 1.0)
        for i, one in enumerate(emoji)
    ]


def composed_scenes(
    emoji: Sequence[Emoji], singles: Sequence[Scene], count: int, rng: random.Random
) -> list[Scene]:
    """Two or three things side by side, or one on a ground whose colour is named."""
    plain = [i for i, one in enumerate(emoji) if not one.toned]
    scenes = []
    for _ in range(count):
        members = _members(plain, rng)
        ground = rng.choice(list(GROUNDS)) if len(members) == 1 or rng.random() < 0.3 else None
        said = _said([spoken_name(emoji[i]) for i in members], rng)
        if ground is not None:
            said += f" on a {ground} background"
        true = tuple(caption for i in set(members) for caption in singles[i].captions)
        scenes.append(Scene(members, (said,), true, 1.0, None if ground is None else GROUNDS[ground]))
    return scenes


def _members(plain: Sequence[int], rng: random.Random) -> tuple[int, ...]:
    shape = rng.random()
    if shape < 0.2:
        return (rng.choice(plain),)
    if shape < 0.3:
        return (rng.choice(plain),) * rng.choice((2, 3))
    if shape < 0.8:
        return tuple(rng.sample(plain, 2))
    if shape < 0.9:
        one, other = rng.sample(plain, 2)
        return (one, other, other)
    return tuple(rng.sample(plain, 3))


def _said(names: list[str], rng: random.Random) -> str:
    if len(set(names)) == 1:
        return names[0] if len(names) == 1 else f"{_NUMBERS[len(names)]} times {names[0]}"
    if len(names) == 2:
        return f"{names[0]} {rng.choice(('and', 'next to', 'with', 'beside'))} {names[1]}"
    if names[1] == names[2]:
        return f"{names[0]} next to two of {names[1]}"
    return f"{names[0]}, {names[1]} and {names[2]}"
