"""Weights of the transformers library's own classes, read as strictly as our towers' are.

Their `from_pretrained` fills what is missing with random numbers, and reports rather than refuses.
"""

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from embeddings.checkpoint import unreadable
from embeddings.errors import WeightsError


def load_parts(module: nn.Module, folder: Path, *, unused: tuple[str, ...]) -> None:
    """Copy a folder's `model.safetensors` or `pytorch_model.bin` into `module`.

    Keys that start with one of `unused` belong to parts that `module` leaves out. Raises WeightsError when
    the file cannot be read, or any other key is missing, unexpected or of another shape; drop the module
    then.
    """
    path = folder / "model.safetensors"
    if not path.exists():
        path = folder / "pytorch_model.bin"
    values = {key: value for key, value in _read(path).items() if not key.startswith(unused)}
    try:
        module.load_state_dict(values)
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit the model: {' '.join(str(error).split())}") from error


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # Pickled, but read as tensors only: the file can run no code.
        return torch.load(path, map_location="cpu", weights_only=True)  # type: ignore[no-any-return]
    except (OSError, SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise unreadable(path, error) from error
