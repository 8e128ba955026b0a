"""The nomic-embed vision tower (v1 and v1.5), whole: pictures in, vectors in the text tower's space out.

References:
- nomic-embed-vision: Nussbaum, Duderstadt, Mulyar 2024, https://arxiv.org/abs/2406.18587
- the trunk is EVA-02: Fang et al. 2023, https://arxiv.org/abs/2303.11331
  (a pre-norm transformer: SwiGLU with an inner norm, 2-D rotary positions)
- attention pooling: Lee et al. 2019, https://arxiv.org/abs/1810.00825;
  Zhai et al. 2022, https://arxiv.org/abs/2106.04560
- rotary positions: Su et al. 2021, https://arxiv.org/abs/2104.09864

Letters in shapes: N pictures, S pixels a side, P pixels a patch side, G = S/P patches a side, T tokens
(1 + G·G), D the width, H heads, h = D/H.
Parameter names are the published ones, so that an official `model.safetensors` loads as it is.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from embeddings.checkpoint import load_strictly
from embeddings.configs import Settings, read_json
from embeddings.errors import ModelError

_ROTARY_BASE = 10000.0  # fixed in the published code; the config's rotary_emb_base is not read there either
_INNER_MULTIPLE = 256  # the weights hold n_inner rounded up to this many rows

# Keys of config.json that change the arithmetic, and the one value of each that is implemented here.
# A key that is absent has this value.
_IMPLEMENTED = {
    "activation_function": "swiglu",
    "num_channels": 3,
    "prenorm": True,
    "no_last_ln": True,
    "norm_mlp": True,
    "use_rotary_pos_emb": True,
    "use_pos_embed": True,
    "qkv_proj_bias": True,
    "mlp_fc1_bias": True,
    "mlp_fc2_bias": True,
    "patch_embed_bias": True,
    "no_cls_token": False,
    "no_embed_class": False,
    "register_tokens": 0,
    "mask_token": False,
    "layer_scale": False,
    "parallel_block": False,
    "prepre_layernom": False,  # spelt so in the published files
    "use_rms_norm": False,
    "global_pool": None,
    "causal": False,
    "hidden_features_scaling_factor": 1.0,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
}


@dataclass(frozen=True)
class VisionConfig:
    """Sizes, under their names in config.json. The defaults are nomic-embed-vision-v1.5."""

    img_size: int = 224
    patch_size: int = 16
    n_embd: int = 768
    n_head: int = 12
    n_layer: int = 12
    n_inner: float = 2048.0  # a float in the published files, and not always a whole one
    layer_norm_epsilon: float = 1e-6
    ref_feat_shape: tuple[int, int] | None = (14, 14)  # the grid that rotary positions are stretched to

    def __post_init__(self) -> None:
        for name in ("img_size", "patch_size", "n_embd", "n_head", "n_layer", "n_inner"):
            if not getattr(self, name) > 0:
                raise ModelError(f"{name} must be positive, not {getattr(self, name)}")
        if self.img_size % self.patch_size:
            raise ModelError(f"img_size {self.img_size} is not a multiple of patch_size {self.patch_size}")
        if self.n_embd % (4 * self.n_head):
            raise ModelError(f"n_embd {self.n_embd} is not a multiple of 4·n_head = {4 * self.n_head}")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """From the contents of config.json. Raises ModelError that names the first key we cannot honour."""
        settings = Settings(values)
        settings.require(_IMPLEMENTED)
        reference = values.get("ref_feat_shape")
        return cls(
            img_size=settings.whole("img_size"),
            patch_size=settings.whole("patch_size"),
            n_embd=settings.whole("n_embd"),
            n_head=settings.whole("n_head"),
            n_layer=settings.whole("n_layer"),
            n_inner=settings.number("n_inner"),
            layer_norm_epsilon=settings.number("layer_norm_epsilon"),
            ref_feat_shape=None if reference is None else _pair(reference),
        )

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        return cls.from_dict(read_json(folder / "config.json"))

    def to_dict(self) -> dict[str, Any]:
        """The contents of a config.json that `from_dict`, and the published code, read back."""
        sizes = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {"architectures": ["NomicVisionModel"], "model_type": "nomic_bert"} | _IMPLEMENTED | sizes

    @property
    def grid(self) -> int:
        return self.img_size // self.patch_size

    @property
    def head_size(self) -> int:
        return self.n_embd // self.n_head

    @property
    def inner_rows(self) -> int:
        return math.ceil(self.n_inner / _INNER_MULTIPLE) * _INNER_MULTIPLE


class Embeddings(nn.Module):
    """Pixels to tokens: a linear map of each patch, a class token in front, a learned position added."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.grid, self.patch = config.grid, config.patch_size
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.n_embd))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.grid**2, config.n_embd))
        self.proj = nn.Linear(3 * config.patch_size**2, config.n_embd)

    def forward(self, pixels: Tensor, kept: Tensor | None = None) -> Tensor:
        grid, patch = self.grid, self.patch
        x = pixels.reshape(-1, 3, grid, patch, grid, patch).permute(0, 2, 4, 1, 3, 5)  # (N, G, G, 3, P, P)
        x = x.flatten(3).flatten(1, 2)  # (N, G·G, 3·P·P)
        x = self.proj(x if kept is None else x[:, kept])  # (N, T-1, D)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1)  # (N, T, D)
        if kept is None:
            return x + self.pos_embed
        return x + torch.cat((self.pos_embed[:, :1], self.pos_embed[:, 1:].index_select(1, kept)), dim=1)


