"""Training a vision tower into the space of a frozen text tower, and the command `train`.

The recipe is locked-image tuning turned round, as nomic-embed-vision was made: the text tower stays as it is,
its vectors are computed once, and the vision tower learns to meet them.
- LiT: Zhai et al. 2022, https://arxiv.org/abs/2111.07991
- nomic-embed-vision: Nussbaum, Duderstadt, Mulyar 2024, https://arxiv.org/abs/2406.18587
- patch dropout: FLIP, Li et al. 2022, https://arxiv.org/abs/2212.00794

Everything random in a step comes from the run's seed and the step's number, so a resumed run repeats an
unbroken one.
"""

import argparse
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from tqdm import tqdm

from embeddings.album import Album
from embeddings.contrastive import Scale, backward_in_chunks, contrastive_loss
from embeddings.encode import Model, load_model
from embeddings.errors import TrainingError
from embeddings.muon import Muon
from embeddings.samples import Batch, Batches, BatchShape, EmbedTexts, Source
from embeddings.vision_tower import VisionConfig, VisionTower

_PREFETCHED = 3  # batches drawn ahead
_SCALE_PACE = 5.0  # Adam moves a lone number by its rate a step at most: too slow for a short run
_MEAN = (0.48145466, 0.4578275, 0.40821073)  # CLIP's, which the published towers use too
_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a run. A resumed run may change `steps`; the rest must stay as it was."""

    vision: VisionConfig
    steps: int
    batch: int = 128
    chunk: int = 128  # pictures in memory at once; fewer than `batch` costs a second forward pass
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: float = 0.04  # share of the steps
    patch_dropout: float = 0.34
    whole: float = 0.1  # share of the steps, at the end, that see all patches
    bank: int = 2048  # wrong captions beyond the batch's own
    alignment: float = 3.0  # weight of the cosine distance to the mean of a picture's captions
    average: float = 0.998  # decay of the averaged weights that are saved
    seed: int = 0
    checkpoint_every: int = 100
    device: str = "cpu"


def initialise(tower: VisionTower, seed: int) -> None:
    """Weights to start from: normal with deviation 0.02, less where a residual sum is written to."""
    generator = Generator().manual_seed(seed)
    depth = 2 * tower.config.n_layer
    with torch.no_grad():
        for name, parameter in tower.named_parameters():
            if "norm" in name:
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
            elif name.endswith("bias"):
                parameter.zero_()
            else:
                last = name.endswith(("out_proj.weight", "fc2.weight"))
                parameter.normal_(0, 0.02 / math.sqrt(depth) if last else 0.02, generator=generator)


def learning_rate(step: int, config: TrainConfig) -> float:
    """Linear warm-up, then a cosine down to a hundredth."""
    warm = max(1, round(config.warm_up * config.steps))
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    progress = min(1.0, (step - warm) / max(1, config.steps - warm))
    return config.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2)


class Run:
    """A training in progress: everything a checkpoint holds."""

    def __init__(self, config: TrainConfig) -> None:
        self.config, self.step = config, 0
        self.tower = VisionTower(config.vision)
        initialise(self.tower, config.seed)
        self.averaged = VisionTower(config.vision).eval().requires_grad_(False)
        self.averaged.load_state_dict(self.tower.state_dict())
        self.scale = Scale()
        for module in (self.tower, self.averaged, self.scale):
            module.to(config.device)
        self.optimizers = self._optimizers()

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        matrices = [
            p for name, p in self.tower.named_parameters() if p.ndim == 2 and "embeddings" not in name
        ]
        inner = {id(p) for p in matrices}
        rest = [p for p in self.tower.parameters() if id(p) not in inner]
        groups = [{"params": rest, "pace": 1.0}, {"params": [self.scale.log], "pace": _SCALE_PACE}]
        return [
            Muon([{"params": matrices, "pace": 1.0}], self.config.learning_rate, self.config.weight_decay),
            torch.optim.AdamW(
                groups, lr=self.config.learning_rate, betas=(0.9, 0.98), weight_decay=0.0, foreach=True
            ),
        ]

    def take_step(self, batch: Batch) -> dict[str, float]:
        """One optimiser step; returns figures for the log."""
        config = self.config
        rate = learning_rate(self.step, config)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["pace"]
        kept = self.kept_patches()
        distances: list[float] = []

        def embed(start: int) -> Tensor:
            return self.tower(batch.pixels[start : start + config.chunk], kept)  # type: ignore[no-any-return]

        def loss_of(pictures: Tensor) -> Tensor:
            distance = 1 - (pictures * batch.centres).sum(dim=1).mean()
            distances.append(float(distance.detach()))
            contrast = contrastive_loss(
                pictures,
                batch.texts,
                self.scale(),
                true=batch.true,
                bank=batch.bank,
                true_in_bank=batch.true_in_bank,
            )
            return contrast + config.alignment * distance

        loss = backward_in_chunks(embed, range(0, config.batch, config.chunk), loss_of)
        if not torch.isfinite(loss):
            raise TrainingError(f"the loss became {loss.item()} at step {self.step}; lower the learning rate")
        torch.nn.utils.clip_grad_norm_(self.tower.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self._average()
        self.step += 1
        return {"loss": loss.item(), "distance": distances[0], "scale": self.scale().item(), "rate": rate}

    def kept_patches(self) -> Tensor | None:
        config = self.config
        if config.patch_dropout == 0 or self.step >= (1 - config.whole) * config.steps:
            return None
        patches = config.vision.grid**2
        generator = Generator().manual_seed(config.seed * 1_000_003 + self.step)
        count = max(1, round(patches * (1 - config.patch_dropout)))
        return torch.randperm(patches, generator=generator)[:count].to(config.device)

    def _average(self) -> None:
        decay = min(self.config.average, (1 + self.step) / (10 + self.step))  # young averages forget faster
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averaged.parameters()), list(self.tower.parameters()), 1 - decay)

    def save(self, path: Path) -> None:
        """Written whole or not at all: a run killed while saving finds its last checkpoint."""
        state = {
            "step": self.step,
            "vision": self.config.vision.to_dict(),
            "tower": self.tower.state_dict(),
            "averaged": self.averaged.state_dict(),
            "scale": self.scale.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        fresh = path.with_suffix(".new")
        torch.save(state, fresh)
        os.replace(fresh, path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint. Raises TrainingError when it is of another tower."""
        state = torch.load(path, map_location=self.config.device, weights_only=True)
        if state["vision"] != self.config.vision.to_dict():
            raise TrainingError(f"{path} is a checkpoint of another tower; use another folder")
        self.tower.load_state_dict(state["tower"])
        self.averaged.load_state_dict(state["averaged"])
        self.scale.load_state_dict(state["scale"])
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.step = state["step"]


