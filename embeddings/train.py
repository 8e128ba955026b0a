"""Training a vision tower into the space of a frozen text tower, and the command `train`.

The recipe is locked-image tuning turned round, as nomic-embed-vision was made: the text tower stays as it is,
its vectors are computed once, and the vision tower learns to meet them.
- LiT: Zhai et al. 2022, https://arxiv.org/abs/2111.07991
- nomic-embed-vision: Nussbaum, Duderstadt, Mulyar 2024, https://arxiv.org/abs/2406.18587
- patch dropout: FLIP, Li et al. 2022, https://arxiv.org/abs/2212.00794

Everything random in a step comes from the run's seed and the step's number, so a resumed run of so many steps
repeats an unbroken one. A run of so many minutes ends on time, whatever else the machine does.
"""

import argparse
import hashlib
import itertools
import json
import math
import os
import time
from collections import deque
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
from embeddings.samples import Batch, Batches, BatchShape, EmbedTexts, Source, Subject
from embeddings.vision_tower import VisionConfig, VisionTower

_PREFETCHED = 3  # batches drawn ahead
_SCALE_PACE = 5.0  # Adam moves a lone number by its rate a step at most: too slow for a short run
_MEAN = (0.48145466, 0.4578275, 0.40821073)  # CLIP's, which the published towers use too
_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a run. A resumed run may change its length, and how it is computed (see `_FREE`)."""

    vision: VisionConfig
    steps: int | None  # None: as many as `minutes` allow
    minutes: float = 0.0
    batch: int = 128
    chunk: int = 128  # pictures in memory at once; fewer than `batch` costs a second forward pass
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: float = 0.04  # share of the run
    patch_dropout: float = 0.34
    whole: float = 0.1  # share of the run, at its end, that sees all patches
    bank: int = 2048  # wrong captions beyond the batch's own
    alignment: float = 3.0  # weight of the cosine distance to the mean of a picture's captions
    average: float = 0.998  # decay of the averaged weights that are saved
    seed: int = 0
    checkpoint_every: int = 100
    device: str = "cpu"
    bfloat16: bool = False  # matrix products; half the time where the processor has them, else slower

    @property
    def length(self) -> float:
        """In steps, or in seconds."""
        return self.steps if self.steps is not None else 60 * self.minutes


_CAPTIONS, _TEXT_TOWER = "set of captions", "text tower"  # as an error names them
#: The settings that a checkpoint does not hold a run to; of `vision` it says so by itself.
_FREE = {"vision", "steps", "minutes", "chunk", "checkpoint_every", "device", "bfloat16"}


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


def learning_rate(progress: float, config: TrainConfig) -> float:
    """Linear warm-up, then a cosine down to a hundredth; `progress` is the part of the run that is over."""
    if progress < config.warm_up:
        return config.learning_rate * progress / config.warm_up
    falling = (progress - config.warm_up) / (1 - config.warm_up)
    return config.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * falling)) / 2)


class Run:
    """A training in progress: everything a checkpoint holds."""

    def __init__(
        self, config: TrainConfig, start: VisionTower | None = None, subject: Subject | None = None
    ) -> None:
        self.config, self.step, self.seconds = config, 0, 0.0
        self.subject = subject
        self.tower = VisionTower(config.vision)
        if start is None:
            initialise(self.tower, config.seed)
        else:
            self.tower.load_state_dict(start.state_dict())
        self.averaged = VisionTower(config.vision).eval().requires_grad_(False)
        self.averaged.load_state_dict(self.tower.state_dict())
        self.scale = Scale()
        for module in (self.tower, self.averaged, self.scale):
            module.to(config.device)
        self.optimizers = self._optimizers()

    @property
    def spent(self) -> float:
        """Steps, or seconds, that are over."""
        return self.step if self.config.steps is not None else self.seconds

    @property
    def progress(self) -> float:
        """0…1: which part of the run will be over after the next step; by the clock, which part is over."""
        ahead = 1 if self.config.steps is not None else 0
        return min(1.0, (self.spent + ahead) / self.config.length)

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        matrices = [
            p for name, p in self.tower.named_parameters() if p.ndim == 2 and "embeddings" not in name
        ]
        inner = {id(p) for p in matrices}
        rest = [p for p in self.tower.parameters() if id(p) not in inner]
        groups = [{"params": rest, "pace": 1.0}, {"params": [self.scale.log], "pace": _SCALE_PACE}]
        return [
            Muon(
                [{"params": matrices, "pace": 1.0}],
                self.config.learning_rate,
                self.config.weight_decay,
                bfloat16=self.config.bfloat16,
            ),
            torch.optim.AdamW(
                groups, lr=self.config.learning_rate, betas=(0.9, 0.98), weight_decay=0.0, foreach=True
            ),
        ]

    def take_step(self, batch: Batch) -> dict[str, float]:
        """One optimiser step; returns figures for the log."""
        config = self.config
        rate = learning_rate(self.progress, config)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["pace"]
        kept = self.kept_patches()
        distances: list[float] = []

        def embed(start: int) -> Tensor:
            with torch.autocast(config.device, torch.bfloat16, enabled=config.bfloat16):
                vectors: Tensor = self.tower(batch.pixels[start : start + config.chunk], kept)
            return vectors.float()

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
        if config.patch_dropout == 0 or self.progress > 1 - config.whole:
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
            "seconds": self.seconds,
            "vision": self.config.vision.to_dict(),
            "held": self._held(),
            "tower": self.tower.state_dict(),
            "averaged": self.averaged.state_dict(),
            "scale": self.scale.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        fresh = path.with_suffix(".new")
        torch.save(state, fresh)
        os.replace(fresh, path)

    def _held(self) -> dict[str, Any]:
        """What must be as it was, by the name that an error gives it."""
        settings = {
            name.replace("_", " "): value for name, value in vars(self.config).items() if name not in _FREE
        }
        if self.subject is not None:
            settings |= {_CAPTIONS: self.subject.captions, _TEXT_TOWER: self.subject.middle}
        return settings

    def load(self, path: Path) -> None:
        """Go on from a checkpoint. Raises TrainingError when it is of another tower, or was taught other
        things."""
        state = torch.load(path, map_location=self.config.device, weights_only=True)
        if state["vision"] != self.config.vision.to_dict():
            raise TrainingError(f"{path} is a checkpoint of another tower; use another folder")
        kept = state.get("held", {})
        other = [name for name, value in self._held().items() if not _is_same(kept.get(name), value)]
        if _CAPTIONS in other and _TEXT_TOWER in other:
            other.remove(_TEXT_TOWER)  # of other captions the vectors tell nothing
        if other:
            raise TrainingError(
                f"{path} is the checkpoint of a run with another {', '.join(other)}; use another folder"
            )
        self.tower.load_state_dict(state["tower"])
        self.averaged.load_state_dict(state["averaged"])
        self.scale.load_state_dict(state["scale"])
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.step, self.seconds = state["step"], state["seconds"]


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        # Vectors that were made again may differ in their last bits; those of another tower do not agree.
        return one.shape == other.shape and torch.allclose(one.cpu(), other.cpu(), atol=1e-3)
    return bool(one == other)


def train(
    config: TrainConfig,
    source: Source,
    embed_texts: EmbedTexts,
    folder: Path,
    *,
    start: VisionTower | None = None,
    on_checkpoint: Callable[[Run], dict[str, Any]] | None = None,
) -> VisionTower:
    """Train, or go on from `folder`'s checkpoint, and return the tower with averaged weights, in eval mode.

    A new run begins with the weights of `start`, or with random ones. `folder` gets `checkpoint.pt` and
    `log.jsonl` (one line a checkpoint).
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    shape = BatchShape(config.batch, config.bank, config.vision.img_size, _MEAN, _STD)
    batches = Batches(source, embed_texts, shape, config.seed)
    run = Run(config, start, batches.subject)
    if checkpoint.exists():
        run.load(checkpoint)
    unit = "it" if config.steps is not None else "s"
    with (
        _ahead(batches, run.step) as prepared,
        tqdm(total=round(config.length), initial=int(run.spent), unit=unit) as bar,
    ):
        clock = time.monotonic()
        while run.spent < config.length:
            figures = run.take_step(next(prepared).to(config.device))
            run.seconds += time.monotonic() - clock
            clock = time.monotonic()
            bar.update(int(run.spent) - bar.n)
            bar.set_postfix(step=run.step, loss=f"{figures['loss']:.3f}", scale=f"{figures['scale']:.1f}")
            if run.step % config.checkpoint_every == 0 or run.spent >= config.length:
                run.save(checkpoint)
                noted = {"step": run.step, "seconds": round(run.seconds, 1)} | figures
                noted |= on_checkpoint(run) if on_checkpoint else {}
                with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
                    log.write(json.dumps(noted) + "\n")
    return run.averaged.eval()


