"""Muon: momentum whose update is made orthogonal, for the matrices inside a network.

Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/; scaled to Adam's step size as in Liu et al.
2025, https://arxiv.org/abs/2502.16982. torch.optim.Muon always iterates in bfloat16, which most CPUs do
slowly.
"""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

# Of the quintic Newton-Schulz step; Jordan chose them steep near zero.
_COEFFICIENTS = (3.4445, -4.775, 2.0315)
_ITERATIONS = 5
_ADAM_RMS = 0.2  # the usual root mean square of an Adam update


class Muon(torch.optim.Optimizer):
    """For 2-D parameters, given in groups as to any torch optimizer. With `bfloat16` it iterates in that."""

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        lr: float,
        weight_decay: float,
        momentum: float = 0.95,
        *,
        bfloat16: bool = False,
    ) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self._dtype = torch.bfloat16 if bfloat16 else torch.float32

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum = state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                ahead = parameter.grad.lerp(momentum, group["momentum"])
                update = orthogonal(ahead.to(self._dtype)).to(parameter.dtype)
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-group["lr"] * _ADAM_RMS * math.sqrt(max(parameter.shape)))


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly U·Vᵀ of the singular value decomposition U·S·Vᵀ: all singular values within 0.7…1.2."""
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_ITERATIONS):
        squared = x @ x.T
        x = torch.addmm(x, torch.addmm(squared, squared, squared, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
