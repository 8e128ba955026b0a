"""CLIP's two towers from transformers' own classes, behind the interface of ours.

Radford et al. 2021, https://arxiv.org/abs/2103.00020. The file of a CLIP repository holds both towers.
"""

from pathlib import Path
from typing import Any, Self

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from embeddings.configs import read_json
from embeddings.errors import FolderError
from embeddings.pretrained import load_parts


def _settings(folder: Path, half: str) -> dict[str, Any]:
    values = read_json(folder / "config.json")
    if not isinstance(values.get(half), dict) or "projection_dim" not in values:
        raise FolderError(f"{folder / 'config.json'} lacks {half} or projection_dim")
    # Each half has a projection_dim too, which some files leave at another value.
    return values[half] | {"projection_dim": values["projection_dim"]}  # type: ignore[no-any-return]


class ClipTextTower(nn.Module):
    """Token ids to the projected state of the end token."""

    def __init__(self, model: CLIPTextModelWithProjection) -> None:
        super().__init__()
        self.model = model

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """A float32 tower in eval mode. Raises WeightsError unless every key and shape agrees."""
        unused = ("vision_model.", "visual_projection.", "logit_scale", "text_model.embeddings.position_ids")
        model = CLIPTextModelWithProjection(CLIPTextConfig(**_settings(folder, "text_config")))
        load_parts(model, folder, unused=unused)
        return cls(model).eval()

    @property
    def dimensions(self) -> int:
        return self.model.text_projection.out_features

    @property
    def max_tokens(self) -> int:
        return self.model.config.max_position_embeddings

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """(N, S) ids padded on the right, (N,) lengths → (N, D) float32, not normalised."""
        mask = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        return self.model(input_ids=ids, attention_mask=mask.long()).text_embeds.float()  # type: ignore[no-any-return]


class ClipVisionTower(nn.Module):
    """Pictures to unit vectors. `pixels` come from `embeddings.pixels`."""

    def __init__(self, model: CLIPVisionModelWithProjection) -> None:
        super().__init__()
        self.model = model

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """A float32 tower in eval mode. Raises WeightsError unless every key and shape agrees."""
        unused = ("text_model.", "text_projection.", "logit_scale", "vision_model.embeddings.position_ids")
        model = CLIPVisionModelWithProjection(CLIPVisionConfig(**_settings(folder, "vision_config")))
        load_parts(model, folder, unused=unused)
        return cls(model).eval()

    @property
    def dimensions(self) -> int:
        return self.model.visual_projection.out_features

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, S, S) normalised pixels to (N, D) vectors of length 1."""
        return F.normalize(self.model(pixel_values=pixels).image_embeds, dim=-1)