@contextmanager
def _ahead(batches: Batches, first: int) -> Iterator[Iterator[Batch]]:
    """The batches of the steps from `first` on, the next few drawn by a thread while the tower works."""
    with ThreadPoolExecutor(max_workers=1) as pool:

        def prepared() -> Iterator[Batch]:
            waiting: deque[Future[Batch]] = deque()
            for step in itertools.count(first):
                waiting.append(pool.submit(batches, step))
                if len(waiting) > _PREFETCHED:
                    yield waiting.popleft().result()

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
        partial = path.with_suffix(".partial")  # a run that is killed meanwhile leaves nothing to trip over
        with partial.open("wb") as file:
            np.save(file, vectors)
        partial.replace(path)
        return vectors

    return embed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    sources = parser.add_mutually_exclusive_group(required=True)
    sources.add_argument(
        "--dataset", type=Path, metavar="PATH", help="a folder, archive or table with pictures"
    )
    sources.add_argument("--drawings", action="store_true", help="emoji drawn by this project, as for `mini`")
    add("--art", type=Path, metavar="DIR", help="with --drawings: icon sets of other artists, a folder each")
    add("--start", type=Path, metavar="DIR", help="a tower to go on from (default: random weights)")
    add("--model", metavar="NAME", default="mini", help="whose text tower to align to (default mini)")
    add("--text-tower", type=Path, metavar="DIR", help="a folder to use as the text tower")
    add("--work", type=Path, required=True, metavar="DIR", help="checkpoints and caches; run again to resume")
    add("--output", type=Path, required=True, metavar="DIR", help="where the trained tower goes")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--steps", type=int, help="optimizer steps")
    length.add_argument("--minutes", type=float, help="time to train for, instead of steps")
    add("--batch", type=int, default=TrainConfig.batch, help=f"pictures a step (default {TrainConfig.batch})")
    add("--chunk", type=int, help="pictures in memory at once (default: the batch)")
    add("--image-size", type=int, default=48, help="pixels a side (default 48)")
    add("--patch-size", type=int, default=8, help="pixels a patch side (default 8)")
    add("--layers", type=int, default=5, help="transformer blocks (default 5)")
    add("--inner", type=int, default=256, help="inner rows of the MLPs (default 256)")
    add("--learning-rate", type=float, default=TrainConfig.learning_rate, help="peak (default 0.002)")
    add("--seed", type=int, default=0, help="of everything random (default 0)")
    add("--bfloat16", action="store_true", help="faster on GPUs and on processors with AVX-512 BF16 or AMX")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")


