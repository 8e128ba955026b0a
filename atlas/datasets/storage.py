"""Where pictures lie when they lie on this machine's disk."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from atlas.patience import require_room

_HOUR = 3600


class ContentStorage(FileSystemStorage):
    """Files whose names follow from their content: another under the same name is the same.

    Django's looks for a free name and locks the file, which imports need not wait for. Here a file is written
    elsewhere and renamed, so that nobody ever opens half of one.
    """

    @property
    def unfinished(self) -> Path:
        """The folder of what is being written; on the same disk, or it could not be renamed."""
        return Path(self.location) / "unfinished"

    def save(self, name: str | None, content: "File[Any] | IO[Any]", max_length: int | None = None) -> str:  # noqa: ARG002
        assert name is not None
        file = self.unfinished / uuid4().hex
        data = content.read()
        try:
            _made(self.unfinished, lambda: _write(file, data))
            path = Path(self.path(name))
            _made(path.parent, lambda: file.replace(path))
        except OSError:
            with suppress(OSError):
                file.unlink()
            raise
        return name

    def remove_unfinished(self) -> None:
        """What processes that were killed left there."""
        with suppress(FileNotFoundError):
            for entry in os.scandir(self.unfinished):
                if entry.stat().st_mtime < time.time() - _HOUR:
                    os.unlink(entry)


def _write(file: Path, data: bytes) -> None:
    require_room(file.parent)
    file.write_bytes(data)


def _made(folder: Path, verb: Callable[[], object]) -> None:
    """Do it, and again once the folder was made, which it mostly was before."""
    try:
        verb()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        verb()
