"""Lists of texts and pictures to matrices of vectors, with whichever towers, on whatever device."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from embeddings.batches import Window, by_length, padded, windows
from embeddings.errors import ItemError, ModelError
from embeddings.models import DEFAULT, ModelCard, Side, find_model
from embeddings.packed import pack
from embeddings.pooling import check_dimensions, finish
from embeddings.quantize import quantize_linears
from embeddings.towers import Picture, TextHalf, VisionHalf, load_text, load_vision, width_of
from embeddings.weights import find_tower, fingerprint, revision_of
from embeddings.workers import in_order, single_core_threads

LongTextMode = Literal["truncate", "mean"]
OnError = Literal["raise", "skip"]
Progress = Callable[[int, int], None]
Made = TypeVar("Made")

# Tokens of a text batch, pictures of a picture batch. A CPU is at its peak from 100 rows on and wants the
# rest in its cache; a GPU wants enough rows to hide what starting each operation costs.
_BATCH_TOKENS = {"cpu": 1024, "cuda": 65536}
_BATCH_PICTURES = {"cpu": 4, "cuda": 256}
_MAX_DECODERS = 16  # each holds one picture at full size
# So few texts of so many tokens together, or one picture, are what people search with.
_FEW, _SHORT_TOKENS = 8, 256


@dataclass(frozen=True)
class Encoded:
    """What came out.

    `vectors` (N, d) float32, length 1, in the order of the input. `tokens`: how many tokens were read,
    special tokens and prefixes included. `errors`: why the pictures at these places were skipped; their
    rows are NaN.
    """

    vectors: NDArray[np.float32]
    tokens: int = 0
    errors: dict[int, str] = field(default_factory=dict)


class Model:
    """A pair of towers that write into one space. Made by `embeddings.load_model`.

    Towers are loaded when first used, whole or not at all. Safe to use from several threads at once.
    """

    def __init__(
        self,
        card: ModelCard,
        *,
        text_tower: Path | None = None,
        vision_tower: Path | None = None,
        device: str | None = None,
        dtype: torch.dtype | None = None,
        quantize: Literal["int8"] | None = None,
        rotary_scaling_factor: float | None = None,
    ) -> None:
        self.card = card
        self.device = _device(device)
        self.dtype = dtype or _dtype(self.device)
        self.quantize = quantize
        self.rotary_scaling_factor = rotary_scaling_factor
        given: dict[Side, Path | None] = {"text": text_tower, "vision": vision_tower}
        self._given = {side: folder for side, folder in given.items() if folder is not None}
        self._lock = threading.RLock()
        self._made: dict[str, Any] = {}  # what is loaded or started at first use
        if quantize is not None and (self.device.type != "cpu" or self.dtype != torch.float32):
            raise ModelError("int8 is made from float32 and runs on the CPU only")

    @property
    def name(self) -> str:
        return self.card.name

    @cached_property
    def dimensions(self) -> int:
        """The length of a vector that is not shortened."""
        widths = {width_of(folder) for folder in self._given.values()} or {self.card.dimensions}
        if len(widths) > 1:
            raise ModelError(f"The two towers' vectors have different lengths: {sorted(widths)}")
        return widths.pop()

    @cached_property
    def revision(self) -> str:
        """Which weights these are: where it is equal, vectors are equal, up to rounding.

        Needs the towers' files, and reads them whole where no published revision names them.
        """
        sides: list[Side] = list(self._given) or ["text", "vision"]
        parts = [f"{side}-{self._revision_of(side)}" for side in sides]
        if self.rotary_scaling_factor is not None:
            parts.append(f"rotary-{self.rotary_scaling_factor:g}")
        if self.quantize is not None:
            parts.append(self.quantize)
        return "+".join(parts)

    def encode_texts(
        self,
        texts: Sequence[str],
        *,
        task: str | None,
        dimensions: int | None = None,
        long_text_mode: LongTextMode = "truncate",
        progress: Progress | None = None,
    ) -> Encoded:
        """N texts to (N, dimensions) vectors.

        `task` is one of `embeddings.models.TASKS`, or None for no prefix. A text beyond the context length
        is cut ("truncate"), or read in chunks of that length, each with the prefix ("mean"): the chunks'
        means are averaged, each counted by its tokens, before the vector is normalised. That is the mean
        over all tokens, which is what the towers were trained to give; other engines count a short last
        chunk like a full one. `progress` is called with (texts done, N).

        Raises ItemError for an item that is not a text, ModelError for a task, mode or length that the
        model does not have, WeightsError when the tower's files are missing or damaged.
        """
        prefix = self._prefix(task)
        if long_text_mode not in ("truncate", "mean"):
            raise ModelError(f"long_text_mode must be 'truncate' or 'mean', not {long_text_mode!r}")
        half = self._text_half
        dimensions = half.dimensions if dimensions is None else dimensions
        check_dimensions(half.dimensions, half.recipe, dimensions)
        vectors = np.empty((len(texts), dimensions), np.float32)
        tokens = done = 0
        for window in windows(texts, half.tokens, prefix, chunked=long_text_mode == "mean"):
            means = torch.from_numpy(window.join(self._row_means(half, window)))
            done = window.first + window.texts
            vectors[window.first : done] = finish(means, half.recipe, dimensions).numpy()
            tokens += window.tokens
            if progress is not None:
                progress(done, len(texts))
        return Encoded(vectors, tokens=tokens)

    def encode_images(
        self,
        pictures: Sequence[Picture],
        *,
        progress: Progress | None = None,
        on_error: OnError = "raise",
    ) -> Encoded:
        """N pictures (paths, the bytes of files, or Pillow images) to (N, D) vectors.

        A picture that cannot be read raises ItemError with its place; with `on_error="skip"` it is noted in
        `Encoded.errors` and its row is NaN. `progress` is called with (pictures done, N). Raises
        WeightsError when the tower's files are missing or damaged.
        """
        half = self._vision_half
        vectors = np.full((len(pictures), half.dimensions), np.nan, np.float32)
        errors: dict[int, str] = {}

        def decode(place: int) -> tuple[int, Tensor | str]:
            try:
                return place, half.prepare(pictures[place])
            except ItemError as error:
                return place, error.reason

        def readable() -> Iterator[tuple[int, Tensor]]:
            ahead = 2 * self._batch_pictures + _MAX_DECODERS
            for place, result in in_order(self._decoders, decode, range(len(pictures)), ahead):
                if isinstance(result, Tensor):
                    yield place, result
                elif on_error == "raise":
                    raise ItemError(place, result)
                else:
                    errors[place] = result

        def embed(batch: list[tuple[int, Tensor]]) -> tuple[list[int], NDArray[np.float32]]:
            pixels = torch.stack([pixels for _, pixels in batch])
            return [place for place, _ in batch], self._run(half.module, pixels.to(self.dtype))

        batches = _chunks(readable(), self._batch_pictures)
        pool = self._aside if len(pictures) == 1 else self._threads
        for places, rows in in_order(pool, embed, batches, self._thread_count + 1):
            vectors[places] = rows
            if progress is not None:
                progress(places[-1] + 1, len(pictures))
        return Encoded(vectors, errors=errors)

    def _row_means(self, half: TextHalf, window: Window) -> NDArray[np.float32]:
        """(rows, D), in the order of the window."""

        def embed(places: list[int]) -> tuple[list[int], NDArray[np.float32]]:
            ids, lengths = padded([window.rows[place] for place in places])
            return places, self._run(half.module, ids, lengths)

        few = len(window.rows) <= _FEW and window.tokens <= _SHORT_TOKENS
        pool, count = (self._aside, 1) if few else (self._threads, self._thread_count)
        # A list that is not long is spread over the threads too.
        budget = min(_BATCH_TOKENS[self.device.type], -(-window.tokens // count))
        means = np.empty((len(window.rows), half.dimensions), np.float32)
        for places, rows in in_order(pool, embed, by_length(window.rows, budget), 2 * self._thread_count):
            means[places] = rows
        return means

    def _run(self, module: nn.Module, *inputs: Tensor) -> NDArray[np.float32]:
        """(N, D) of inputs (N, …); those that a GPU has no room for go in halves."""
        try:
            with torch.inference_mode():
                outputs: Tensor = module(*(values.to(self.device) for values in inputs))
                return outputs.float().cpu().numpy()
        except torch.OutOfMemoryError as error:
            if len(inputs[0]) == 1:
                raise ModelError(
                    f"The GPU has too little memory left for {self.name}, even for one text or picture"
                ) from error
        # Here, where the error is gone: it holds all that was made on the way.
        torch.cuda.empty_cache()
        middle = len(inputs[0]) // 2
        halves = ([values[:middle] for values in inputs], [values[middle:] for values in inputs])
        return np.concatenate([self._run(module, *half) for half in halves])

    @property
    def _text_half(self) -> TextHalf:
        return self._once("text", self._load_text)

    @property
    def _vision_half(self) -> VisionHalf:
        return self._once("vision", self._load_vision)

    @property
    def _threads(self) -> ThreadPoolExecutor:
        return self._once("threads", lambda: single_core_threads(self._thread_count))

    @property
    def _aside(self) -> ThreadPoolExecutor:
        """A thread for what is short: behind long lists it would wait for a minute."""
        return self._once("aside", lambda: single_core_threads(1))

    @property
    def _decoders(self) -> ThreadPoolExecutor:
        count = min(os.cpu_count() or 1, _MAX_DECODERS)
        return self._once("decoders", lambda: ThreadPoolExecutor(count, thread_name_prefix="decode"))

    def _once(self, name: str, make: Callable[[], Made]) -> Made:
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            return self._made[name]  # type: ignore[no-any-return]

    def _load_text(self) -> TextHalf:
        half = load_text(self._folder("text"), rotary_scaling_factor=self.rotary_scaling_factor)
        self._prepare(half.module)
        return half

    def _load_vision(self) -> VisionHalf:
        half = load_vision(self._folder("vision"))
        self._prepare(half.module)
        return half

    def _prepare(self, module: nn.Module) -> None:
        module.requires_grad_(False).to(self.device, self.dtype)
        if self.quantize == "int8":
            quantize_linears(module)
        if self.device.type == "cpu":
            pack(module)

    def _folder(self, side: Side) -> Path:
        return self._given[side] if side in self._given else find_tower(self.card, side)

    def _revision_of(self, side: Side) -> str:
        if side in self._given:
            return fingerprint(self._given[side], self.card.tower(side).files)
        return revision_of(self.card, side)

    def _prefix(self, task: str | None) -> str:
        if task is None:
            return ""
        if task not in self.card.prefixes:
            raise ModelError(f"There is no task {task!r}; there are {', '.join(self.card.prefixes)}")
        return self.card.prefixes[task]

    @property
    def _batch_pictures(self) -> int:
        return _BATCH_PICTURES[self.device.type]

    @cached_property
    def _thread_count(self) -> int:
        # On a GPU one copies while the other computes.
        return torch.get_num_threads() if self.device.type == "cpu" else 2


def load_model(
    name: str = DEFAULT,
    *,
    text_tower: Path | None = None,
    vision_tower: Path | None = None,
    device: str | None = None,
    dtype: torch.dtype | None = None,
    quantize: Literal["int8"] | None = None,
    rotary_scaling_factor: float | None = None,
) -> Model:
    """A registered model, or any towers in the official layout.

    `text_tower` and `vision_tower` name folders to use instead of the registered files; the name then only
    says which prefixes belong to them. `device` is "cpu" or "cuda[:n]", by default a GPU if there is one;
    `dtype` is bfloat16 on a GPU that computes with it, else float32. `rotary_scaling_factor` replaces the one
    in the text tower's config.json (nomic-v1.5 needs 2 to reach 8,192 tokens). Reads no weights yet: that
    happens at first use.

    Raises ModelError for a name, device or combination there is not.
    """
    return Model(
        find_model(name),
        text_tower=text_tower,
        vision_tower=vision_tower,
        device=device,
        dtype=dtype,
        quantize=quantize,
        rotary_scaling_factor=rotary_scaling_factor,
    )


def _device(name: str | None) -> torch.device:
    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"There is no device {name!r}") from error
    if device.type not in _BATCH_TOKENS:
        raise ModelError(f"Towers run on 'cpu' or 'cuda', not on {name!r}")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ModelError("This machine, or this build of torch, has no CUDA device")
    return device


def _dtype(device: torch.device) -> torch.dtype:
    """GPUs of before 2020 only imitate bfloat16, which takes longer than float32."""
    fast = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    return torch.bfloat16 if fast else torch.float32


def _chunks(items: Iterator[tuple[int, Tensor]], size: int) -> Iterator[list[tuple[int, Tensor]]]:
    while chunk := list(islice(items, size)):
        yield chunk
