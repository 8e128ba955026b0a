"""What leaves Atlas: the records that a filter found, as rows of cells, some hundred at a time.

An export is made of parts, each of a few columns; a room above adds parts of its own (places and topics of a
map, vectors). `export_tables.py` and `export_archives.py` write it down.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import Any

import numpy as np
from django.db.models import IntegerField, Max
from django.db.models.expressions import Func
from numpy.typing import NDArray

from atlas.datasets.models import Dataset, Record, TaggedRecord
from embeddings.readers import ColumnType

#: Records in memory at a time; each may bring some megabytes of text.
BATCH = 500


class Kind(StrEnum):
    INTEGER = "integer"
    NUMBER = "number"
    #: ISO text, in UTC.
    DATE = "date"
    TEXT = "text"
    #: Of texts.
    LIST = "list"
    #: Of float32.
    VECTOR = "vector"


@dataclass(frozen=True)
class ExportColumn:
    name: str
    kind: Kind
    #: Of a vector.
    dimensions: int = 0


Cells = tuple[Any, ...]


@dataclass(frozen=True)
class Part:
    columns: Sequence[ExportColumn]
    #: For each record, in order, a cell for each column; None: no value.
    cells: Callable[[Sequence[Record]], Iterable[Cells]]


class DatasetGoneError(Exception):
    """The dataset was deleted under an export: what came so far is not to be taken for the whole."""


@dataclass(frozen=True)
class Export:
    dataset: Dataset
    #: (n,) ascending.
    rows: NDArray[np.int64]
    parts: Sequence[Part]

    @property
    def columns(self) -> list[ExportColumn]:
        return [column for part in self.parts for column in part.columns]

    def batches(self) -> Iterator[list[tuple[Record, Cells]]]:
        """By ranges of the primary key: no transaction is held open while somebody downloads for hours.
        Records that are removed meanwhile are left out. Raises DatasetGoneError."""
        for start in range(0, len(self.rows), BATCH):
            rows = self.rows[start : start + BATCH].tolist()
            found = Record.objects.filter(dataset=self.dataset, row__in=rows).order_by("row")
            records = list(found)
            if len(records) < len(rows) and not self._is_there():
                raise DatasetGoneError(str(self.dataset.pk))
            parts = [part.cells(records) for part in self.parts]
            yield [(record, tuple(chain(*cells))) for record, *cells in zip(records, *parts, strict=True)]

    def _is_there(self) -> bool:
        return Dataset.objects.filter(pk=self.dataset.pk, deleting=False).exists()


def export_of(
    dataset: Dataset, rows: NDArray[np.int64], captions: Part | None, extra: Sequence[Part] = ()
) -> Export:
    """`captions`: one of the two parts below, or None where they are hidden or written elsewhere."""
    own = own_columns(dataset)
    before = [_identity(), captions] if captions else [_identity()]
    around = _named_apart([*before, _tags(dataset), *extra], {column.name for column in own.columns})
    return Export(dataset, rows, [*around[: len(before)], own, *around[len(before) :]])


def captions_as_list() -> Part:
    column = ExportColumn("captions", Kind.LIST)
    return Part([column], lambda records: [(record.captions,) for record in records])


def captions_as_columns(dataset: Dataset) -> Part:
    """`caption`, `caption2`, …, as many as any record has: names that our readers know."""
    length = Func("captions", function="jsonb_array_length", output_field=IntegerField())
    most = max(1, dataset.records.aggregate(most=Max(length))["most"] or 0)
    names = ["caption", *(f"caption{number}" for number in range(2, most + 1))]

    def cells(records: Sequence[Record]) -> Iterable[Cells]:
        return [(*record.captions, *[None] * (most - len(record.captions))) for record in records]

    return Part([ExportColumn(name, Kind.TEXT) for name in names], cells)


def own_columns(dataset: Dataset) -> Part:
    """The columns that were uploaded."""
    types = {column["name"]: column["type"] for column in dataset.columns}
    columns = [
        ExportColumn(name, Kind.TEXT if kind == ColumnType.CATEGORY else Kind(kind))
        for name, kind in types.items()
    ]
    return Part(
        columns,
        lambda records: [tuple(record.values.get(column.name) for column in columns) for record in records],
    )


def _identity() -> Part:
    columns = [
        ExportColumn("row", Kind.INTEGER),
        ExportColumn("key", Kind.TEXT),
        ExportColumn("source", Kind.TEXT),
    ]
    return Part(columns, lambda records: [(record.row, record.key, record.source) for record in records])


def _tags(dataset: Dataset) -> Part:
    def cells(records: Sequence[Record]) -> Iterable[Cells]:
        tagged = TaggedRecord.objects.filter(tag__dataset=dataset, row__in=[each.row for each in records])
        names: dict[int, list[str]] = {}
        for row, name in tagged.order_by("tag__created_at").values_list("row", "tag__name"):
            names.setdefault(row, []).append(name)
        return [(names.get(record.row, []),) for record in records]

    return Part([ExportColumn("tags", Kind.LIST)], cells)


def _named_apart(parts: Sequence[Part], taken: set[str]) -> list[Part]:
    """Uploaded columns keep their names: ours give way, `x` becomes `atlas_x`."""
    folded = {name.casefold() for name in taken}

    def apart(column: ExportColumn) -> ExportColumn:
        name = column.name
        while name in folded:
            name = f"atlas_{name}"
        return replace(column, name=name)

    return [Part([apart(column) for column in part.columns], part.cells) for part in parts]
