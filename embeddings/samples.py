"""Batches for training: which pictures, which caption of each, and which captions must not count as wrong."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Generator, Tensor

EmbedTexts = Callable[[list[str]], NDArray[np.float32]]
_TITLE_SHARE = 0.55  # how often a picture's first caption is the one it is shown with


class Source(Protocol):
    """Captioned pictures that can be drawn again and again, a little different each time."""

    @property
    def captions(self) -> Sequence[tuple[str, ...]]:
        """Of each picture, the title first; one that is given again is shown more often."""

    @property
    def also_true(self) -> Sequence[tuple[str, ...]]:
        """Further captions that must not count as wrong for it."""

    @property
    def weights(self) -> NDArray[np.float64]:
        """How often each picture is wanted."""

    def draw(self, chosen: NDArray[np.int64], side: int, generator: Generator) -> Tensor:
        """Pictures (N, 3, side, side), float32, 0…1."""


@dataclass(frozen=True)
class Batch:
    pixels: Tensor  # (N, 3, S, S), normalised
    texts: Tensor  # (N, D)
    centres: Tensor  # (N, D) the mean direction of each picture's captions
    true: Tensor  # (N, N) bool: caption j is right for picture i
    bank: Tensor  # (M, D) captions beyond the batch's own
    true_in_bank: Tensor  # (N, M) bool

    def to(self, device: str) -> "Batch":
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})


@dataclass(frozen=True)
class BatchShape:
    pictures: int
    bank: int
    side: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class Subject:
    """What a run is taught, for a later one to tell whether it is taught the same."""

    captions: str  # a digest
    middle: Tensor  # (D,) the mean of their vectors


class Batches:
    """Batches by step number: the same seed and number give the same batch."""

    def __init__(self, source: Source, embed_texts: EmbedTexts, shape: BatchShape, seed: int) -> None:
        self._source, self._shape, self._seed = source, shape, seed
        texts = list(dict.fromkeys(text for texts in (*source.captions, *source.also_true) for text in texts))
        number = {text: i for i, text in enumerate(texts)}
        self._captions = [np.array([number[text] for text in own]) for own in source.captions]
        self._true = [
            frozenset(number[text] for text in (*own, *other))
            for own, other in zip(source.captions, source.also_true, strict=True)
        ]
        self._vectors = torch.from_numpy(embed_texts(texts))
        self._centres = torch.stack([self._centre(ids) for ids in self._captions])
        self._chances = source.weights / source.weights.sum()

    @property
    def subject(self) -> Subject:
        captions = repr([[*texts] for texts in (*self._source.captions, *self._source.also_true)])
        return Subject(hashlib.sha256(captions.encode()).hexdigest(), self._vectors.mean(dim=0))

    def __call__(self, step: int) -> Batch:
        shape = self._shape
        rng = np.random.default_rng((self._seed, step))
        generator = Generator().manual_seed(int(rng.integers(2**62)))
        chosen = rng.choice(len(self._chances), shape.pictures, p=self._chances)
        shown = [self._caption(i, rng) for i in chosen]
        bank = [
            int(self._captions[i][0]) for i in rng.choice(len(self._chances), shape.bank, p=self._chances)
        ]
        mean, std = torch.tensor(shape.mean)[:, None, None], torch.tensor(shape.std)[:, None, None]
        return Batch(
            pixels=(self._source.draw(chosen, shape.side, generator) - mean) / std,
            texts=self._vectors[shown],
            centres=self._centres[chosen],
            true=self._truth(chosen, shown),
            bank=self._vectors[bank],
            true_in_bank=self._truth(chosen, bank),
        )

    def _centre(self, ids: NDArray[np.int64]) -> Tensor:
        vectors = self._vectors[ids]
        return F.normalize(vectors[0] + vectors.mean(dim=0), dim=0)

    def _caption(self, picture: int, rng: np.random.Generator) -> int:
        captions = self._captions[picture]
        return int(captions[0] if rng.random() < _TITLE_SHARE else rng.choice(captions))

    def _truth(self, pictures: NDArray[np.int64], texts: Sequence[int]) -> Tensor:
        columns: dict[int, list[int]] = {}
        for column, text in enumerate(texts):
            columns.setdefault(text, []).append(column)
        truth = torch.zeros(len(pictures), len(texts), dtype=torch.bool)
        for row, picture in enumerate(pictures):
            right = self._true[picture] & columns.keys()
            truth[row, [column for text in right for column in columns[text]]] = True
        return truth