def train(
    config: TrainConfig,
    source: Source,
    embed_texts: EmbedTexts,
    folder: Path,
    *,
    on_checkpoint: Callable[[Run], dict[str, Any]] | None = None,
) -> VisionTower:
    """Train, or go on from `folder`'s checkpoint, and return the tower with averaged weights, in eval mode.

    `folder` gets `checkpoint.pt` and `log.jsonl` (one line a checkpoint).
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    run = Run(config)
    if checkpoint.exists():
        run.load(checkpoint)
    shape = BatchShape(config.batch, config.bank, config.vision.img_size, _MEAN, _STD)
    batches = Batches(source, embed_texts, shape, config.seed)
    started, figures = time.monotonic(), {}
    with (
        _ahead(batches, run.step, config.steps) as prepared,
        tqdm(total=config.steps, initial=run.step) as bar,
    ):
        for batch in prepared:
            figures = run.take_step(batch.to(config.device))
            bar.update()
            bar.set_postfix(loss=f"{figures['loss']:.3f}", scale=f"{figures['scale']:.1f}")
            if run.step % config.checkpoint_every == 0 or run.step == config.steps:
                run.save(checkpoint)
                noted = {"step": run.step, "seconds": round(time.monotonic() - started, 1)} | figures
                noted |= on_checkpoint(run) if on_checkpoint else {}
                with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
                    log.write(json.dumps(noted) + "\n")
    return run.averaged.eval()


@contextmanager
def _ahead(batches: Batches, first: int, end: int) -> Iterator[Iterator[Batch]]:
    """The batches of steps first…end-1, the next few drawn by a thread while the tower works."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        steps = iter(range(first, end))

        def prepared() -> Iterator[Batch]:
            waiting: list[Future[Batch]] = []
            for step in steps:
                waiting.append(pool.submit(batches, step))
                if len(waiting) > _PREFETCHED:
                    yield waiting.pop(0).result()
            for future in waiting:
                yield future.result()

        yield prepared()


