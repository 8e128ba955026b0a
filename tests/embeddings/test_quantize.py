"""int8 and packed layers: near the plain ones, and blind to their neighbours."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import embeddings
from embeddings.packed import PackedLinear, pack
from embeddings.quantize import QuantizedLinear, quantize_linears

GOLDEN = Path(__file__).parents[1] / "golden"


def linear(bias: bool) -> nn.Linear:
    torch.manual_seed(5)
    return nn.Linear(96, 64, bias=bias)


@pytest.mark.parametrize("bias", [True, False])
def test_an_int8_layer_is_near_the_plain_one(bias: bool) -> None:
    plain = linear(bias)
    x = torch.randn(3, 7, 96)
    with torch.inference_mode():
        exact, rough = plain(x), QuantizedLinear(plain)(x)
    assert rough.shape == exact.shape
    assert torch.cosine_similarity(exact, rough, dim=-1).min() > 0.999


def test_an_int8_row_does_not_depend_on_its_neighbours() -> None:
    layer = QuantizedLinear(linear(bias=True))
    x = torch.randn(6, 96)
    with torch.inference_mode():
        before = layer(x)
        x[1:] *= 1000
        after = layer(x)
    torch.testing.assert_close(after[0], before[0], rtol=0, atol=0)


def test_an_int8_layer_takes_a_row_of_zeros() -> None:
    plain = linear(bias=True)
    with torch.inference_mode():
        assert torch.equal(QuantizedLinear(plain)(torch.zeros(2, 96)), plain.bias.expand(2, -1))


@pytest.mark.parametrize("bias", [True, False])
def test_a_packed_layer_is_the_plain_one(bias: bool) -> None:
    plain = linear(bias)
    x = torch.randn(3, 7, 96)
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear(plain)(x), plain(x), atol=1e-6, rtol=1e-6)


def test_every_linear_layer_is_replaced() -> None:
    for replace, made in ((pack, PackedLinear), (quantize_linears, QuantizedLinear)):
        module = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 2)))
        replace(module)
        assert sum(isinstance(child, made) for child in module.modules()) == 2
        assert not any(type(child) is nn.Linear for child in module.modules())


def test_an_int8_model_gives_near_vectors_in_any_company() -> None:
    options = {"text_tower": GOLDEN / "text_v1_5", "vision_tower": GOLDEN / "vision_v1_5"}
    exact = embeddings.load_model(**options)  # type: ignore[arg-type]
    rough = embeddings.load_model(quantize="int8", **options)  # type: ignore[arg-type]
    texts = ["quick brown fox", "lazy", "hello world over the fox " * 5]
    paths = sorted((GOLDEN / "images").glob("*.png"))
    for a, b in (
        (exact.encode_texts(texts, task=None), rough.encode_texts(texts, task=None)),
        (exact.encode_images(paths), rough.encode_images(paths)),
    ):
        # The random weights of these towers amplify rounding more than trained ones do.
        assert (a.vectors * b.vectors).sum(axis=1).min() > 0.98
    alone = np.concatenate([rough.encode_images([path]).vectors for path in paths])
    np.testing.assert_allclose(rough.encode_images(paths).vectors, alone, atol=1e-5)
