"""int8 linear layers for the CPU: faster than float32, at a small, measured loss.

Weights: one scale an output row, rounded once. Activations: one scale a *token*, taken when the token
passes by, so that a vector depends on nothing but its own text or picture (torch's own dynamic quantisation
takes one scale a batch, and a picture's vector then changes with its neighbours). After Dettmers et al.
2022, https://arxiv.org/abs/2208.07339 (vector-wise quantisation), without its mixed-precision split.
"""

import torch
from torch import Tensor, nn

_ZERO = 128  # activations are unsigned, with this for 0: what the fast kernels take


def _weight_levels() -> int:
    # Without VNNI the kernel adds pairs of products in 16 bits, which 7-bit weights cannot overflow.
    return 127 if torch.cpu._is_vnni_supported() else 63


class QuantizedLinear(nn.Module):
    """A linear layer for inference with int8 weights and per-token int8 activations; float32 in and out."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()  # (out, in)
        self.scales = weight.abs().amax(dim=1).clamp_min(1e-12) / _weight_levels()
        rounded = (weight / self.scales[:, None]).round().to(torch.int8)
        self.zeros = torch.zeros(len(weight), dtype=torch.int64)
        self.weight = torch.ops.onednn.qlinear_prepack(rounded, None)
        self.bias = torch.zeros(()) if linear.bias is None else linear.bias.detach().float()

    def forward(self, x: Tensor) -> Tensor:
        peaks = torch.linalg.vector_norm(x, ord=float("inf"), dim=-1, keepdim=True).clamp_min(1e-12)
        # Adding a half and cutting is rounding, and one pass less over the activations.
        levels = torch.addcmul(torch.tensor(_ZERO + 0.5), x, 127 / peaks).to(torch.uint8)
        out = (None, 1.0, 0, torch.float32)  # bias, scale, zero point, dtype: the bias comes after our scales
        products = torch.ops.onednn.qlinear_pointwise(
            levels, 1.0, _ZERO, self.weight, self.scales, self.zeros, *out, "none", [], ""
        )
        return torch.addcmul(self.bias, products, peaks / 127)


def quantize_linears(module: nn.Module) -> None:
    """Replace every linear layer below `module` by its int8 form."""
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, QuantizedLinear(child))
        else:
            quantize_linears(child)
