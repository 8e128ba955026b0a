"""What Parquet and Arrow files have in common: rows in batches of typed columns. Pictures and vectors in them
stay bytes and arrays.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np
import pyarrow as pa

from embeddings.readers.csvs import column_names
from embeddings.readers.limits import Limits
from embeddings.readers.members import READ_ERRORS, said
from embeddings.readers.reasons import Reason, Skipped
from embeddings.readers.tables import Record, Table

# pyarrow also raises ArrowException subclasses that are not ValueError, and MemoryError for absurd announced
# sizes.
ARROW_ERRORS = (*READ_ERRORS, pa.ArrowException, MemoryError, KeyError, TypeError, OverflowError)
_BATCH = 512  # rows, where they are short
_BATCH_BYTES = 16 * 2**20


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
