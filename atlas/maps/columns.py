"""The records' own columns as columns of a map: what it can be coloured and filtered by."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.utils.text import slugify
from numpy.typing import NDArray

from atlas.datasets.models import Dataset, Record
from atlas.datasets.report import note_column
from atlas.maps.codes import Column, TooManyValuesError
from atlas.maps.computed import SHOWN_COMPUTED
from atlas.maps.work import Report, part_of

log = logging.getLogger(__name__)

#: Columns of these types are on the map; texts and lists are for reading and searching.
SHOWN = ("category", "number", "date")
#: Records read between two reports.
CHUNK = 5000
_TOO_MANY = (
    "It has {:,} different values, too many to colour a map by: the legend leaves it out. "
    "Searching and filtering by it work."
)


def columns_of(
    dataset: Dataset, rows: NDArray[np.uint32], report: Report, kinds: Collection[str] = SHOWN
) -> dict[str, Column]:
    """Those of these kinds by key, in the dataset's order, one value for each of `rows` (ascending).

    A column with more different words than a map can show is left out, which the import's report tells. What
    `report` raises ends it.
    """
    shown = {each["name"]: each["type"] for each in dataset.columns if each["type"] in kinds}
    values = _values(dataset, rows, list(shown), part_of(report, 0, 60))
    columns: dict[str, Column] = {}
    for at, (name, kind) in enumerate(shown.items()):
        report(60 + 40 * at // len(shown), 100)
        try:
            column = _column(name, kind, values[name])
        except TooManyValuesError as error:
            log.warning("dataset %s: %s", dataset.pk, error)
            note_column(dataset, name, _TOO_MANY.format(error.different))
            continue
        columns[_free_key(name, columns)] = column
    return columns


def _values(
    dataset: Dataset, rows: NDArray[np.uint32], names: list[str], report: Report
) -> dict[str, list[Any]]:
    """{column: its values, None where a record has none}"""
    values: dict[str, list[Any]] = {name: [None] * len(rows) for name in names}
    if not names:
        return values
    place = {int(row): at for at, row in enumerate(rows)}
    records = Record.objects.filter(dataset=dataset, row__lte=int(rows.max(initial=0)))
    stored = records.values_list("row", "values").iterator(CHUNK)
    for number, (row, own) in enumerate(stored):
        if number % CHUNK == 0:
            report(number, max(len(rows), number))
        at = place.get(row)
        if at is not None:
            for name in names:
                values[name][at] = own.get(name)
    return values


def _column(name: str, kind: str, values: Sequence[Any]) -> Column:
    if kind == "category":
        return Column.category(name, values)
    if kind == "number":
        return Column.number(name, np.array([np.nan if value is None else value for value in values], float))
    return Column.date(name, np.array([np.nan if value is None else _seconds(value) for value in values]))


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


def _free_key(name: str, taken: dict[str, Column]) -> str:
    """What a column is called in addresses: "Artist (main)" → "artist-main"."""
    stem = slugify(name)[:50].strip("-_") or "column"
    if stem.startswith("topic-") or stem in SHOWN_COMPUTED:
        stem = f"own-{stem}"
    key, number = stem, 2
    while key in taken:
        key, number = f"{stem}-{number}", number + 1
    return key
