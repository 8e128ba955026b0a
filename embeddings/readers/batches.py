"""What Parquet and Arrow files have in common: rows in batches of typed columns. Pictures and vectors in them
stay bytes and arrays.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from embeddings.readers.csvs import column_names
from embeddings.readers.limits import Limits
from embeddings.readers.members import READ_ERRORS, said
from embeddings.readers.reasons import Reason, Skipped
from embeddings.readers.tables import Record, Table

# pyarrow also raises ArrowException subclasses that are not ValueError, and MemoryError for absurd announced
# sizes.
ARROW_ERRORS = (*READ_ERRORS, pa.ArrowException, MemoryError, KeyError, TypeError, OverflowError)
MOST_OF_A_ROW = 2 * 2**30  # bytes
_BATCH = 512  # rows, where they are short
_BATCH_BYTES = 16 * 2**20
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_map)
_TEXTS = (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string, pa.types.is_large_binary)
_SHARING = (
    pa.types.is_run_end_encoded,
    pa.types.is_string_view,
    pa.types.is_binary_view,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
    pa.types.is_union,
)


class BatchTable(Table):
    def _take_schema(self, schema: Any, limits: Limits) -> None:
        self._labels = _class_labels(schema.metadata or {})
        self.columns = column_names(list(schema.names))[: limits.columns]
        self.columns_left_out = len(schema.names) - len(self.columns)

    def _records_of(self, batches: Iterable[Any], before: int, count: int) -> Iterator[Record | Skipped]:
        """Of `count` rows with so many `before` them. Damage costs those behind it."""
        done = 0
        try:
            for batch in batches:
                for cells in self._rows_of(batch):
                    yield Record(f"{self.source}:{before + done + 1}", cells)
                    done += 1
        except ARROW_ERRORS as error:
            rows = f"Rows {before + done + 1:,} to {before + count:,}"
            yield Skipped(self.source, Reason.CORRUPT, f"{rows} cannot be read: {said(error)}.")

    def _rows_of(self, batch: Any) -> Iterator[dict[str, Any]]:
        columns = [_values(batch.column(at)) for at in range(len(self.columns))]
        for at, name in enumerate(self.columns):
            if labels := self._labels.get(name):
                columns[at] = [_labelled(value, labels) for value in columns[at]]
        for values in zip(*columns, strict=True):
            yield dict(zip(self.columns, values, strict=True))


def rows_at_once(count: int, held: int) -> int:
    """How many to read together of `count` rows that hold so many bytes."""
    return min(_BATCH, max(1, _BATCH_BYTES * count // max(1, held)))


def pieces(batch: Any) -> Iterator[Any]:
    """The batch, so few rows at a time that they can be held, though each may repeat the same long value:
    a file of 3 KB can mean 12 GB. Raises ValueError where that holds for a single row.
    """
    repeated = sum(map(_repeated, batch.columns))
    if repeated > MOST_OF_A_ROW:
        raise ValueError(f"one of them may hold {repeated >> 20:,} MiB")
    size = min(rows_at_once(batch.num_rows, batch.get_total_buffer_size()), rows_at_once(1, repeated))
    for start in range(0, batch.num_rows, size):
        yield batch.slice(start, size)


def _repeated(column: Any) -> int:
    """How many bytes of what its rows share one of them can hold, at most."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _longest(column.dictionary)
    if any(is_sharing(kind) for is_sharing in _SHARING):
        return int(column.get_total_buffer_size())
    if pa.types.is_struct(kind):
        return sum(map(_repeated, column.flatten()))
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size) * _repeated(column.values)
    if any(is_list(kind) for is_list in _LISTS):
        return int(np.diff(column.offsets).max(initial=0)) * _repeated(column.values)
    return 0


def _longest(values: Any) -> int:
    if any(is_text(values.type) for is_text in _TEXTS):
        return pc.max(pc.binary_length(values)).as_py() or 0
    return int(values.get_total_buffer_size())


def _class_labels(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """By column: the names that Hugging Face keeps for the numbers of a ClassLabel, or of a list of them."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {name: names for name, feature in features.items() if (names := _names_in(feature))}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}  # the metadata is only a help: without it the numbers stay


def _names_in(feature: Any) -> list[str]:
    if isinstance(feature, dict) and feature.get("_type") in {"List", "LargeList", "Sequence"}:
        feature = feature.get("feature")
    is_class = isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
    return list(map(str, feature["names"])) if is_class else []


def _labelled(value: Any, labels: list[str]) -> Any:
    """A number outside the names, -1 mostly, means that there is no label."""
    if isinstance(value, np.ndarray):
        return [labels[each] for each in value.tolist() if _is_label(each, labels)]
    return labels[value] if _is_label(value, labels) else None


def _is_label(value: Any, labels: list[str]) -> bool:
    return isinstance(value, int) and 0 <= value < len(labels)


def _values(column: Any) -> list[Any]:
    """Python values of an Arrow column; lists of numbers stay numpy arrays, which is what vectors want."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
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
