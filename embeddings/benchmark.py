"""The command `benchmark`: this package beside the plain way, in one run, on this machine.

The plain way is transformers' image processor or tokenizer, then the tower as an ordinary torch module with
torch's own threads: one item at a time, and in batches as they come, padded to the longest. Contenders take
turns, so that other work on the machine meets all of them; compare ratios, not seconds. Without a model's
files the towers get random weights of the published size: the same arithmetic, and cosines that say less
than trained ones.
"""

import argparse
import io
import json
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from embeddings.encode import Model, load_model
from embeddings.errors import WeightsError
from embeddings.evaluate import read_pairs, retrieval
from embeddings.models import DEFAULT, ModelCard, find_model
from embeddings.packed import PackedLinear
from embeddings.pooling import finish
from embeddings.text_tower import TextConfig, TextTower
from embeddings.towers import load_text, load_vision
from embeddings.vision_tower import VisionConfig, VisionTower
from embeddings.weights import find_tower
from embeddings.workers import in_order, single_core_threads

Vectors = NDArray[np.float32]
Item = TypeVar("Item", bytes, str)
Tower = TypeVar("Tower", TextTower, VisionTower)

_PHOTOS = 12
_TEXTS = 64
_ROUNDS = 2
_PICTURE_BATCH = 8
_TEXT_BATCH = 32
_PEAK_SECONDS = 1.0
_SAMPLE = 500  # pictures of a dataset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="NAME", default=DEFAULT, help=f"a registered model (default {DEFAULT})"
    )
    parser.add_argument(
        "--dataset",
        type=Path,
        metavar="PATH",
        help="also say what int8 changes in retrieval on captioned pictures",
    )


def run(options: argparse.Namespace) -> None:
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        text, vision = _folders(find_model(options.model), folder)
        torch.manual_seed(0)
        peak = peak_gflops()
        kernels = torch.backends.cpu.get_cpu_capability()
        print(f"{torch.get_num_threads()} threads, {kernels}, {peak:.0f} GFLOP/s at most")
        load = partial(load_model, options.model, text_tower=text, vision_tower=vision, device="cpu")
        models = {"float32": load(), "int8": load(quantize="int8")}
        _compare_pictures(vision, models, peak)
        _compare_texts(text, models)
        if options.dataset is not None:
            _compare_retrieval(models, options.dataset)


@dataclass
class Contender:
    """One way to embed the items. `seconds` and `cpu` get one entry a round."""

    name: str
    embed: Callable[[], Vectors]
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    vectors: Vectors | None = None
    megabytes: float = 0.0  # the most it needed on top of what was there before

    def take_turn(self) -> None:
        before = _start_watching_memory()
        started, cpu = time.perf_counter(), time.process_time()
        self.vectors = self.embed()
        self.seconds.append(time.perf_counter() - started)
        self.cpu.append(time.process_time() - cpu)
        self.megabytes = max(self.megabytes, _peak_memory() - before)


def compete(contenders: list[Contender], rounds: int) -> None:
    """Each takes its turn in every round; one more round before them is not counted."""
    for contender in contenders:
        contender.take_turn()
        contender.seconds.clear()
        contender.cpu.clear()
        contender.megabytes = 0.0  # that round loaded the weights
    for _ in range(rounds):
        for contender in contenders:
            contender.take_turn()


def report(
    contenders: list[Contender], baseline: int, count: int, unit: str, gflop: float, peak: float
) -> str:
    """A table; ratios are medians over the rounds against `contenders[baseline]`, cosines against the
    first.
    """
    share = f"{'of peak':>9}" if gflop else ""
    lines = [f"\n{unit:28}{'a second':>10}{'ratio':>8}{'CPU s each':>12}{'cosine':>10}{'MB':>7}{share}"]
    exact = contenders[0].vectors
    for contender in contenders:
        seconds = statistics.median(contender.seconds)
        base = contenders[baseline].seconds
        ratio = statistics.median(b / s for b, s in zip(base, contender.seconds, strict=True))
        assert exact is not None
        assert contender.vectors is not None
        cosine = float((exact * contender.vectors).sum(axis=1).min())
        share = f"{gflop * count / seconds / peak:9.0%}" if gflop else ""
        lines.append(
            f"{contender.name:28}{count / seconds:10.2f}{ratio:8.2f}"
            f"{statistics.median(contender.cpu) / count:12.4f}{cosine:10.6f}{contender.megabytes:7.0f}{share}"
        )
    return "\n".join(lines)


