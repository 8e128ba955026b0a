"""The nomic-embed text tower (v1 and v1.5), whole: token ids in, one mean vector a text out.

References:
- nomic-embed: Nussbaum, Morris, Duderstadt, Mulyar 2024, https://arxiv.org/abs/2402.01613
- the trunk is BERT (Devlin et al. 2018, https://arxiv.org/abs/1810.04805; post-norm) with a gated MLP
  (Shazeer 2020, https://arxiv.org/abs/2002.05202) and rotary positions (Su et al. 2021,
  https://arxiv.org/abs/2104.09864)
- beyond the trained length the rotary base is stretched ("dynamic NTK"): Peng et al. 2023,
  https://arxiv.org/abs/2309.00071, appendix B.3

Letters in shapes: N texts, S tokens of the longest, D the width, H heads, h = D/H.
Parameter names are the published ones, so that an official `model.safetensors` loads as it is.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from embeddings.checkpoint import load_strictly
from embeddings.configs import Settings, read_json
from embeddings.errors import ModelError

_INNER_MULTIPLE = 256  # the weights hold n_inner rounded up to this many rows
_TRAINED_POSITIONS = 2048  # of every published checkpoint; some config.json files do not say it

# Keys of config.json that change the arithmetic, and the one value of each that is implemented here.
# A key that is absent has this value.
_IMPLEMENTED = {
    "prenorm": False,
    "causal": False,
    "use_rms_norm": False,
    "parallel_block": False,
    "norm_mlp": False,
    "rotary_emb_fraction": 1.0,
    "rotary_emb_interleaved": False,
    "rotary_emb_scale_base": None,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
}
_GATES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "swiglu": F.silu,
    "silu": F.silu,
    "geglu": F.gelu,
    "gelu": F.gelu,
    "glu": F.sigmoid,
    "sigmoid": F.sigmoid,
}


@dataclass(frozen=True)
class TextConfig:
    """Sizes, under their older names in config.json. The defaults are nomic-embed-text-v1.5."""

    vocab_size: int = 30528
    type_vocab_size: int = 2
    n_embd: int = 768
    n_head: int = 12
    n_layer: int = 12
    n_inner: float = 3072
    n_positions: int = 8192  # the longest text it may be given, in tokens
    max_trained_positions: int = _TRAINED_POSITIONS  # beyond this the rotary base is stretched
    rotary_emb_base: float = 1000.0
    rotary_scaling_factor: float | None = None  # None: the base stays as it is at every length
    layer_norm_epsilon: float = 1e-12
    activation_function: str = "swiglu"
    qkv_proj_bias: bool = False
    mlp_fc1_bias: bool = False
    mlp_fc2_bias: bool = False

    def __post_init__(self) -> None:
        for name in ("vocab_size", "type_vocab_size", "n_embd", "n_head", "n_layer", "n_inner", "n_positions",
                     "max_trained_positions", "rotary_emb_base"):  # fmt: skip
            if not getattr(self, name) > 0:
                raise ModelError(f"{name} must be positive, not {getattr(self, name)}")
        if self.n_embd % (2 * self.n_head):
            raise ModelError(f"n_embd {self.n_embd} is not a multiple of 2·n_head = {2 * self.n_head}")
        if self.activation_function not in _GATES:
            raise ModelError(
                f"activation_function is {self.activation_function!r}; "
                f"this tower implements {', '.join(_GATES)}"
            )
        if self.rotary_scaling_factor is not None:
            if not (math.isfinite(self.rotary_scaling_factor) and self.rotary_scaling_factor >= 1):
                raise ModelError(
                    f"rotary_scaling_factor must be a number of at least 1, not {self.rotary_scaling_factor}"
                )
            if self.head_size < 4:
                raise ModelError("rotary_scaling_factor needs heads of at least 4 dimensions")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """From the contents of config.json, of either generation: older names (n_embd …) or newer
        (hidden_size …); where a file holds both, the older are read, which the published code reads.

        Raises ModelError that names the first key we cannot honour.
        """
        settings = Settings(values)
        settings.require(_IMPLEMENTED)
        width = settings.whole("n_embd", "hidden_size")
        if settings.whole("head_dim", default=0) not in (
            0,
            width // settings.whole("n_head", "num_attention_heads"),
        ):
            raise ModelError(
                f"config.json: head_dim is {values['head_dim']}, not the width divided by the heads"
            )
        rope = _rope(values)
        trained = settings.whole("max_trained_positions", default=_TRAINED_POSITIONS)
        return cls(
            vocab_size=_rounded_up(
                settings.whole("vocab_size"), settings.whole("pad_vocab_size_multiple", default=1)
            ),
            type_vocab_size=settings.whole("type_vocab_size", default=2),
            n_embd=width,
            n_head=settings.whole("n_head", "num_attention_heads"),
            n_layer=settings.whole("n_layer", "num_hidden_layers"),
            n_inner=settings.number("n_inner", "intermediate_size", default=4.0 * width),
            n_positions=settings.whole("n_positions", "max_position_embeddings", default=trained),
            max_trained_positions=trained,
            rotary_emb_base=settings.number(
                "rotary_emb_base", default=rope.number("rope_theta", default=1000.0)
            ),
            rotary_scaling_factor=settings.optional_number("rotary_scaling_factor"),
            layer_norm_epsilon=settings.number("layer_norm_epsilon", "layer_norm_eps", default=1e-12),
            activation_function=settings.text("activation_function", "hidden_act", default="swiglu"),
            qkv_proj_bias=settings.flag("qkv_proj_bias"),
            mlp_fc1_bias=settings.flag("mlp_fc1_bias"),
            mlp_fc2_bias=settings.flag("mlp_fc2_bias"),
        )

    @property
    def head_size(self) -> int:
        return self.n_embd // self.n_head

    @property
    def inner_rows(self) -> int:
        return _rounded_up(self.n_inner, _INNER_MULTIPLE)


def _rounded_up(value: float, multiple: int) -> int:
    return math.ceil(value / multiple) * multiple


def _rope(values: dict[str, Any]) -> Settings:
    rope = values.get("rope_parameters") or {}
    if not isinstance(rope, dict) or rope.get("rope_type", "default") != "default":
        raise ModelError(f"config.json: rope_parameters is {rope!r}; this tower implements only 'default'")
    return Settings(rope)


class Embeddings(nn.Module):
    """A row for the token plus a row for its segment. No positions: those are rotary."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.n_embd)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.n_embd)

    def forward(self, ids: Tensor, segments: Tensor | None) -> Tensor:
        # Segment 0 is a learned row that is always added, not "nothing".
        segment = (
            self.token_type_embeddings.weight[0] if segments is None else self.token_type_embeddings(segments)
        )
        return self.word_embeddings(ids) + segment  # type: ignore[no-any-return]  # (N, S, D)


