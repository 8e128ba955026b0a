"""An export as one table: CSV, JSON lines or Parquet, in pieces as they are ready."""

import csv
import io
import json
from collections.abc import Generator, Iterable, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.datasets.cells import harmless
from atlas.datasets.columns import as_text
from atlas.datasets.export import Cells, Export, ExportColumn, Kind

#: By this mark spreadsheets know UTF-8.
MARK = "\ufeff"
#: Of a row group of Parquet: each costs a line in its list of contents.
_GROUP_ROWS = 20_000
_GROUP_BYTES = 32 * 2**20


def csv_pieces(export: Export) -> Generator[bytes]:
    """Lists are JSON, as most readers of tables take them; no cell is a formula."""
    yield (MARK + csv_lines([[harmless(column.name) for column in export.columns]])).encode()
    for batch in export.batches():
        yield csv_lines(csv_row(cells) for _, cells in batch).encode()


def csv_row(cells: Cells) -> list[str]:
    return [_csv_cell(cell) for cell in cells]


def csv_lines(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def jsonl_pieces(export: Export) -> Generator[bytes]:
    for batch in export.batches():
        yield "".join(json_object(export.columns, cells) + "\n" for _, cells in batch).encode()


def json_object(columns: Sequence[ExportColumn], cells: Cells) -> str:
    content = {column.name: cell for column, cell in zip(columns, cells, strict=True)}
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def parquet_pieces(export: Export) -> Generator[bytes]:
    columns = export.columns
    schema = pa.schema([(column.name, _arrow_type(column)) for column in columns])
    sink = _Sink()
    waiting: list[Any] = []
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in export.batches():
            waiting.append(_arrow_table(schema, columns, [cells for _, cells in batch]))
            rows, size = sum(len(table) for table in waiting), sum(table.nbytes for table in waiting)
            if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
                writer.write_table(pa.concat_tables(waiting))
                waiting.clear()
                yield sink.taken()
        if waiting:
            writer.write_table(pa.concat_tables(waiting))
    yield sink.taken()


def _csv_cell(cell: Any) -> str:
    if cell is None or cell == []:
        return ""
    if isinstance(cell, list):
        return json.dumps(cell, ensure_ascii=False)
    return harmless(cell) if isinstance(cell, str) else str(cell)


def _arrow_type(column: ExportColumn) -> Any:
    types = {
        Kind.INTEGER: pa.int64(),
        Kind.NUMBER: pa.float64(),
        Kind.DATE: pa.timestamp("us", tz="UTC"),
        Kind.TEXT: pa.string(),
        Kind.LIST: pa.list_(pa.string()),
    }
    if column.kind == Kind.VECTOR:
        return pa.list_(pa.float32(), column.dimensions)
    return types[column.kind]


def _arrow_table(schema: Any, columns: Sequence[ExportColumn], rows: Sequence[Cells]) -> Any:
    """An array by its kind: Arrow refuses what is of another."""
    arrays = [
        pa.array([_arrow_cell(column.kind, cells[at]) for cells in rows], field.type)
        for at, (column, field) in enumerate(zip(columns, schema, strict=True))
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _arrow_cell(kind: Kind, cell: Any) -> Any:
    if cell is None:
        return None
    if kind == Kind.DATE:
        return datetime.fromisoformat(cell)
    if kind == Kind.NUMBER:  # Postgres gives 1e39 back as a whole number, which Arrow does not take
        return float(cell)
    return as_text(cell) if kind == Kind.TEXT and not isinstance(cell, str) else cell


class _Sink(io.RawIOBase):
    """Where a writer leaves its bytes until they are sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def taken(self) -> bytes:
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole
