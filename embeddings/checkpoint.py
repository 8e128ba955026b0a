"""Reading a weights file into a module, strictly: every key and every shape, before a value is copied."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from embeddings.errors import WeightsError

_POINTER = b"version https://git-lfs"
_LISTED = 5  # keys named in an error before it says how many more there are


def load_strictly(module: nn.Module, path: Path) -> None:
    """Copy the tensors of a safetensors file into `module`, which keeps its own dtype and device.

    float16 and bfloat16 files are widened on the way in. Raises WeightsError, with the module untouched, when
    the file cannot be read or any key is missing, unexpected, of another shape, or not floating point.
    """
    targets = module.state_dict()
    try:
        with safe_open(path, framework="pt") as file:
            _assert_same_layout(targets, {key: file.get_slice(key) for key in file.keys()}, path)  # noqa: SIM118
            values = {key: file.get_tensor(key) for key in targets}
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from error
    for key, value in values.items():
        if not value.is_floating_point():
            raise WeightsError(f"{path}: {key} is {value.dtype}, not floating point")
    with torch.no_grad():
        for key, value in values.items():
            targets[key].copy_(value)


def unreadable(path: Path, error: Exception) -> WeightsError:
    """Why a weights file cannot be read."""
    try:
        with path.open("rb") as file:
            is_pointer = file.read(len(_POINTER)) == _POINTER
    except OSError:
        is_pointer = False
    if is_pointer:  # what a clone without Git LFS leaves in the place of every large file
        return WeightsError(f"{path} is a pointer of Git LFS, not the file: run `git lfs pull` beside it")
    return WeightsError(f"{path} cannot be read as weights: {error}")


def _assert_same_layout(targets: dict[str, torch.Tensor], slices: dict[str, object], path: Path) -> None:
    problems = []
    if missing := sorted(targets.keys() - slices.keys()):
        problems.append("missing " + _listing(missing))
    if unexpected := sorted(slices.keys() - targets.keys()):
        problems.append("unexpected " + _listing(unexpected))
    shapes = {key: tuple(slices[key].get_shape()) for key in targets.keys() & slices.keys()}  # type: ignore[attr-defined]
    wrong = [
        f"{key} is {shape}, should be {tuple(targets[key].shape)}"
        for key, shape in sorted(shapes.items())
        if shape != tuple(targets[key].shape)
    ]
    if wrong:
        problems.append("wrong shape: " + _listing(wrong))
    if problems:
        raise WeightsError(f"{path} does not fit the model: {'; '.join(problems)}")


def _listing(items: list[str]) -> str:
    more = len(items) - _LISTED
    return ", ".join(items[:_LISTED]) + (f" and {more} more" if more > 0 else "")
