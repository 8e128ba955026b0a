"""Zip archives, read through their central directory; nothing is extracted."""

import stat
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO, cast

from embeddings.readers.limits import RATIO_FLOOR, Limits
from embeddings.readers.members import Container, Member, said
from embeddings.readers.reasons import DatasetError, ReadError, Reason

# bzip2 and LZMA members are refused: zipfile expands those streams without an upper bound on the piece.
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
# What zipfile raises for a damaged list of contents.
_LIST_ERRORS = (
    zipfile.BadZipFile, OSError, ValueError, OverflowError, NotImplementedError, struct.error
)  # fmt: skip
_LOCAL_HEADER = 30  # bytes, before name and extra field
_LISTED_HEADER = 46  # the same in the list of contents


class ZipContainer(Container):
    """Raises DatasetError when the list of contents is missing, damaged or over `limits.entries`."""

    packs = True

    def __init__(self, path: Path, name: str, limits: Limits) -> None:
        super().__init__(name)
        _check_directory(path, name, limits)
        try:
            self._zip = zipfile.ZipFile(path)
        except _LIST_ERRORS as error:
            raise DatasetError(
                f"{name} is cut short or damaged: its list of contents cannot be read ({said(error)})."
            ) from error
        self._infos = self._zip.infolist()
        overlapping = _overlaps(self._infos)
        for place, info in enumerate(self._infos):
            if not info.filename.endswith(("/", "\\")):
                problem = _problem_with(info, limits, overlapping=place in overlapping)
                self.take(_name_of(info), info.file_size, place, problem)

    def open(self, member: Member) -> BinaryIO:
        return cast(BinaryIO, self._zip.open(self._infos[member.place]))

    def close(self) -> None:
        self._zip.close()


def is_last_of_several(path: Path) -> bool:
    """Whether it ends a zip that was split: its end record then counts the disks before it."""
    with path.open("rb") as file:
        tail, at = _end_record(file)
        if at < 0:
            return False
        before = int.from_bytes(tail[at + 4 : at + 6], "little")
        return 0 < before < 0xFFFF  # that many: the zip is large, and counts elsewhere


def _end_record(file: BinaryIO) -> tuple[bytes, int]:
    """The last bytes, and the place of the end record in them; -1 where there is none."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 65_557))  # end record: 22 bytes and a comment of up to 65,535
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    return tail, at if len(tail) >= at + 22 else -1


def _check_directory(path: Path, name: str, limits: Limits) -> None:
    """Refuse a list of contents that is too long before zipfile reads all of it into memory."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        tail, at = _end_record(file)
        if at < 0:
            raise DatasetError(
                f"{name} is cut short: the list of contents at its end is missing. Upload it again."
            )
        entries, listed = struct.unpack_from("<HI", tail, at + 10)
        end = max(0, size - 65_557) + at  # of the list
        if tail[max(0, at - 20) : at].startswith(b"PK\6\7"):
            file.seek(max(0, end - 76))  # as zipfile does: the record lies just before its locator
            record = file.read(56)
            if record[:4] == b"PK\6\6":
                entries, listed = struct.unpack_from("<QQ", record, 32)
                end -= 76
        # The list may hold more than it says.
        if entries <= limits.entries and 0 <= listed <= min(end, limits.entries * 400):
            file.seek(end - listed)
            entries = max(entries, _count_entries(file, listed, limits.entries))
    if entries > limits.entries or listed > limits.entries * 400:
        raise DatasetError(f"{name} lists {entries:,} entries; the limit is {limits.entries:,}.")


def _count_entries(file: BinaryIO, size: int, most: int) -> int:
    """How many entries a list of contents of so many bytes has, from here on; `most` + 1 for any more."""
    count = 0
    end = file.tell() + size
    while count <= most and file.tell() < end:
        header = file.read(_LISTED_HEADER)
        if len(header) < _LISTED_HEADER or not header.startswith(b"PK\1\2"):
            break  # zipfile says what is wrong with it
        file.seek(sum(struct.unpack_from("<3H", header, 28)), 1)  # name, extra field, comment
        count += 1
    return count


def _name_of(info: zipfile.ZipInfo) -> str:
    """The entry's name; macOS writes UTF-8 without saying so, which zipfile then reads as code page 437."""
    if info.flag_bits & _UTF8_NAME:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _problem_with(info: zipfile.ZipInfo, limits: Limits, *, overlapping: bool) -> ReadError | None:
    mode = info.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        return ReadError(Reason.UNSAFE, "It is a link or a device, not a file.")
    if info.flag_bits & _ENCRYPTED:
        return ReadError(Reason.ENCRYPTED, "It is locked with a password; make the zip without one.")
    if info.compress_type not in _COMPRESSIONS:
        return ReadError(Reason.UNSUPPORTED, "It is packed with a method other than stored or deflate.")
    if overlapping:
        return ReadError(Reason.BOMB, "Its bytes overlap another entry's.")
    if info.file_size > RATIO_FLOOR and info.file_size > limits.ratio * max(1, info.compress_size):
        size = f"{info.file_size:,} bytes"
        return ReadError(Reason.BOMB, f"It would expand more than {limits.ratio} times, to {size}.")
    return None


def _overlaps(infos: list[zipfile.ZipInfo]) -> set[int]:
    """Places of entries that begin inside an earlier one: how a small zip is made to hold petabytes."""
    found: set[int] = set()
    end = 0
    for place in sorted(range(len(infos)), key=lambda at: infos[at].header_offset):
        info = infos[place]
        if info.header_offset < end:
            found.add(place)
        end = max(end, info.header_offset + _LOCAL_HEADER + info.compress_size)
    return found
