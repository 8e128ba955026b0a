"""Where pictures lie when they lie on this machine's disk."""

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class ContentStorage(FileSystemStorage):
    """Files whose names follow from their content: another under the same name is the same.

    Django's looks for a free name and locks the file, a third of an import's time. Here a file is written
    beside its place and renamed, so that nobody ever opens half of one.
    """

    def save(self, name: str | None, content: "File[Any] | IO[Any]", max_length: int | None = None) -> str:  # noqa: ARG002
        assert name is not None
        path, data = self.path(name), content.read()
        unfinished = f"{path}.{os.getpid()}-{threading.get_ident()}"
        try:
            try:
                Path(unfinished).write_bytes(data)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                Path(unfinished).write_bytes(data)
            os.replace(unfinished, path)
        except OSError:
            with suppress(OSError):
                os.unlink(unfinished)
            raise
        return name
