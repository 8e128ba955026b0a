"""A checkpoint folder becomes half a model: which class, with which tokenizer or pixels, and which recipe."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from embeddings.configs import Settings, read_json, read_list
from embeddings.errors import FolderError, ModelError
from embeddings.pixels import PixelRecipe, open_picture
from embeddings.pooling import Recipe
from embeddings.text_tower import TextTower
from embeddings.tokens import Tokens
from embeddings.vision_tower import VisionTower

Picture = bytes | Path | Image.Image


@dataclass(frozen=True)
class TextHalf:
    """`module(ids (N, S), lengths (N,))` gives (N, dimensions) means, which `recipe` finishes."""

    module: nn.Module
    tokens: Tokens
    recipe: Recipe
    dimensions: int


@dataclass(frozen=True)
class VisionHalf:
    """`prepare(picture)` gives (3, S, S) float32 pixels, `module(pixels (N, 3, S, S))` (N, dimensions) unit
    vectors.
    """

    module: nn.Module
    prepare: Callable[[Picture], Tensor]
    dimensions: int


def width_of(folder: Path) -> int:
    """The length of the vectors of the tower in a folder, from its config.json alone. Raises ModelError."""
    settings = Settings(read_json(folder / "config.json"))
    return settings.whole("projection_dim", "n_embd", "hidden_size")


def load_text(folder: Path, *, rotary_scaling_factor: float | None = None) -> TextHalf:
    """The text tower in a folder, in float32 on the CPU. Raises ModelError or WeightsError."""
    kind = _kind(folder)
    module: nn.Module
    if rotary_scaling_factor is not None and kind != "nomic_bert":
        raise ModelError(f"rotary_scaling_factor: the {kind} tower in {folder} has no rotary positions")
    if kind == "nomic_bert":
        module = TextTower.from_folder(folder, rotary_scaling_factor=rotary_scaling_factor)
        recipe = Recipe.LENGTH_ONE if _has_normalize_step(folder) else Recipe.SHORTENABLE
    elif kind == "bert":
        from embeddings.bert import BertTower  # transformers takes seconds to import

        module, recipe = BertTower.from_folder(folder), Recipe.LENGTH_ONE
    elif kind == "clip":
        from embeddings.clip import ClipTextTower

        module, recipe = ClipTextTower.from_folder(folder), Recipe.LENGTH_ONE
    else:
        raise FolderError(f"{folder} holds a {kind!r}; text towers are 'nomic_bert', 'bert' or 'clip'")
    return TextHalf(module, Tokens(folder, module.max_tokens), recipe, module.dimensions)


def load_vision(folder: Path) -> VisionHalf:
    """The vision tower in a folder, in float32 on the CPU. Raises ModelError or WeightsError."""
    kind = _kind(folder)
    if kind == "nomic_bert":
        tower = VisionTower.from_folder(folder)
        return VisionHalf(tower, _preparing(folder), tower.config.n_embd)
    if kind == "clip":
        from embeddings.clip import ClipVisionTower

        clip = ClipVisionTower.from_folder(folder)
        return VisionHalf(clip, _preparing(folder), clip.dimensions)
    raise FolderError(f"{folder} holds a {kind!r}; vision towers are 'nomic_bert' or 'clip'")


def _preparing(folder: Path) -> Callable[[Picture], Tensor]:
    recipe = PixelRecipe.from_folder(folder)
    return lambda picture: torch.from_numpy(recipe(open_picture(picture)))


def _kind(folder: Path) -> str:
    return Settings(read_json(folder / "config.json")).text("model_type")


def _has_normalize_step(folder: Path) -> bool:
    """Whether modules.json, a list of sentence-transformers' steps, ends v1's way."""
    path = folder / "modules.json"
    if not path.exists():
        return False
    return any(str(step.get("type", "")).endswith(".Normalize") for step in read_list(path))