def peak_gflops() -> float:
    """The most float32 arithmetic seen from this machine with one multiplication a thread, in GFLOP/s."""
    threads = torch.get_num_threads()
    pool = single_core_threads(threads)
    plain = nn.Linear(768, 3072).requires_grad_(False)
    x = torch.randn(512, 768)
    best = 0.0
    for layer in (plain, PackedLinear(plain)):

        def multiply(_: int, layer: nn.Module = layer) -> int:
            done, started = 0, time.perf_counter()
            with torch.inference_mode():
                while time.perf_counter() - started < _PEAK_SECONDS:
                    layer(x)
                    done += 1
            return done

        started = time.perf_counter()
        done = sum(in_order(pool, multiply, range(threads), threads + 1))
        best = max(best, done * 2 * 512 * 768 * 3072 / 1e9 / (time.perf_counter() - started))
    pool.shutdown()
    return best


def _compare_pictures(folder: Path, models: dict[str, Model], peak: float) -> None:
    from transformers import CLIPImageProcessorPil

    half = load_vision(folder)
    processor: Any = CLIPImageProcessorPil.from_pretrained(folder)
    photos = [_photo(seed) for seed in range(_PHOTOS)]

    def plainly(batch: list[bytes]) -> Vectors:
        images = [Image.open(io.BytesIO(photo)) for photo in batch]
        pixels = processor(images, return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            return half.module(pixels).numpy()  # type: ignore[no-any-return]

    contenders = _plain_contenders(plainly, photos, _PICTURE_BATCH)
    for kind, model in models.items():
        contenders.append(Contender(f"this package, {kind}", partial(_embed_pictures, model, photos)))
    compete(contenders, _ROUNDS)
    gflop = _gflop(half.module, half.prepare(photos[0])[None])
    print(report(contenders, 1, _PHOTOS, "pictures (JPEG, 640 x 480)", gflop, peak))


def _compare_texts(folder: Path, models: dict[str, Model]) -> None:
    from transformers import PreTrainedTokenizerFast

    half = load_text(folder)
    tokenizer: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(folder / "tokenizer.json"),
        pad_token="[PAD]",  # noqa: S106
    )
    padding = {"padding": True, "truncation": True, "max_length": half.tokens.max_tokens}
    texts = _captions(_TEXTS)

    def plainly(batch: list[str]) -> Vectors:
        ids = tokenizer(batch, return_tensors="pt", **padding)
        with torch.inference_mode():
            means = half.module(ids["input_ids"], ids["attention_mask"].sum(dim=1))
            return finish(means, half.recipe, half.dimensions).numpy()

    contenders = _plain_contenders(plainly, texts, _TEXT_BATCH)
    for kind, model in models.items():
        contenders.append(Contender(f"this package, {kind}", partial(_embed_texts, model, texts)))
    compete(contenders, _ROUNDS)
    lengths = sorted(len(half.tokens.row(text)) for text in texts)
    print(report(contenders, 1, _TEXTS, f"texts of {lengths[0]} to {lengths[-1]} tokens", 0, 0))
    print(f"(median {lengths[len(lengths) // 2]} tokens, mean {sum(lengths) / len(lengths):.0f})")


def _compare_retrieval(models: dict[str, Model], dataset: Path) -> None:
    print(f"\n{'retrieval':28}" + "".join(f"{kind:>10}" for kind in models))
    figures = [retrieval(model, read_pairs(model, dataset, None, _SAMPLE, 0)) for model in models.values()]
    for name in figures[0]:
        print(f"{name:28}" + "".join(f"{figure[name]:10.4g}" for figure in figures))


