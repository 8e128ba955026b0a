"""Towers rearranged for a CPU: the same float32 arithmetic, faster.

torch hands a float32 linear layer to MKL, which on processors of other makers leaves half of AVX-512
unused; oneDNN does not, and here it also gets its weights in the order it reads them. On an AMD Zen 5 this
runs the towers about twice as fast, at cosine 1 to the plain module; on an AVX2 machine it changes little.
torch's own compiler uses the same operations when it freezes a module.
"""

import torch
from torch import Tensor, nn


class PackedLinear(nn.Module):
    """A linear layer for inference with its weights in oneDNN's order. It cannot be saved or trained."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())
        self.bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")  # type: ignore[no-any-return]


def pack(module: nn.Module) -> None:
    """Replace every linear layer below `module`, where this build of torch can."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, PackedLinear(child))
        else:
            pack(child)
