"""Folders on disk, and loose files given one by one under names of their own."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from embeddings.readers.limits import Limits
from embeddings.readers.members import Container, Member, is_junk
from embeddings.readers.reasons import DatasetError, ReadError, Reason

_DEEPEST = 32  # folders inside folders


class FileContainer(Container):
    """Files that lie on disk. `files` gives (name, path); links and devices are skipped, never followed."""

    def __init__(self, name: str, files: Iterable[tuple[str, Path]], limits: Limits) -> None:
        super().__init__(name)
        self._paths: list[Path] = []
        for raw_name, path in files:
            if len(self._paths) >= limits.entries:
                raise DatasetError(
                    f"{name or 'The upload'} holds more than {limits.entries:,} files, the limit."
                )
            size, problem = _size_of(path)
            self.take(raw_name, size, len(self._paths), problem)
            self._paths.append(path)

    def open(self, member: Member) -> BinaryIO:
        return cast(BinaryIO, self._paths[member.place].open("rb"))

    def label(self, name: str) -> str:
        return f"{self.name}/{name}" if self.name else name


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """(name relative to `folder`, path) of everything in it, sorted, folders after files; links are not
    followed. A folder that cannot be opened is named itself.
    """
    yield from _files_below(folder, "", _DEEPEST)


def _files_below(folder: Path, prefix: str, deepest: int) -> Iterator[tuple[str, Path]]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        yield prefix.rstrip("/") or folder.name, folder
        return
    inner = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            yield prefix + entry.name, Path(entry.path)
    for entry in inner if deepest else []:
        if not is_junk(entry.name):
            yield from _files_below(Path(entry.path), f"{prefix}{entry.name}/", deepest - 1)


def _size_of(path: Path) -> tuple[int, ReadError | None]:
    try:
        facts = path.lstat()
    except OSError as error:
        return 0, ReadError(Reason.CORRUPT, f"It cannot be opened: {error.strerror}.")
    if stat.S_ISDIR(facts.st_mode):
        return 0, ReadError(Reason.CORRUPT, "This folder cannot be opened.")
    if not stat.S_ISREG(facts.st_mode):
        return 0, ReadError(Reason.UNSAFE, "It is a link or a device, not a file.")
    return facts.st_size, None