def run(options: argparse.Namespace) -> None:
    model = load_model(options.model, text_tower=options.text_tower)
    start = None if options.start is None else VisionTower.from_folder(options.start)
    config = config_from(options, model.dimensions, None if start is None else start.config)
    options.work.mkdir(parents=True, exist_ok=True)
    source = _open_source(options, config.vision.img_size)
    tower = train(config, source, cached_vectors(model, options.work), options.work, start=start)
    export(tower, options.output)
    print(f"{options.output}: {sum(p.numel() for p in tower.parameters()):,} parameters")


def _open_source(options: argparse.Namespace, side: int) -> Source:
    if options.dataset is not None:
        if options.art is not None:
            raise TrainingError("--art goes with --drawings, not with --dataset")
        return Album(options.dataset, side, options.work)
    from embeddings.drawings.source import open_drawings  # nobody else needs the fonts

    return open_drawings(options.work / "art.npz", sets=options.art, processes=os.cpu_count() or 1)


def config_from(
    options: argparse.Namespace, dimensions: int, start: VisionConfig | None = None
) -> TrainConfig:
    """With the sizes of `start` where there is one. Raises TrainingError that names what is out of range."""
    names = ("batch", "image_size", "patch_size", "layers", "inner", "learning_rate")
    for name in ("steps" if options.minutes is None else "minutes", *names):
        if not getattr(options, name) > 0:
            raise TrainingError(f"--{name.replace('_', '-')} must be positive, not {getattr(options, name)}")
    if start is not None and start.n_embd != dimensions:
        raise TrainingError(f"--start has {start.n_embd} dimensions, the text tower {dimensions}")
    return TrainConfig(
        vision=start or _vision_from(options, dimensions),
        steps=options.steps,
        minutes=options.minutes or 0.0,
        batch=options.batch,
        chunk=options.chunk or options.batch,
        learning_rate=options.learning_rate,
        seed=options.seed,
        device=options.device,
        bfloat16=options.bfloat16,
    )


def _vision_from(options: argparse.Namespace, dimensions: int) -> VisionConfig:
    if dimensions % 64:
        raise TrainingError(f"the text tower has {dimensions} dimensions, which is not a multiple of 64")
    grid = options.image_size // options.patch_size
    return VisionConfig(
        img_size=options.image_size,
        patch_size=options.patch_size,
        n_embd=dimensions,
        n_head=dimensions // 64,
        n_layer=options.layers,
        n_inner=options.inner,
        ref_feat_shape=(grid, grid),
    )