def _plain_contenders(
    embed: Callable[[list[Item]], Vectors], items: list[Item], size: int
) -> list[Contender]:
    def in_batches(size: int) -> Vectors:
        return np.concatenate([embed(items[start : start + size]) for start in range(0, len(items), size)])

    return [
        Contender("plain, one at a time", partial(in_batches, 1)),
        Contender(f"plain, batches of {size}", partial(in_batches, size)),
    ]


def _embed_pictures(model: Model, photos: list[bytes]) -> Vectors:
    return model.encode_images(photos).vectors


def _embed_texts(model: Model, texts: list[str]) -> Vectors:
    return model.encode_texts(texts, task=None).vectors


def _folders(card: ModelCard, scratch: Path) -> tuple[Path, Path]:
    """The model's text and vision towers, or random ones of the published size where files are missing."""
    try:
        return find_tower(card, "text"), find_tower(card, "vision")
    except WeightsError:
        if not card.name.startswith("nomic"):
            raise
    print(f"{card.name} is not on this machine: random weights of its size")
    return _random_text(scratch / "text"), _random_vision(scratch / "vision")


def _random_text(folder: Path) -> Path:
    folder.mkdir()
    tower = _randomised(TextTower(TextConfig()))
    save_file(tower.state_dict(), folder / "model.safetensors")
    config = {name: getattr(tower.config, name) for name in TextConfig.__dataclass_fields__}
    (folder / "config.json").write_text(json.dumps({"model_type": "nomic_bert"} | config))
    # The published tokenizer is bert-base-uncased's, which mini's text tower has too.
    (folder / "tokenizer.json").symlink_to(find_tower(find_model("mini"), "text") / "tokenizer.json")
    return folder


def _random_vision(folder: Path) -> Path:
    folder.mkdir()
    tower = _randomised(VisionTower(VisionConfig()))
    save_file(tower.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(tower.config.to_dict()))
    recipe = {
        "size": {"height": 224, "width": 224},
        "crop_size": {"height": 224, "width": 224},
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "resample": 3,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(recipe))
    return folder


def _randomised(tower: Tower) -> Tower:
    """Weights drawn so that no layer's output grows or dies, like a trained tower's."""
    with torch.no_grad():
        for name, value in tower.named_parameters():
            if "norm" not in name and "emb_ln" not in name:
                value.normal_(0, value.shape[-1] ** -0.5 if value.dim() == 2 else 0.02)
    return tower


def _photo(seed: int) -> bytes:
    """A JPEG with structure at every scale, as photographs have, and so of a photograph's file size."""
    generator = np.random.default_rng(seed)
    total = np.zeros((480, 640, 3), np.float32)
    for side in (4, 16, 64, 256):
        layer = generator.integers(0, 256, (side, side, 3), np.uint8)
        total += (
            np.asarray(Image.fromarray(layer).resize((640, 480), Image.Resampling.BICUBIC), np.float32) / 4
        )
    file = io.BytesIO()
    Image.fromarray(total.astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def _captions(count: int) -> list[str]:
    """Texts as uploads mix them: mostly captions of 5 to 20 words, some paragraphs, a few pages."""
    generator = random.Random(0)
    words = re.findall("[a-z]+", (__doc__ or "").lower())
    lengths = [generator.choices(((5, 20), (30, 80), (150, 300)), (85, 12, 3))[0] for _ in range(count)]
    return [" ".join(generator.choices(words, k=generator.randint(*bounds))) for bounds in lengths]


def _gflop(module: nn.Module, *inputs: Tensor) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return float(counter.get_total_flops()) / 1e9


def _start_watching_memory() -> float:
    """Megabytes in use; resets the peak that `_peak_memory` reads. 0 where the system does not tell."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0.0
    return _memory("VmRSS")


def _peak_memory() -> float:
    return _memory("VmHWM")


def _memory(key: str) -> float:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    found = re.search(rf"{key}:\s+(\d+) kB", status)
    return int(found[1]) / 1000 if found else 0.0
