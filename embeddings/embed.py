"""The command `embed`: a file of texts or a list of pictures in, one .npy file out."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from embeddings.encode import Model, Progress, load_model
from embeddings.errors import EmbeddingError, ItemError
from embeddings.models import DEFAULT, TASKS
from embeddings.pooling import to_bits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--model", metavar="NAME", help=f"a registered model (default {DEFAULT})")
    add("--text-tower", type=Path, metavar="DIR", help="a folder to use as the text tower")
    add("--vision-tower", type=Path, metavar="DIR", help="a folder to use as the vision tower")
    inputs = parser.add_mutually_exclusive_group(required=True)
    inputs.add_argument("--texts", type=Path, metavar="FILE", help="a file with one JSON string a line")
    inputs.add_argument("--images", type=Path, nargs="+", metavar="FILE", help="picture files")
    add("--output", type=Path, required=True, metavar="FILE.npy", help="float32, N x d, in the input's order")
    add("--task", choices=(*TASKS, "none"), help="what the vectors are for (default search_document)")
    add("--dimensions", type=int, metavar="D", help="shorten the vectors to D")
    add("--long-text-mode", choices=("truncate", "mean"), help="what to do beyond the context length")
    add("--rotary-scaling-factor", type=float, metavar="F", help="stretch the context, as 2 does")
    add("--binary", action="store_true", help="one bit a dimension: uint8, N x d/8")
    add("--int8", action="store_true", help="faster on a CPU, a little less exact")


def run(options: argparse.Namespace) -> None:
    _check(options)
    model = load_model(
        options.model or DEFAULT,
        text_tower=options.text_tower,
        vision_tower=options.vision_tower,
        device="cpu" if options.int8 else None,  # int8 runs nowhere else
        quantize="int8" if options.int8 else None,
        rotary_scaling_factor=options.rotary_scaling_factor,
    )
    vectors = _of_texts(model, options) if options.texts else _of_images(model, options.images)
    result = to_bits(vectors) if options.binary else vectors
    _write(options.output, result)
    print(f"{options.output}: {result.shape[0]} x {result.shape[1]} {result.dtype}")


def read_texts(path: Path) -> list[str]:
    """The strings of a file with one JSON string a line; empty lines may follow the last one.

    Raises EmbeddingError that names the file and the line.
    """
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise EmbeddingError(f"{path} cannot be read: {error.strerror}") from error
    while lines and not lines[-1].strip():
        lines.pop()
    return [_string(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]


def _string(line: bytes, where: str) -> str:
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise EmbeddingError(f"{where} is not a JSON string: {error}") from error
    if not isinstance(value, str):
        raise EmbeddingError(f"{where} is not a JSON string but {type(value).__name__}")
    return value


def _check(options: argparse.Namespace) -> None:
    towers = options.text_tower or options.vision_tower
    if options.texts and towers and not options.text_tower and not options.model:
        raise EmbeddingError("--texts needs --text-tower or --model")
    if options.images and towers and not options.vision_tower and not options.model:
        raise EmbeddingError("--images needs --vision-tower or --model")
    if options.images:
        for name in ("dimensions", "rotary_scaling_factor", "long_text_mode"):
            if getattr(options, name) is not None:
                raise EmbeddingError(
                    f"--{name.replace('_', '-')} is for texts: pictures' vectors have one length"
                )
        if options.task not in (None, "none"):
            raise EmbeddingError("--task is for texts: pictures have no prefix")
    if options.output.is_dir():
        raise EmbeddingError(f"--output {options.output} is a folder, not a file to write")
    if not options.output.parent.is_dir():
        raise EmbeddingError(f"--output: there is no folder {options.output.parent}")


def _of_texts(model: Model, options: argparse.Namespace) -> NDArray[np.float32]:
    texts = read_texts(options.texts)
    task = options.task or "search_document"  # as the publishers' client does
    with _bar(len(texts), "text") as progress:
        return model.encode_texts(
            texts,
            task=None if task == "none" else task,
            dimensions=options.dimensions,
            long_text_mode=options.long_text_mode or "truncate",
            progress=progress,
        ).vectors


def _of_images(model: Model, paths: list[Path]) -> NDArray[np.float32]:
    try:
        with _bar(len(paths), "picture") as progress:
            return model.encode_images(paths, progress=progress).vectors
    except ItemError as error:
        if isinstance(error.item, int):
            raise ItemError(str(paths[error.item]), error.reason) from error
        raise


@contextmanager
def _bar(total: int, unit: str) -> Iterator[Progress]:
    """A progress bar on a terminal's stderr, as the callable that `encode_…` takes."""
    with tqdm(total=total, unit=unit, disable=not sys.stderr.isatty()) as bar:

        def progress(done: int, _total: int) -> None:
            bar.update(done - bar.n)

        yield progress


def _write(path: Path, array: NDArray[Any]) -> None:
    """Whole or not at all: written beside the place, then moved there."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            np.save(file, array)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise EmbeddingError(f"{path} cannot be written: {error.strerror}") from error