def rotary_table(config: TextConfig, lengths: Tensor, longest: int) -> tuple[Tensor, Tensor]:
    """cos and sin of every position's angles, float32: (N or 1, 1, longest, h/2).

    A row longer than the trained length T gets the base b·(α·S/T - (α-1))^(h/(h-2)), with S its *own*
    length. The published code takes the padded length of the batch, so that a text's vector depends on its
    neighbours.
    """
    h, alpha = config.head_size, config.rotary_scaling_factor
    base = torch.full((1, 1), config.rotary_emb_base, device=lengths.device)
    if alpha is not None and longest > config.max_trained_positions:
        stretch = (lengths / config.max_trained_positions).clamp_min(1)  # exactly 1 up to the trained length
        base = base * (alpha * stretch[:, None] - (alpha - 1)) ** (h / (h - 2))  # (N, 1)
    exponents = torch.arange(0, h, 2, device=lengths.device, dtype=torch.float32) / h
    positions = torch.arange(longest, device=lengths.device, dtype=torch.float32)
    angles = positions[:, None] * (1.0 / base**exponents)[:, None, None, :]
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn dimension i with dimension i + h/2. x: (N, H, S, h); cos, sin: (N or 1, 1, S, h/2)."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class Attention(nn.Module):
    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.Wqkv = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.qkv_proj_bias)
        self.out_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.qkv_proj_bias)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = self.Wqkv(x).unflatten(2, (3, self.n_head, -1)).permute(2, 0, 3, 1, 4)  # each (N, H, S, h)
        x = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, attn_mask=mask)
        return self.out_proj(x.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class GatedMLP(nn.Module):
    """fc12 is the gate, fc11 goes through it."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.fc11 = nn.Linear(config.n_embd, config.inner_rows, bias=config.mlp_fc1_bias)
        self.fc12 = nn.Linear(config.n_embd, config.inner_rows, bias=config.mlp_fc1_bias)
        self.fc2 = nn.Linear(config.inner_rows, config.n_embd, bias=config.mlp_fc2_bias)
        self.gate = _GATES[config.activation_function]

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.fc11(x) * self.gate(self.fc12(x)))  # type: ignore[no-any-return]


class Block(nn.Module):
    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.attn = Attention(config)
        self.norm1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = GatedMLP(config)
        self.norm2 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        x = self.norm1(x + self.attn(x, cos, sin, mask))
        return self.norm2(x + self.mlp(x))  # type: ignore[no-any-return]


class Encoder(nn.Module):
    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Block(config) for _ in range(config.n_layer))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        for layer in self.layers:
            x = layer(x, cos, sin, mask)
        return x


class TextTower(nn.Module):
    """Token ids to mean vectors. The ids come from `embeddings.tokens`, what follows the mean from
    `embeddings.pooling`."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.emb_ln = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.encoder = Encoder(config)

    @classmethod
    def from_folder(cls, folder: Path, *, rotary_scaling_factor: float | None = None) -> Self:
        """A float32 tower in eval mode from `config.json` and `model.safetensors` (of any float type).

        `rotary_scaling_factor` replaces the config's, as the model card does to reach 8,192 tokens.
        Raises ModelError for a config we cannot honour, WeightsError unless every key and shape agrees.
        """
        values = read_json(folder / "config.json")
        if rotary_scaling_factor is not None:
            values["rotary_scaling_factor"] = rotary_scaling_factor
        tower = cls(TextConfig.from_dict(values))
        load_strictly(tower, folder / "model.safetensors")
        return tower.eval()

    @property
    def dimensions(self) -> int:
        return self.config.n_embd

    @property
    def max_tokens(self) -> int:
        return self.config.n_positions

    def hidden(self, ids: Tensor, lengths: Tensor, segments: Tensor | None = None) -> Tensor:
        """The published model's `last_hidden_state`, (N, S, D), except that rows beyond the trained length
        are stretched each by its own length. Positions at or after a row's length hold no meaning.

        ids (N, S) and segments (N, S), integers, padded on the right; lengths (N,), integers ≥ 1.
        """
        longest = ids.shape[1]
        x = self.emb_ln(self.embeddings(ids, segments))
        cos, sin = (table.to(x.dtype) for table in rotary_table(self.config, lengths, longest))
        mask = padding_mask(lengths, longest)
        return self.encoder(x, cos, sin, None if mask is None else mask[:, None, None])  # type: ignore[no-any-return]

    def forward(self, ids: Tensor, lengths: Tensor, segments: Tensor | None = None) -> Tensor:
        """Mean over each row's tokens: (N, D) float32, not normalised."""
        return masked_mean(self.hidden(ids, lengths, segments), lengths)


def padding_mask(lengths: Tensor, longest: int) -> Tensor | None:
    """True where a row has a token, (N, longest); None where every row is full, so that the fast path is
    taken.
    """
    mask = torch.arange(longest, device=lengths.device) < lengths[:, None]
    return None if bool(mask.all()) else mask


def masked_mean(hidden: Tensor, lengths: Tensor) -> Tensor:
    """Mean over the first `lengths` positions, in float32: (N, S, D), (N,) → (N, D)."""
    mask = padding_mask(lengths, hidden.shape[1])
    kept = hidden.float() if mask is None else hidden.float() * mask[..., None]
    return kept.sum(dim=1) / lengths[:, None]
