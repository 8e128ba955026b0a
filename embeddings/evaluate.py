"""The command `evaluate`: how well a model finds pictures by captions and back, or names their class."""

import argparse
import json
import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from embeddings.encode import Model, load_model
from embeddings.errors import EmbeddingError
from embeddings.metrics import (
    Vectors,
    class_vectors,
    ranks_of_classes,
    ranks_of_pictures,
    ranks_of_texts,
    recall,
)
from embeddings.models import DEFAULT
from embeddings.readers import Dataset, DatasetError, Picture, ReadError, Row, open_dataset

_TEMPLATES = ("a photo of a {}.",)
_CHUNK = 256  # pictures whose files are in memory at once


@dataclass(frozen=True)
class Pairs:
    """The pictures of a dataset that could be embedded, with what is said about them."""

    pictures: Vectors  # (N, D)
    captions: list[list[str]]  # of each picture
    labels: list[str]  # of each picture; empty strings where no column was named
    skipped: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--model", metavar="NAME", default=DEFAULT, help=f"a registered model (default {DEFAULT})")
    add("--text-tower", type=Path, metavar="DIR", help="a folder to use as the text tower")
    add("--vision-tower", type=Path, metavar="DIR", help="a folder to use as the vision tower")
    add(
        "--dataset", type=Path, required=True, metavar="PATH", help="a folder, archive or table with pictures"
    )
    add("--label", metavar="COLUMN", help="classify into the values of this column instead of retrieving")
    add("--template", action="append", metavar="TEXT", help="a prompt with {} for the class; may be repeated")
    add("--sample", type=int, metavar="N", help="use N pictures drawn at random")
    add("--seed", type=int, default=0, help="of that draw (default 0)")


def run(options: argparse.Namespace) -> None:
    model = load_model(options.model, text_tower=options.text_tower, vision_tower=options.vision_tower)
    pairs = read_pairs(model, options.dataset, options.label, options.sample, options.seed)
    if options.label:
        figures = zero_shot(model, pairs, options.template or _TEMPLATES)
    else:
        figures = retrieval(model, pairs)
    print(json.dumps(figures, indent=2))


def read_pairs(model: Model, dataset: Path, label: str | None, sample: int | None, seed: int) -> Pairs:
    """Embed the pictures that have captions, or a value in the column `label`; `sample` of them if given.

    Pictures that cannot be read are counted and left out. Raises EmbeddingError when none is left.
    """
    parts: list[tuple[Vectors, list[Row]]] = []
    try:
        with open_dataset(dataset) as opened:
            # Counted first and then read again: rows of a table of pictures hold their bytes.
            count = sum(1 for _ in _usable(opened, label))
            chosen: Collection[int] = range(count)
            if sample is not None and sample < count:
                chosen = set(random.Random(seed).sample(range(count), sample))
            rows = (row for number, row in enumerate(_usable(opened, label)) if number in chosen)
            with tqdm(total=len(chosen), unit="picture") as bar:
                while chunk := list(islice(rows, _CHUNK)):
                    parts.append(_embed(model, chunk))
                    bar.update(len(chunk))
    except DatasetError as error:
        raise EmbeddingError(f"{dataset}: {error}") from error
    kept = [row for _, good in parts for row in good]
    if not kept:
        raise EmbeddingError(f"{dataset} has no readable picture with a {label or 'caption'}")
    return Pairs(
        pictures=np.concatenate([vectors for vectors, _ in parts]),
        captions=[row.captions for row in kept],
        labels=[str(row.values[label]) if label else "" for row in kept],
        skipped=len(chosen) - len(kept),
    )


def retrieval(model: Model, pairs: Pairs) -> dict[str, float]:
    """Recall at 1, 5 and 10 in both directions; every caption of every picture is a query."""
    captions = [caption for own in pairs.captions for caption in own]
    picture_of = np.repeat(np.arange(len(pairs.captions)), [len(own) for own in pairs.captions])
    texts = _texts(model, captions)
    to_pictures = ranks_of_pictures(pairs.pictures, texts, picture_of)
    to_texts = ranks_of_texts(pairs.pictures, texts, picture_of)
    figures: dict[str, float] = {
        "pictures": len(pairs.pictures),
        "captions": len(captions),
        "skipped": pairs.skipped,
    }
    figures |= {f"caption to picture, recall@{k}": recall(to_pictures, k) for k in (1, 5, 10)}
    return figures | {f"picture to caption, recall@{k}": recall(to_texts, k) for k in (1, 5, 10)}


def zero_shot(model: Model, pairs: Pairs, templates: tuple[str, ...] | list[str]) -> dict[str, float]:
    """Top-1 and top-5 accuracy of naming each picture's class by the nearest prompt."""
    for template in templates:
        if "{}" not in template:
            raise EmbeddingError(f"the template {template!r} has no {{}} for the class")
    names = sorted(set(pairs.labels))
    number = {name: i for i, name in enumerate(names)}
    classes = class_vectors([_texts(model, [t.replace("{}", name) for name in names]) for t in templates])
    ranks = ranks_of_classes(pairs.pictures, classes, np.array([number[name] for name in pairs.labels]))
    sizes = {"pictures": len(pairs.pictures), "classes": len(names), "skipped": pairs.skipped}
    return sizes | {"top-1": recall(ranks, 1), "top-5": recall(ranks, 5)}


def _embed(model: Model, rows: list[Row]) -> tuple[Vectors, list[Row]]:
    """The vectors of the rows whose pictures can be read, and those rows without their pictures."""
    vectors = model.encode_images([_bytes(row.picture) for row in rows], on_error="skip").vectors
    good = np.flatnonzero(~np.isnan(vectors).any(axis=1))
    return vectors[good], [replace(rows[i], picture=None) for i in good]


def _usable(dataset: Dataset, label: str | None) -> Iterator[Row]:
    for item in dataset:
        if (
            isinstance(item, Row)
            and item.picture is not None
            and (label in item.values if label else item.captions)
        ):
            yield item


def _bytes(picture: Picture | None) -> bytes:
    assert picture is not None  # see _usable
    try:
        return picture.read()
    except ReadError:
        return b""  # embeds to an error like any other file that is no picture


def _texts(model: Model, texts: list[str]) -> NDArray[np.float32]:
    return model.encode_texts(texts, task="search_query").vectors
