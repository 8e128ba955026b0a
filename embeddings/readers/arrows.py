"""Arrow files and streams, as Hugging Face's `save_to_disk` writes them, and Feather.

Format: arrow.apache.org/docs/format/Columnar.html. A file is a stream between a mark and a list of contents,
which is not needed. The batches of a stream may be of any size: they are mapped into memory, not read.
"""

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from embeddings.readers.batches import ARROW_ERRORS, BatchTable, pieces
from embeddings.readers.limits import RATIO_FLOOR, Limits
from embeddings.readers.members import Member, file_of, said
from embeddings.readers.reasons import ReadError, Reason, Skipped
from embeddings.readers.tables import Record

_FILE_START = b"ARROW1\0\0"
_FIRST_FEATHER = b"FEA1"
_MOST_UNPACKED = 2**30  # bytes of one batch


class ArrowTable(BatchTable):
    """Raises ReadError when nothing can be read in it, and where a packed batch would fill the memory.
    A damaged batch costs its own rows only.
    """

    def __init__(self, member: Member, limits: Limits) -> None:
        super().__init__(member)
        try:
            with self._opened() as stream:
                self._take_schema(pa.ipc.open_stream(stream).schema, limits)
                self.row_count = _row_count(stream, limits)
        except ARROW_ERRORS as error:
            raise ReadError(Reason.CORRUPT, f"It is not a whole Arrow file: {said(error)}.") from error

    def records(self) -> Iterator[Record | Skipped]:
        before = 0
        try:
            with self._opened() as stream:
                for batch in pa.ipc.open_stream(stream):
                    yield from self._records_of(_checked(batch), before, batch.num_rows)
                    before += batch.num_rows
        except ARROW_ERRORS as error:
            detail = f"The table is damaged after row {before:,}: {said(error)}."
            yield Skipped(self.source, Reason.CORRUPT, detail)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """The stream in it. What is mapped stays so until nobody holds any of it."""
        with file_of(self.member) as file:
            start = file.read(len(_FILE_START))
            if start.startswith(_FIRST_FEATHER):
                detail = "It is of the first version of Feather; save its table as Parquet."
                raise ReadError(Reason.UNSUPPORTED, detail)
            mapped = pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            yield mapped.slice(len(_FILE_START)) if start == _FILE_START else mapped


def _checked(batch: Any) -> Iterator[Any]:
    # Only this finds offsets that lead out of the file: following them would end the process.
    batch.validate(full=True)
    yield from pieces(batch)


def _row_count(stream: Any, limits: Limits) -> int:
    """Of what is whole. Raises ReadError where more would be unpacked than can be held: reading a batch
    unpacks all of it.
    """
    count = 0
    messages = pa.ipc.MessageReader.open_stream(stream)
    while (message := _next(messages)) is not None:
        if message.type not in {"record batch", "dictionary"}:
            continue
        rows, items, unpacked = _announced(message)
        if max(items, unpacked) > max(RATIO_FLOOR, limits.ratio * len(message.body or b"")):
            raise ReadError(Reason.BOMB, f"It expands more than {limits.ratio} times.")
        if unpacked > _MOST_UNPACKED:
            limit = f"{_MOST_UNPACKED >> 20} MiB"
            detail = f"One of its batches would expand to more than {limit}; save its table as Parquet."
            raise ReadError(Reason.OVER_LIMIT, detail)
        count += rows if message.type == "record batch" else 0
    return count


def _next(messages: Any) -> Any:
    """None at the end, and where it is damaged: reading the batches comes upon that, too."""
    try:
        return next(messages, None)
    except ARROW_ERRORS:
        return None


def _announced(message: Any) -> tuple[int, int, int]:
    """What a batch says of itself: its rows, the items of its longest column or list (nulls take no room),
    and the bytes its packed columns expand to; pyarrow unpacks no more. Raises ValueError.

    github.com/apache/arrow/blob/main/format/Message.fbs, flatbuffers.dev/internals
    """
    data = message.metadata
    root = _behind(data, 0)
    batch = _behind(data, _field(data, root, 2))
    if message.type == "dictionary":
        batch = _behind(data, _field(data, batch, 1))
    at = _field(data, batch, 0)
    rows = _number("<q", data, at) if at else 0
    items = max((length for length, _ in _pairs(data, _field(data, batch, 1))), default=0)
    # Version 0.17 said in a remark that it is packed.
    is_old = message.metadata_version < pa.ipc.MetadataVersion.V5
    if not _field(data, batch, 3) and not (is_old and _field(data, root, 4)):
        return rows, items, 0
    places = [place for place, length in _pairs(data, _field(data, batch, 2)) if length]
    return rows, items, sum(max(0, _number("<q", message.body, place)) for place in places)


def _pairs(data: Any, field: int) -> Iterator[tuple[int, int]]:
    """The pairs of numbers in a list of them."""
    if field:
        first = _behind(data, field)
        for at in range(first + 4, first + 4 + 16 * _number("<I", data, first), 16):
            yield _number("<q", data, at), _number("<q", data, at + 8)


def _field(data: Any, table: int, number: int) -> int:
    """Where a field of a table is; 0 if it is not there."""
    fields = table - _number("<i", data, table)
    at = 4 + 2 * number
    offset = _number("<H", data, fields + at) if at < _number("<H", data, fields) else 0
    return table + offset if offset else 0


def _behind(data: Any, at: int) -> int:
    """Where the offset at a place leads to."""
    return at + _number("<I", data, at)


def _number(form: str, data: Any, at: int) -> int:
    """Raises ValueError for a place outside."""
    try:
        number: int = struct.unpack_from(form, data, at)[0]
    except struct.error as error:
        raise ValueError("an offset leads out of it") from error
    return number
