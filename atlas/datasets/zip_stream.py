"""ZIP archives written from front to end, for a reader that is already listening.

Python's `zipfile` remembers every member until the end, half a gigabyte for a million pictures. Here the list
of contents grows in a temporary file. Members are stored as they are: pictures are compressed already.

Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3 (ZIP64).
"""

import struct
import time
import zlib
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, Self

_MORE = 0xFFFFFFFF  # the number stands in the ZIP64 field
_MANY = 0xFFFF
_UTF8 = 1 << 11
_STORED = 0
_PLAIN, _ZIP64 = 20, 45  # the version needed to read it
_UNIX = 3 << 8
_FILE = 0o100644 << 16
_PIECE = 1 << 18
_IN_MEMORY = 1 << 20


class ZipStream:
    """Everything that is yielded, one after the other, is the archive."""

    def __init__(self) -> None:
        self._contents: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed by __exit__
        self._offset = 0
        self._count = 0
        now = time.localtime()
        self._time = now.tm_hour << 11 | now.tm_min << 5 | now.tm_sec // 2
        self._date = (now.tm_year - 1980) << 9 | now.tm_mon << 5 | now.tm_mday

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._contents.close()

    def member(self, name: str, content: bytes) -> Iterator[bytes]:
        yield self._begin(name, len(content), zlib.crc32(content))
        yield content

    def member_from(self, name: str, file: IO[bytes]) -> Iterator[bytes]:
        """A member too large for memory: the file is read twice, first for its checksum."""
        size = crc = 0
        file.seek(0)
        while piece := file.read(_PIECE):
            size, crc = size + len(piece), zlib.crc32(piece, crc)
        yield self._begin(name, size, crc)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece

    def end(self) -> Iterator[bytes]:
        size = self._contents.tell()
        self._contents.seek(0)
        while piece := self._contents.read(_PIECE):
            yield piece
        after = self._offset + size
        if self._count >= _MANY or after >= _MORE:
            yield struct.pack(
                "<4sQHHIIQQQQ", b"PK\6\6", 44, _UNIX | _ZIP64, _ZIP64, 0, 0,
                self._count, self._count, size, self._offset,
            )  # fmt: skip
            yield struct.pack("<4sIQI", b"PK\6\7", 0, after, 1)
        count = min(self._count, _MANY)
        yield struct.pack(
            "<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, min(size, _MORE), min(self._offset, _MORE), 0
        )

    def _begin(self, name: str, size: int, crc: int) -> bytes:
        """The header of a member; the same goes into the list of contents, with the place of the member."""
        raw = name.encode()
        large = size >= _MORE
        extra = _zip64(size, size) if large else b""
        shown = min(size, _MORE)
        version = _ZIP64 if large or self._offset >= _MORE else _PLAIN
        common = struct.pack(
            "<HHHHHIIIH", version, _UTF8, _STORED, self._time, self._date, crc, shown, shown, len(raw)
        )
        header = b"PK\3\4" + common + struct.pack("<H", len(extra)) + raw + extra
        large_numbers = [size, size] if large else []
        if self._offset >= _MORE:
            large_numbers.append(self._offset)
        more = _zip64(*large_numbers) if large_numbers else b""
        self._contents.write(
            b"PK\1\2" + struct.pack("<H", _UNIX | version) + common
            + struct.pack("<HHHHII", len(more), 0, 0, 0, _FILE, min(self._offset, _MORE)) + raw + more
        )  # fmt: skip
        self._offset += len(header) + size
        self._count += 1
        return header


def _zip64(*numbers: int) -> bytes:
    return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)
