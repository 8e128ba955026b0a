"""Parquet tables, read in small batches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow.parquet as pq

from embeddings.readers.batches import ARROW_ERRORS, MOST_OF_A_ROW, BatchTable, pieces, rows_at_once
from embeddings.readers.limits import Limits
from embeddings.readers.members import Member, said, seekable
from embeddings.readers.reasons import ReadError, Reason, Skipped
from embeddings.readers.tables import Record

_BUFFER = 2**20
_NUMBER_BYTES = 4


class ParquetTable(BatchTable):
    """Raises ReadError when the file's footer is damaged. A damaged row group costs its own rows only."""

    def __init__(self, member: Member, limits: Limits) -> None:
        super().__init__(member)
        self._shared: list[str] = []
        try:
            with self._opened() as file:
                self._take_schema(file.schema_arrow, limits)
                groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
                self._groups = [_rows_and_bytes(group, limits) for group in groups]
                self._shared = sorted({name for group in groups for name in _with_dictionary(group)})
        except ARROW_ERRORS as error:
            raise ReadError(Reason.CORRUPT, f"It is not a whole Parquet file: {said(error)}.") from error
        self.row_count = sum(count for count, _ in self._groups)

    def records(self) -> Iterator[Record | Skipped]:
        before = 0
        with self._opened() as file:
            for group, (count, held) in enumerate(self._groups):
                batches = file.iter_batches(batch_size=rows_at_once(count, held), row_groups=[group])
                few = (piece for batch in batches for piece in pieces(batch))
                yield from self._records_of(few, before, count)
                before += count

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with seekable(self.member) as stream:
            # A value that many rows share stays one.
            yield pq.ParquetFile(stream, pre_buffer=False, buffer_size=_BUFFER, read_dictionary=self._shared)


def _rows_and_bytes(group: Any, limits: Limits) -> tuple[int, int]:
    """Raises ReadError where a row alone could fill the memory."""
    total = 0
    for column in map(group.column, range(group.num_columns)):
        held = column.total_uncompressed_size
        if column.num_values > group.num_rows:  # of lists; numbers that repeat take no room in the file
            held = max(held, _NUMBER_BYTES * column.num_values)
        if held > max(MOST_OF_A_ROW, limits.ratio * column.total_compressed_size):
            raise ReadError(Reason.BOMB, f"It expands more than {limits.ratio} times.")
        total += held
    return group.num_rows, total


def _with_dictionary(group: Any) -> Iterator[str]:
    """The columns whose texts or bytes were written once for many rows."""
    for column in map(group.column, range(group.num_columns)):
        if column.has_dictionary_page and column.physical_type == "BYTE_ARRAY":
            yield column.path_in_schema
