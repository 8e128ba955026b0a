"""Parquet tables, read in small batches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow.parquet as pq

from embeddings.readers.batches import ARROW_ERRORS, BatchTable, rows_at_once
from embeddings.readers.limits import Limits
from embeddings.readers.members import Member, said, seekable
from embeddings.readers.reasons import ReadError, Reason, Skipped
from embeddings.readers.tables import Record

_BUFFER = 2**20


class ParquetTable(BatchTable):
    """Raises ReadError when the file's footer is damaged. A damaged row group costs its own rows only."""

    def __init__(self, member: Member, limits: Limits) -> None:
        super().__init__(member)
        try:
            with self._opened() as file:
                self._take_schema(file.schema_arrow, limits)
                self._groups = [
                    _rows_and_bytes(file.metadata.row_group(at)) for at in range(file.metadata.num_row_groups)
                ]
        except ARROW_ERRORS as error:
            raise ReadError(Reason.CORRUPT, f"It is not a whole Parquet file: {said(error)}.") from error
        self.row_count = sum(count for count, _ in self._groups)

    def records(self) -> Iterator[Record | Skipped]:
        before = 0
        with self._opened() as file:
            for group, (count, held) in enumerate(self._groups):
                batches = file.iter_batches(batch_size=rows_at_once(count, held), row_groups=[group])
                yield from self._records_of(batches, before, count)
                before += count

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with seekable(self.member) as stream:
            yield pq.ParquetFile(stream, pre_buffer=False, buffer_size=_BUFFER)


def _rows_and_bytes(group: Any) -> tuple[int, int]:
    columns = (group.column(at) for at in range(group.num_columns))
    return group.num_rows, sum(column.total_uncompressed_size for column in columns)