def rotary_angles(config: VisionConfig) -> Tensor:
    """The angle of every pair of a head's dimensions at every patch: (G·G, h/2), float32, radians.

    The first h/4 pairs turn with the row, the others with the column; frequencies fall from 1 to 1/10000.
    """
    bands = config.head_size // 4
    frequencies = _ROTARY_BASE ** -(torch.arange(bands) / bands)
    rows = columns = torch.arange(config.grid, dtype=torch.float32)
    if config.ref_feat_shape is not None:
        rows = rows / config.grid * config.ref_feat_shape[0]
        columns = columns / config.grid * config.ref_feat_shape[1]
    angles = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1)  # (G, G, 2)
    return (angles[..., None] * frequencies).flatten(2).flatten(0, 1)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn neighbouring dimensions (2j, 2j+1) of every token but the class token.

    x: (N, H, T, h); cos, sin: (T-1, h/2).
    """
    even, odd = x[:, :, 1:, 0::2], x[:, :, 1:, 1::2]
    turned = torch.stack((even * cos - odd * sin, odd * cos + even * sin), dim=-1).flatten(-2)
    return torch.cat((x[:, :, :1], turned), dim=2)


class Attention(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.Wqkv = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.out_proj = nn.Linear(config.n_embd, config.n_embd)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        q, k, v = self.Wqkv(x).unflatten(2, (3, self.n_head, -1)).permute(2, 0, 3, 1, 4)  # each (N, H, T, h)
        x = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v)
        return self.out_proj(x.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class GatedMLP(nn.Module):
    """SwiGLU; in the trunk with a norm over the inner rows, whose epsilon is 1e-5 and not the config's."""

    def __init__(self, config: VisionConfig, *, inner_norm: bool) -> None:
        super().__init__()
        self.fc11 = nn.Linear(config.n_embd, config.inner_rows)
        self.fc12 = nn.Linear(config.n_embd, config.inner_rows)
        self.fc2 = nn.Linear(config.inner_rows, config.n_embd)
        self.norm = nn.LayerNorm(config.inner_rows, eps=1e-5) if inner_norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.norm(self.fc11(x) * F.silu(self.fc12(x))))  # type: ignore[no-any-return]


class Block(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.attn = Attention(config)
        self.norm2 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = GatedMLP(config, inner_norm=True)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x), cos, sin)
        return x + self.mlp(self.norm2(x))  # type: ignore[no-any-return]


class PoolingAttention(nn.Module):
    """One learned query looks at all tokens."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.latent = nn.Parameter(torch.zeros(1, 1, config.n_embd))
        self.Wq = nn.Linear(config.n_embd, config.n_embd)
        self.Wkv = nn.Linear(config.n_embd, 2 * config.n_embd)
        self.out_proj = nn.Linear(config.n_embd, config.n_embd)

    def forward(self, x: Tensor) -> Tensor:
        q = self.Wq(self.latent).unflatten(2, (self.n_head, -1)).transpose(1, 2)  # (1, H, 1, h)
        k, v = self.Wkv(x).unflatten(2, (2, self.n_head, -1)).permute(2, 0, 3, 1, 4)  # each (N, H, T, h)
        x = F.scaled_dot_product_attention(q.expand(len(x), -1, -1, -1), k, v)
        return self.out_proj(x.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]  # (N, 1, D)


class Selector(nn.Module):
    """The pooling head: an MLP of what the query gathered, to be added to every token."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.attn = PoolingAttention(config)
        self.norm1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = GatedMLP(config, inner_norm=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(self.norm1(self.attn(x)))  # type: ignore[no-any-return]  # (N, 1, D)


class VisionTower(nn.Module):
    """Pictures to unit vectors. `pixels` come from `embeddings.pixels`."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.selector = Selector(config)
        angles = rotary_angles(config)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """A float32 tower in eval mode from `config.json` and `model.safetensors` (of any float type).

        Raises ModelError for a config we cannot honour, WeightsError unless every key and shape agrees.
        """
        tower = cls(VisionConfig.from_folder(folder))
        load_strictly(tower, folder / "model.safetensors")
        return tower.eval()

    def trunk(self, pixels: Tensor, kept: Tensor | None = None) -> Tensor:
        """(N, 3, S, S) to the hidden states before the pooling head, (N, T, D).

        `kept` (K,), integers below G·G, leaves only these patches of every picture: a training run drops the
        others to save time (FLIP: Li et al. 2022, https://arxiv.org/abs/2212.00794).
        """
        x: Tensor = self.embeddings(pixels, kept)
        cos, sin = (self.cos, self.sin) if kept is None else (self.cos[kept], self.sin[kept])
        for layer in self.layers:
            x = layer(x, cos, sin)
        return x

    def hidden(self, pixels: Tensor) -> Tensor:
        """The published model's `last_hidden_state`: (N, T, D)."""
        x = self.trunk(pixels)
        return x + self.selector(x)  # type: ignore[no-any-return]

    def forward(self, pixels: Tensor, kept: Tensor | None = None) -> Tensor:
        """(N, 3, S, S) normalised pixels to (N, D) vectors of length 1."""
        x = self.trunk(pixels, kept)
        return F.normalize(x[:, 0] + self.selector(x)[:, 0], dim=-1)


def _pair(value: Any) -> tuple[int, int]:
    if not (
        isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(side, int) for side in value)
    ):
        raise ModelError(f"config.json: ref_feat_shape must be two whole numbers, not {value!r}")
    return value[0], value[1]
