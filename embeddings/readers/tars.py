"""Tar archives, plain or gzipped, indexed by walking their headers; nothing is extracted.

The walk is our own because the standard library's reads an extended header of any announced size into
memory, searches it with a pattern that a hostile one can stall, and takes damage after the first member for
the end of the archive. Layout: POSIX.1-1988 ustar, POSIX.1-2001 pax records, GNU long names and base-256
sizes.
"""

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from embeddings.readers.gzips import GzipCursor, GzipFile
from embeddings.readers.limits import Limits
from embeddings.readers.members import READ_ERRORS, Container, Member, read_up_to, said
from embeddings.readers.reasons import DatasetError, ReadError, Reason

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 512
_LONGEST_HEADER = 2**20
_LONGEST_PADDING = 2**20  # zeros behind the end mark; tar writes up to 10 KiB
_FILES = frozenset(b"0\0" + b"7")
_LINKS = frozenset(b"12346")
_FOLDER = ord("5")
_LONG_NAME, _LONG_LINK, _PAX, _GLOBAL_PAX, _SPARSE = (ord(flag) for flag in "LKxgS")


@dataclass(frozen=True, slots=True)
class Header:
    name: str
    kind: int
    size: int


class TarContainer(Container):
    """Members of a tar or tar.gz. Damage ends the walk: what came before it stays readable, the rest is
    reported.
    """

    def __init__(self, path: Path, name: str, limits: Limits, *, gzipped: bool) -> None:
        super().__init__(name)
        self._path = path
        self._gzip = GzipFile(path, limits.ratio) if gzipped else None
        self.packs = gzipped
        self._shared = self._stream()
        self._lock = threading.Lock()
        try:
            for raw_name, kind, size, offset in walk(self._shared):
                if len(self.members) + len(self.skipped) >= limits.entries:
                    raise DatasetError(f"{name} holds more than {limits.entries:,} entries, the limit.")
                self.take(raw_name, size, offset, _problem_with(kind))
        except ReadError as error:
            self._stop(error)
        except READ_ERRORS as error:
            self._stop(ReadError(Reason.CORRUPT, f"The archive is damaged: {said(error)}."))

    def open(self, member: Member) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Slice(self._stream(), member.place, member.size)))

    def fetch(self, member: Member, limit: int) -> bytes:
        """Reading in the archive's order goes on where the last call stopped: a gzip stream is not begun
        anew.
        """
        with self._lock:
            return _read_at(self._shared, member.place, min(limit, member.size))

    def close(self) -> None:
        self._shared.close()

    def _stream(self) -> io.RawIOBase:
        return GzipCursor(self._gzip) if self._gzip else io.FileIO(self._path)

    def _stop(self, error: ReadError) -> None:
        after = f" It was read up to {self.members[-1].name}." if self.members else ""
        self.skip("", ReadError(error.reason, error.detail + after))

    def label(self, name: str) -> str:
        return f"{self.name}/{name}" if name else self.name


def _problem_with(kind: int) -> ReadError | None:
    if kind in _LINKS:
        return ReadError(Reason.UNSAFE, "It is a link or a device, not a file.")
    if kind not in _FILES:
        return ReadError(Reason.UNSUPPORTED, "It is a kind of tar entry that is not supported.")
    return None


def looks_like_tar(block: bytes) -> bool:
    """True when the first 512 bytes are a header with a right checksum, or the end mark of an empty tar."""
    if len(block) < BLOCK:
        return False
    return not block.strip(b"\0") or _checksum_holds(block)


def walk(stream: io.RawIOBase) -> Iterator[tuple[str, int, int, int]]:
    """(name, kind, size, offset of the bytes) of every entry but folders. Raises ReadError (corrupt) at
    damage.
    """
    offset, long_name, extended = 0, "", dict[str, str]()
    while (found := _next_header(stream, offset)) is not None:
        header, offset = found
        if header.kind in (_LONG_NAME, _LONG_LINK, _PAX, _GLOBAL_PAX):
            text = _extension(stream, header)
            if header.kind == _LONG_NAME:
                long_name = _text(text.rstrip(b"\0"))
            elif header.kind == _PAX:
                extended = pax_records(text)
            offset += _padded(header.size)
            continue
        name = extended.get("path") or long_name or header.name
        size = _pax_size(extended, header.size)
        kind = _SPARSE if any(key.startswith("GNU.sparse") for key in extended) else header.kind
        if kind != _FOLDER and not (name.endswith("/") and not size):
            _check_present(stream, offset, size, name)
            yield name, kind, size, offset
        offset += _padded(size)
        long_name, extended = "", {}


