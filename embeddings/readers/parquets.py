"""Parquet tables, read in small batches; pictures and vectors inside stay bytes and arrays."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from embeddings.readers.csvs import column_names
from embeddings.readers.limits import Limits
from embeddings.readers.members import READ_ERRORS, Member, said, seekable
from embeddings.readers.reasons import ReadError, Reason, Skipped
from embeddings.readers.tables import Record, Table

# pyarrow also raises ArrowException subclasses that are not ValueError, and MemoryError for absurd announced
# sizes.
_ERRORS = (*READ_ERRORS, pa.ArrowException, MemoryError, KeyError, TypeError, OverflowError)
_BATCH = 512  # rows, where they are short
_BATCH_BYTES = 16 * 2**20
_BUFFER = 2**20


class ParquetTable(Table):
    """Raises ReadError when the file's footer is damaged. A damaged row group costs its own rows only."""

    def __init__(self, member: Member, limits: Limits) -> None:
        super().__init__(member)
        try:
            with self._opened() as file:
                schema = file.schema_arrow
                self._labels = _class_labels(schema.metadata or {})
                self._groups = [
                    _rows_and_bytes(file.metadata.row_group(at)) for at in range(file.metadata.num_row_groups)
                ]
        except _ERRORS as error:
            raise ReadError(Reason.CORRUPT, f"It is not a whole Parquet file: {said(error)}.") from error
        names = column_names(list(schema.names))[: limits.columns]
        self._fields = dict(zip(names, list(schema)[: limits.columns], strict=True))
        self.columns = names
        self.columns_left_out = len(schema.names) - len(names)
        self.row_count = sum(count for count, _ in self._groups)

    def records(self) -> Iterator[Record | Skipped]:
        before = 0
        with self._opened() as file:
            for group, (count, held) in enumerate(self._groups):
                done = 0
                size = min(_BATCH, max(1, _BATCH_BYTES * count // max(1, held)))
                try:
                    for batch in file.iter_batches(batch_size=size, row_groups=[group]):
                        for cells in self._rows_of(batch):
                            yield Record(f"{self.source}:{before + done + 1}", cells)
                            done += 1
                except _ERRORS as error:
                    rows = f"Rows {before + done + 1:,} to {before + count:,}"
                    yield Skipped(self.source, Reason.CORRUPT, f"{rows} cannot be read: {said(error)}.")
                before += count

    def _rows_of(self, batch: Any) -> Iterator[dict[str, Any]]:
        columns = [_values(batch.column(at)) for at in range(len(self.columns))]
        for at, name in enumerate(self.columns):
            if labels := self._labels.get(name):
                columns[at] = [_label(value, labels) for value in columns[at]]
        for values in zip(*columns, strict=True):
            yield dict(zip(self.columns, values, strict=True))

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with seekable(self.member) as stream:
            yield pq.ParquetFile(stream, pre_buffer=False, buffer_size=_BUFFER)


def _class_labels(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """By column: the names that Hugging Face keeps for the numbers of a ClassLabel."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {
            name: list(map(str, feature["names"]))
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}  # the metadata is only a help: without it the numbers stay


def _label(value: Any, labels: list[str]) -> Any:
    """A number outside the names, -1 mostly, means that there is no label."""
    return labels[value] if isinstance(value, int) and 0 <= value < len(labels) else None


def _rows_and_bytes(group: Any) -> tuple[int, int]:
    columns = (group.column(at) for at in range(group.num_columns))
    return group.num_rows, sum(column.total_uncompressed_size for column in columns)


def _values(column: Any) -> list[Any]:
    """Python values of an Arrow column; lists of numbers stay numpy arrays, which is what vectors want."""
    kind = column.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if is_list and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        return [item.values.to_numpy(zero_copy_only=False) if item.is_valid else None for item in column]
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)  # Python has no nanoseconds
    elif pa.types.is_time(kind) or pa.types.is_duration(kind):
        column = column.cast(pa.int64() if kind.bit_width == 64 else pa.int32())
    try:
        return cast(list[Any], column.to_pylist())
    except (ValueError, OverflowError):
        return [_python_value(item) for item in column]


def _python_value(item: Any) -> Any:
    """None for a date outside of the years 1 to 9999, which Python cannot hold."""
    try:
        return item.as_py()
    except (ValueError, OverflowError):
        return None
