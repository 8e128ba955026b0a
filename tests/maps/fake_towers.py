"""Towers for tests: no weights, vectors that depend on the colour a picture or a caption is about."""

import io
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image, ImageColor, UnidentifiedImageError

from tests.maps.records import COLOURS

DIMENSIONS = 16


@dataclass
class Encoded:
    """As in `embeddings`, without its torch."""

    vectors: np.ndarray
    tokens: int = 0
    errors: dict[int, str] = field(default_factory=dict)


@dataclass
class FakeModel:
    """Takes the place of `embeddings.Model`."""

    name: str = "fake"
    revision: str = "1"
    dimensions: int = DIMENSIONS
    #: Seconds for a batch, for tests that want to be in the middle of one.
    seconds: float = 0.0
    embedded: int = 0
    device: Any = field(default_factory=lambda: SimpleNamespace(type="cpu"))

    def encode_texts(
        self,
        texts: Sequence[str],
        *,
        task: str,  # noqa: ARG002 - its signature
        dimensions: int | None = None,
        long_text_mode: str = "truncate",  # noqa: ARG002 - its signature
        progress: Callable[[int, int], None] = lambda *_: None,
    ) -> Encoded:
        self._work(progress, len(texts))
        vectors = np.stack([_vector((text.split() or [""])[0], text) for text in texts])[:, :dimensions]
        return Encoded(vectors, tokens=sum(len(text.split()) for text in texts))

    def encode_images(
        self,
        pictures: Sequence[bytes],
        *,
        on_error: str,  # noqa: ARG002 - its signature
        progress: Callable[[int, int], None] = lambda *_: None,
    ) -> Encoded:
        self._work(progress, len(pictures))
        vectors = np.full((len(pictures), self.dimensions), np.nan, np.float32)
        errors = {}
        for place, picture in enumerate(pictures):
            try:
                with Image.open(io.BytesIO(picture)) as image:
                    vectors[place] = _vector(_colour(image), str(picture))
            except UnidentifiedImageError:
                errors[place] = "It is not a picture."
        return Encoded(vectors, errors=errors)

    def _work(self, progress: Callable[[int, int], None], count: int) -> None:
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            time.sleep(min(0.05, self.seconds))
            progress(0, count)
        self.embedded += count
        progress(count, count)


def _colour(image: Image.Image) -> str:
    # A corner that `records.py` never repaints; nearly the colour in a JPEG.
    corner = np.array(image.convert("RGB").getpixel((11, 9)))
    return min(COLOURS, key=lambda name: float(np.abs(np.array(ImageColor.getrgb(name)) - corner).sum()))


def _vector(colour: str, identity: str) -> np.ndarray:
    """One direction for each colour, with a little of its own for everything that is different."""
    vector = np.random.default_rng(zlib.crc32(identity.encode())).normal(scale=0.1, size=DIMENSIONS)
    if colour in COLOURS:
        vector[COLOURS.index(colour)] += 1
    return (vector / np.linalg.norm(vector)).astype(np.float32)
