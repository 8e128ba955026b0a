"""A dataset in any form people upload as a source of training pictures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from PIL import Image
from torch import Generator, Tensor
from tqdm import tqdm

from embeddings.augment import PHOTOGRAPHED, Sprites, compose, disturb, random_grounds
from embeddings.errors import ItemError, TrainingError
from embeddings.pixels import open_picture
from embeddings.readers import Dataset, DatasetError, ReadError, Row, open_dataset

_LARGEST = 1.6  # how far a picture is enlarged before its frame is cut out; 1.1 at least, so no edge shows
_KEPT = 1.25  # pictures are kept this much larger than the tower wants them


class Album:
    """The `Source` of `embeddings.samples` for a dataset's pictures that have captions.

    Decoded once, to a file in `folder` of about 5 × side² bytes a picture. Pictures that cannot be read are
    left out and counted in `skipped`. Raises TrainingError when none is left.
    """

    def __init__(self, dataset: Path, side: int, folder: Path) -> None:
        self.skipped = 0
        try:
            with open_dataset(dataset) as opened:
                self.captions, self._pictures = self._decode(
                    opened, round(side * _KEPT), folder / "pictures.npy"
                )
        except DatasetError as error:
            raise TrainingError(f"{dataset}: {error}") from error
        if not self.captions:
            raise TrainingError(f"{dataset} has no readable picture with a caption")
        self.also_true: list[tuple[str, ...]] = [()] * len(self.captions)
        self.weights = np.ones(len(self.captions))

    def draw(self, chosen: NDArray[np.int64], side: int, generator: Generator) -> Tensor:
        count = len(chosen)
        scale = 1.1 + torch.rand(count, generator=generator) * (_LARGEST - 1.1)
        room = (scale - 1.1)[:, None]
        sprites = Sprites(
            pixels=torch.from_numpy(self._pictures[chosen]),
            picture=torch.arange(count),
            depth=torch.zeros(count, dtype=torch.long),
            centre=(torch.rand(count, 2, generator=generator) * 2 - 1) * room,
            scale=scale,
            flip=torch.ones(count, dtype=torch.bool),
            recolour=torch.zeros(count, dtype=torch.bool),
        )
        grounds = random_grounds(count, side, generator)
        return disturb(compose(sprites, grounds, PHOTOGRAPHED, generator), generator)

    def _decode(
        self, dataset: Dataset, side: int, path: Path
    ) -> tuple[list[tuple[str, ...]], NDArray[np.uint8]]:
        # Counted first and then read again: rows of a table of pictures hold their bytes.
        count = sum(1 for _ in _usable(dataset))
        if not count:
            return [], np.empty((0, side, side, 4), np.uint8)
        pictures = open_memmap(path, "w+", np.uint8, (count, side, side, 4))
        captions: list[tuple[str, ...]] = []
        for row in tqdm(_usable(dataset), desc="decoding", total=count, unit="picture"):
            picture = _decoded(row, side)
            if picture is None:
                self.skipped += 1
                continue
            pictures[len(captions)] = picture
            captions.append(tuple(dict.fromkeys(row.captions)))
        return captions, pictures


def _usable(dataset: Dataset) -> Iterator[Row]:
    return (row for row in dataset if isinstance(row, Row) and row.picture and row.captions)


def _decoded(row: Row, side: int) -> NDArray[np.uint8] | None:
    assert row.picture is not None
    try:
        image = open_picture(row.picture.read(), item=row.picture.name)
    except (ItemError, ReadError):
        return None
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC).convert("RGBA"))
