"""The loss that pulls pictures to their captions.

- Symmetric softmax over a batch, learned temperature: CLIP, Radford et al. 2021, https://arxiv.org/abs/2103.00020
- Exact large batches in little memory: gradient caching, Gao et al. 2021, https://arxiv.org/abs/2101.06983
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

MAX_SCALE = 100.0  # CLIP's limit on 1/temperature; without it the loss can run away


class Scale(nn.Module):
    """1/temperature, learned on a log scale."""

    def __init__(self, start: float = 20.0) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(start).log())

    def forward(self) -> Tensor:
        return self.log.exp().clamp(max=MAX_SCALE)


def contrastive_loss(
    pictures: Tensor,
    texts: Tensor,
    scale: Tensor,
    *,
    true: Tensor,
    bank: Tensor,
    true_in_bank: Tensor,
) -> Tensor:
    """Mean of picture → text and text → picture cross-entropy.

    pictures, texts (N, D), unit vectors, row i of one belongs to row i of the other; bank (M, D), more texts
    that only serve as wrong answers, free of cost as the text tower is frozen (M may be 0). `true` (N, N) and
    `true_in_bank` (N, M), bool: captions that are right for a picture though drawn for another; they are
    left out.
    """
    n = len(pictures)
    others = ~torch.eye(n, dtype=torch.bool, device=pictures.device)
    scores = (scale * pictures @ texts.T).masked_fill(true & others, -torch.inf)
    more = (scale * pictures @ bank.T).masked_fill(true_in_bank, -torch.inf)
    target = torch.arange(n, device=pictures.device)
    to_text = F.cross_entropy(torch.cat((scores, more), dim=1), target)
    return (to_text + F.cross_entropy(scores.T, target)) / 2


def backward_in_chunks(
    embed: Callable[[int], Tensor], chunks: Sequence[int], loss_of: Callable[[Tensor], Tensor]
) -> Tensor:
    """Gradients of a loss over a whole batch, one chunk's activations in memory at a time; returns the loss.

    `embed(chunk)` must give the same values when it is called again. With one chunk it is the plain backward
    pass; with more, every chunk is embedded twice, and the gradients are the same up to rounding.
    """
    if len(chunks) == 1:
        loss = loss_of(embed(chunks[0]))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()
    with torch.no_grad():
        parts = [embed(chunk) for chunk in chunks]
    whole = torch.cat(parts).requires_grad_()
    loss = loss_of(whole)
    loss.backward()  # type: ignore[no-untyped-call]
    assert whole.grad is not None
    for chunk, gradient in zip(chunks, torch.split(whole.grad, [len(part) for part in parts]), strict=True):
        embed(chunk).backward(gradient)  # type: ignore[no-untyped-call]
    return loss.detach()
