"""What follows a text tower's mean: the two published recipes, and bits.

Sources: the model cards of nomic-embed-text-v1 (mean, then length 1) and v1.5 (mean, layer norm, first d,
length 1: "Matryoshka" vectors, Kusupati et al. 2022, https://arxiv.org/abs/2205.13147).
"""

from enum import Enum

import numpy as np
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from embeddings.errors import ModelError


class Recipe(Enum):
    LENGTH_ONE = "length one"  # v1, MiniLM, CLIP
    SHORTENABLE = "layer norm, first d, length one"  # v1.5


def finish(mean: Tensor, recipe: Recipe, dimensions: int) -> Tensor:
    """(N, D) means to (N, dimensions) vectors of length 1, float32.

    The layer norm has no weights and eps 1e-5, and comes before the cut. Raises ModelError for a length
    that the recipe cannot give.
    """
    check_dimensions(mean.shape[1], recipe, dimensions)
    if recipe is Recipe.SHORTENABLE:
        mean = F.layer_norm(mean, mean.shape[1:])[:, :dimensions]
    return F.normalize(mean, dim=-1)


def check_dimensions(width: int, recipe: Recipe, dimensions: int) -> None:
    if recipe is Recipe.LENGTH_ONE and dimensions != width:
        raise ModelError(
            f"This model's vectors have {width} dimensions and cannot be shortened to {dimensions}"
        )
    if not 1 <= dimensions <= width:
        raise ModelError(f"This model's vectors have 1 to {width} dimensions, not {dimensions}")


def to_bits(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """One bit a dimension, 1 where the value is above 0: (N, d) to (N, ceil(d / 8)), first dimension
    highest.
    """
    return np.packbits(vectors > 0, axis=1)