def _next_header(stream: io.RawIOBase, offset: int) -> tuple[Header, int] | None:
    """The header at `offset` and where it ends; None at the end (or a bare one, which some writers leave).

    The end mark is looked behind: archives that were put together by `cat` have one each.
    """
    for start in range(offset, offset + _LONGEST_PADDING, BLOCK):
        block = _read_at(stream, start, BLOCK)
        if not block:
            return None
        if block.strip(b"\0"):
            return _header_of(block), start + BLOCK
    return None


def _header_of(block: bytes) -> Header:
    if len(block) < BLOCK or not _checksum_holds(block):
        raise ReadError(Reason.CORRUPT, "The archive is damaged or cut short.")
    name = _text(block[:100].split(b"\0")[0])
    prefix = _text(block[345:500].split(b"\0")[0]) if block[257:263] == b"ustar\0" else ""
    return Header(f"{prefix}/{name}" if prefix else name, block[156], _number(block[124:136]))


def _check_present(stream: io.RawIOBase, offset: int, size: int, name: str) -> None:
    if size and len(_read_at(stream, offset + size - 1, 1)) < 1:
        raise ReadError(Reason.CORRUPT, f"The archive is cut short inside {name[:300]}.")


def _extension(stream: io.RawIOBase, header: Header) -> bytes:
    if header.size > _LONGEST_HEADER:
        raise ReadError(Reason.CORRUPT, "The archive has an extended header of more than a megabyte.")
    data = read_up_to(cast(BinaryIO, stream), header.size)
    if len(data) < header.size:
        raise ReadError(Reason.CORRUPT, "The archive is cut short inside a header.")
    return data


def pax_records(data: bytes) -> dict[str, str]:
    """The `length key=value\\n` records of a pax header. Raises ReadError when a length is false."""
    records: dict[str, str] = {}
    while data.strip(b"\0"):
        digits = data[:20].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        record = data[len(digits) + 1 : length]
        if length <= len(digits) + 1 or not record.endswith(b"\n") or length > len(data):
            raise ReadError(Reason.CORRUPT, "The archive has a damaged extended header.")
        key, _, value = record[:-1].partition(b"=")
        records[_text(key)] = _text(value)
        data = data[length:]
    return records


def _pax_size(extended: dict[str, str], size: int) -> int:
    given = extended.get("size", "")
    if not given:
        return size
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise ReadError(Reason.CORRUPT, "The archive has a damaged extended header.")
    return int(given)


def _checksum_holds(block: bytes) -> bool:
    try:
        told = _number(block[148:156])
    except ReadError:
        return False
    plain = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    signed = plain - 256 * sum(byte > 127 for byte in block[:148] + block[156:])
    return told in (plain, signed)


def _number(field: bytes) -> int:
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.split(b"\0")[0].strip()
    try:
        number = int(digits or b"0", 8)
    except ValueError:
        number = -1
    if number < 0:
        raise ReadError(Reason.CORRUPT, "The archive has a damaged header.")
    return number


def _read_at(stream: io.RawIOBase, offset: int, size: int) -> bytes:
    if offset >= 2**62:
        return b""
    stream.seek(offset)
    return read_up_to(cast(BinaryIO, stream), size)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


class _Slice(io.RawIOBase):
    """`size` bytes of a stream from `start`, as a stream of their own; closes the stream with itself."""

    def __init__(self, stream: io.RawIOBase, start: int, size: int) -> None:
        self._stream, self._start, self._size, self._at = stream, start, size, 0
        self._fresh = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at, self._fresh = max(0, base + offset), False
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")[: max(0, self._size - self._at)]
        if not self._fresh:
            self._stream.seek(self._start + self._at)
            self._fresh = True
        data = self._stream.read(len(view)) or b""
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()
