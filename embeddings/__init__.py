"""Towers for words and pictures in one latent space. Knows no Django.

    model = embeddings.load_model("nomic-v1.5")
    model.encode_texts(["a red fruit"], task="search_query").vectors    # (1, 768) float32, length 1
    model.encode_images([Path("apple.png")]).vectors                    # in the same space

What is here is loaded when it is first used: `import embeddings` costs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embeddings.encode import Encoded, Model, load_model
    from embeddings.errors import EmbeddingError, ItemError, ModelError, TrainingError, WeightsError
    from embeddings.models import ModelCard, find_model, list_models
    from embeddings.pooling import to_bits

_MENU = {
    "Encoded": "encode",
    "Model": "encode",
    "load_model": "encode",
    "EmbeddingError": "errors",
    "ItemError": "errors",
    "ModelError": "errors",
    "TrainingError": "errors",
    "WeightsError": "errors",
    "ModelCard": "models",
    "find_model": "models",
    "list_models": "models",
    "to_bits": "pooling",
}

__all__ = [
    "EmbeddingError",
    "Encoded",
    "ItemError",
    "Model",
    "ModelCard",
    "ModelError",
    "TrainingError",
    "WeightsError",
    "find_model",
    "list_models",
    "load_model",
    "to_bits",
]


def __getattr__(name: str) -> Any:  # PEP 562
    if name not in _MENU:
        raise AttributeError(f"module 'embeddings' has no attribute {name!r}")
    return getattr(import_module(f"embeddings.{_MENU[name]}"), name)