def export(tower: VisionTower, folder: Path) -> None:
    """Write the tower in the published layout: `config.json`, `preprocessor_config.json`, float16 weights."""
    folder.mkdir(parents=True, exist_ok=True)
    side = {"height": tower.config.img_size, "width": tower.config.img_size}
    preprocessor = {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": side,
        "resample": 3,
        "do_center_crop": True,
        "crop_size": side,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(_MEAN),
        "image_std": list(_STD),
    }
    (folder / "config.json").write_text(json.dumps(tower.config.to_dict(), indent=2) + "\n", encoding="utf-8")
    (folder / "preprocessor_config.json").write_text(
        json.dumps(preprocessor, indent=2) + "\n", encoding="utf-8"
    )
    weights = {key: value.to("cpu", torch.float16).contiguous() for key, value in tower.state_dict().items()}
    (folder / "model.safetensors").write_bytes(safetensors.torch.save(weights, metadata={"format": "pt"}))


def cached_vectors(model: Model, folder: Path) -> EmbedTexts:
    """Text vectors by `model`, kept in `folder` so that a resumed run need not compute them again."""

    def embed(texts: list[str]) -> NDArray[np.float32]:
        digest = hashlib.sha256("\0".join([model.revision, *texts]).encode()).hexdigest()[:16]
        path = folder / f"captions-{digest}.npy"
        if path.exists():
            kept: NDArray[np.float32] = np.load(path)
            return kept
        with tqdm(total=len(texts), desc="captions", unit="text") as bar:

            def show(done: int, _total: int) -> None:
                bar.update(done - bar.n)

            vectors = model.encode_texts(texts, task="search_query", progress=show).vectors
        np.save(path, vectors)
        return vectors

    return embed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    sources = parser.add_mutually_exclusive_group(required=True)
    sources.add_argument(
        "--dataset", type=Path, metavar="PATH", help="a folder, archive or table with pictures"
    )
    sources.add_argument("--drawings", action="store_true", help="emoji drawn by this project, as for `mini`")
    add("--model", metavar="NAME", default="mini", help="whose text tower to align to (default mini)")
    add("--text-tower", type=Path, metavar="DIR", help="a folder to use as the text tower")
    add("--work", type=Path, required=True, metavar="DIR", help="checkpoints and caches; run again to resume")
    add("--output", type=Path, required=True, metavar="DIR", help="where the trained tower goes")
    add("--steps", type=int, required=True, help="optimizer steps")
    add("--batch", type=int, default=TrainConfig.batch, help=f"pictures a step (default {TrainConfig.batch})")
    add("--chunk", type=int, help="pictures in memory at once (default: the batch)")
    add("--image-size", type=int, default=48, help="pixels a side (default 48)")
    add("--patch-size", type=int, default=8, help="pixels a patch side (default 8)")
    add("--layers", type=int, default=5, help="transformer blocks (default 5)")
    add("--inner", type=int, default=256, help="inner rows of the MLPs (default 256)")
    add("--learning-rate", type=float, default=TrainConfig.learning_rate, help="peak (default 0.002)")
    add("--seed", type=int, default=0, help="of everything random (default 0)")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")


def run(options: argparse.Namespace) -> None:
    model = load_model(options.model, text_tower=options.text_tower)
    config = config_from(options, model.dimensions)
    options.work.mkdir(parents=True, exist_ok=True)
    if options.drawings:
        from embeddings.drawings.source import open_drawings  # nobody else needs the fonts

        source: Source = open_drawings(options.work / "art.npz", processes=os.cpu_count() or 1)
    else:
        source = Album(options.dataset, config.vision.img_size, options.work)
    tower = train(config, source, cached_vectors(model, options.work), options.work)
    export(tower, options.output)
    print(
        f"{options.output}: {sum(p.numel() for p in tower.parameters()):,} parameters, {config.steps} steps"
    )


def config_from(options: argparse.Namespace, dimensions: int) -> TrainConfig:
    """Raises TrainingError that names the first setting out of range."""
    for name in ("steps", "batch", "image_size", "patch_size", "layers", "inner", "learning_rate"):
        if not getattr(options, name) > 0:
            raise TrainingError(f"--{name.replace('_', '-')} must be positive, not {getattr(options, name)}")
    if dimensions % 64:
        raise TrainingError(f"the text tower has {dimensions} dimensions, which is not a multiple of 64")
    grid = options.image_size // options.patch_size
    vision = VisionConfig(
        img_size=options.image_size,
        patch_size=options.patch_size,
        n_embd=dimensions,
        n_head=dimensions // 64,
        n_layer=options.layers,
        n_inner=options.inner,
        ref_feat_shape=(grid, grid),
    )
    return TrainConfig(
        vision=vision,
        steps=options.steps,
        batch=options.batch,
        chunk=options.chunk or options.batch,
        learning_rate=options.learning_rate,
        seed=options.seed,
        device=options.device,
    )
