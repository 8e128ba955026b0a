"""Random access to a gzip file of any size: copies of the decompressor, kept every few megabytes of output.

The method is zran's (Mark Adler, zlib examples): a copied state restarts the stream where it was taken, so a
tar.gz is neither held in memory nor unpacked to disk. A copy costs about 40 KiB; a seek decompresses one
spacing at most.
"""

import bisect
import io
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embeddings.readers.reasons import ReadError, Reason

if TYPE_CHECKING:
    from zlib import _Decompress

    from _typeshed import WriteableBuffer

_GZIP = 31  # wbits: a gzip header, then the largest window
_PIECE = 64 * 2**10
_BLOCK = 64 * 2**10
_BLOCKS_AT_HAND = 128
_SPACING = 4 * 2**20  # a multiple of _BLOCK
_MOST_CHECKPOINTS = 2_000
_RATIO_FLOOR = 64 * 2**20


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    produced: int  # bytes of output before it
    consumed: int  # bytes of the file before it
    state: "_Decompress"


class GzipFile:
    """The shared part: the file's path and the checkpoints its cursors have left so far."""

    def __init__(self, path: Path, ratio: int) -> None:
        self.path = path
        self.ratio = ratio
        self._spacing = _SPACING
        self._lock = threading.Lock()
        self._checkpoints = [_Checkpoint(0, 0, zlib.decompressobj(_GZIP))]

    def nearest(self, offset: int) -> _Checkpoint:
        """The last checkpoint at or before `offset`."""
        with self._lock:
            at = bisect.bisect_right(self._checkpoints, offset, key=lambda point: point.produced)
            return self._checkpoints[at - 1]

    def remember(self, produced: int, consumed: int, state: "_Decompress") -> None:
        with self._lock:
            if produced < self._checkpoints[-1].produced + self._spacing:
                return
            self._checkpoints.append(_Checkpoint(produced, consumed, state.copy()))
            if len(self._checkpoints) > _MOST_CHECKPOINTS:
                self._checkpoints = self._checkpoints[::2]
                self._spacing *= 2


class GzipCursor(io.RawIOBase):
    """A readable, seekable view of the expanded bytes, by blocks; the last 8 MiB of them stay at hand.

    Raises ReadError (bomb) and zlib.error or EOFError (damage).
    """

    def __init__(self, gzip: GzipFile) -> None:
        self._gzip = gzip
        self._file = gzip.path.open("rb")
        self._blocks: dict[int, bytes] = {}
        self._at = 0
        self._restore(gzip.nearest(0))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("a gzip stream is only addressed from its start")
        self._at = offset
        return offset

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        number, within = divmod(self._at, _BLOCK)
        data = self._block(number)[within : within + len(view)]
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        self._blocks.clear()
        super().close()

    def _block(self, number: int) -> bytes:
        """A block of output, shorter than the others at the end, and empty after it."""
        if number in self._blocks:
            return self._blocks[number]
        start = number * _BLOCK
        near = self._gzip.nearest(start)
        if start < self._produced or near.produced > self._produced:
            self._restore(near)
        while self._produced <= start and not self._ended:
            self._next_block()
        return self._blocks.get(number, b"")

    def _next_block(self) -> None:
        number = self._produced // _BLOCK
        pieces = bytearray()
        while len(pieces) < _BLOCK and (piece := self._expand(_BLOCK - len(pieces))):
            pieces += piece
        self._ended = len(pieces) < _BLOCK
        self._produced += len(pieces)
        if len(self._blocks) >= _BLOCKS_AT_HAND:
            del self._blocks[next(iter(self._blocks))]
        self._blocks[number] = bytes(pieces)
        self._check_ratio()
        if not self._ended:
            self._gzip.remember(self._produced, self._consumed, self._state)

    def _restore(self, point: _Checkpoint) -> None:
        self._state = point.state.copy()
        self._file.seek(point.consumed)
        self._produced, self._consumed, self._pending, self._ended = (
            point.produced,
            point.consumed,
            b"",
            False,
        )

    def _expand(self, most: int) -> bytes:
        """The next 1 to `most` bytes, or none at the end of the last gzip member."""
        while True:
            if self._state.eof and not self._next_stream():
                return b""
            given = self._pending or self._file.read(_PIECE)
            if not given:
                raise EOFError("the gzip stream ends too early")
            data = self._state.decompress(given, most)
            self._pending = self._state.unused_data if self._state.eof else self._state.unconsumed_tail
            self._consumed += len(given) - len(self._pending)
            if data:
                return data

    def _next_stream(self) -> bool:
        """gzip files may be concatenated, and padded with zeros; anything else after the end is left
        alone.
        """
        while not self._pending.lstrip(b"\0"):
            self._consumed += len(self._pending)
            self._pending = self._file.read(_PIECE)
            if not self._pending:
                return False
        trimmed = self._pending.lstrip(b"\0")
        self._consumed += len(self._pending) - len(trimmed)
        self._pending = trimmed
        if not trimmed.startswith(b"\x1f"):
            return False
        self._state = zlib.decompressobj(_GZIP)
        return True

    def _check_ratio(self) -> None:
        if self._produced > _RATIO_FLOOR and self._produced > self._gzip.ratio * max(1, self._consumed):
            raise ReadError(Reason.BOMB, f"It expands more than {self._gzip.ratio} times.")
