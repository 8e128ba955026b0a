"""Columns that a build computes, beside those that were uploaded: of a map version, a number for each row.

    trust         0…1: whether what lay around the record on this map was like it when it got its place
    outlier       0…2: how far it is from the records most like it, see `around.py`
    strangers     0…1: how many of these have another label, see `around.py`
    agreement     how well its caption fits its picture, see `agreement.py`; records with both
    duplicates    "Unique", "Original" or "Copy", see `duplicates.py`
    duplicate_of  the row of the original of its group; its own where it is none's copy
    alike         how many are in its group

They lie in `computed/<name>.npy` of the version's folder, by row, NaN where a record has none; `duplicates`
follows from the two below it. A map has those that make sense for it, one that an older Atlas built has none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.datasets.export import Cells, ExportColumn, Kind, Part
from atlas.datasets.filters import FilterError, Mask, finite_number
from atlas.datasets.models import Record
from atlas.datasets.table import SortError
from atlas.maps.models import MapVersion

#: By row; float32 is exact for rows up to 16 million.
Values = NDArray[np.float32]

STORED = ("trust", "outlier", "strangers", "agreement", "duplicate_of", "alike")
#: By key, what it is called: those that a map can be coloured and filtered by.
SHOWN_COMPUTED = {
    "trust": "Trust", "outlier": "Outlier", "strangers": "Strangers", "agreement": "Agreement",
    "duplicates": "Duplicates",
}  # fmt: skip
WORDS = ("Unique", "Original", "Copy")
_COUNTS = ("duplicate_of", "alike")
_DIGITS = 4


def by_row(row_count: int, rows: NDArray[np.integer], values: NDArray[np.number]) -> Values:
    """(row_count,) `values` at `rows`, NaN elsewhere."""
    dense = np.full(row_count, np.nan, np.float32)
    dense[rows] = values
    return dense


def save_computed(folder: Path, columns: Mapping[str, Values]) -> None:
    (folder / "computed").mkdir(parents=True, exist_ok=True)
    for name, values in columns.items():
        np.save(_file(folder, name), values)


def load_computed(folder: Path) -> dict[str, Values]:
    """By name, what was saved into it."""
    paths = {name: _file(folder, name) for name in STORED}
    return {name: np.load(path) for name, path in paths.items() if path.exists()}


def _names(stored: Mapping[str, Values]) -> list[str]:
    """The columns that a version with these has, in order."""
    return [each for name in stored for each in (("duplicates", name) if name == "duplicate_of" else (name,))]


def values_of(version: MapVersion, name: str) -> Values | None:
    """By row, as many as the version knew of; places in WORDS for `duplicates`; None where it has no such
    column."""
    if name == "duplicates":
        original, alike = values_of(version, "duplicate_of"), values_of(version, "alike")
        if original is None or alike is None:
            return None
        return places_of_words(np.arange(len(original)), original, alike)
    path = _file(version.folder, name)
    return np.load(path, mmap_mode="r") if name in STORED and path.exists() else None


def places_of_words(rows: NDArray[np.integer], original: Values, alike: Values) -> Values:
    """For each of `rows` (n,), the place in WORDS by its row of the original and the size of its group."""
    copy = np.where(original == rows, 1, 2)
    return np.where(np.isnan(original), np.nan, np.where(alike == 1, 0, copy)).astype(np.float32)


def _file(folder: Path, name: str) -> Path:
    return folder / "computed" / f"{name}.npy"


def computed_of(version: MapVersion, rows: Sequence[int]) -> list[dict[str, float | str | None]]:
    """For each of the rows, {column: its value} of every column that the version has."""
    return _at(_opened(version), rows)


def _opened(version: MapVersion) -> dict[str, Values]:
    """By name, what is stored, read where it is asked for; good after the files are gone, too."""
    found = {name: values_of(version, name) for name in STORED}
    return {name: values for name, values in found.items() if values is not None}


def _at(stored: Mapping[str, Values], rows: Sequence[int]) -> list[dict[str, float | str | None]]:
    names, wanted = _names(stored), np.array(rows, np.int64)
    found = {name: _values_at(values, wanted) for name, values in stored.items()}
    if "duplicates" in names:
        found["duplicates"] = places_of_words(wanted, found["duplicate_of"], found["alike"])
    return [{name: _cell(name, float(found[name][at])) for name in names} for at in range(len(rows))]


def _values_at(values: Values, rows: NDArray[np.int64]) -> Values:
    """Of each of `rows`, NaN of one that came later. Nothing else is read: a dataset may have millions."""
    found = np.full(len(rows), np.nan, np.float32)
    known = rows < len(values)
    found[known] = values[rows[known]]
    return found


def _cell(name: str, value: float) -> float | str | None:
    if np.isnan(value):
        return None
    if name == "duplicates":
        return WORDS[int(value)]
    return int(value) if name in _COUNTS else round(value, _DIGITS)


@dataclass(frozen=True)
class InComputed:
    """A leaf of a filter: a range, or some values."""

    version: MapVersion
    name: str
    low: float = -np.inf
    high: float = np.inf
    #: None: the range counts; NaN among them: has no value.
    among: tuple[float, ...] | None = None

    def mask(self, dataset: object, row_count: int) -> Mask:  # noqa: ARG002  # as every node
        values = _known(self.version, self.name, FilterError)
        given = np.full(row_count, np.nan, np.float32)
        given[: len(values)] = values[:row_count]
        if self.among is None:
            found: Mask = (given >= np.float32(self.low)) & (given <= np.float32(self.high))
            return found
        wanted = np.array(self.among, np.float32)
        return np.isin(given, wanted) | (np.isnan(given) & np.isnan(wanted).any())


def parse_computed(version: MapVersion, leaf: Mapping[str, Any]) -> InComputed:
    """`{"computed": name}` with "from" and "to", or "in". Raises FilterError."""
    name = leaf["computed"]
    if not isinstance(name, str):
        raise FilterError("“computed” is the name of a column that Atlas computes.")
    _known(version, name, FilterError)
    if "in" in leaf:
        if "from" in leaf or "to" in leaf or not isinstance(leaf["in"], list):
            raise FilterError("A filter by a computed column says “in”, a list, or “from” and “to”.")
        return InComputed(version, name, among=tuple(_wanted(name, value) for value in leaf["in"]))
    low, high = leaf.get("from"), leaf.get("to")
    if (low is None and high is None) or name == "duplicates":
        raise FilterError(
            f"A filter by “{name}” says “in”{'' if name == 'duplicates' else ', “from” or “to”'}."
        )
    return InComputed(
        version,
        name,
        -np.inf if low is None else finite_number(low, "from"),
        np.inf if high is None else finite_number(high, "to"),
    )


def _wanted(name: str, value: Any) -> float:
    if value is None:
        return np.nan
    if name != "duplicates":
        return finite_number(value, "in")
    if value not in WORDS:
        raise FilterError(f"“duplicates” is {', '.join(WORDS)} or null.")
    return WORDS.index(value)


def sorted_by_computed(version: MapVersion, sort: str, row_count: int) -> NDArray[np.uint32]:
    """All rows by a column, "-agreement" the other way round; those without a value last either way, equal
    ones in row order. `duplicates` sorts by the size of the group and keeps each together. Raises SortError.
    """
    down, name = sort.startswith("-"), sort.removeprefix("-")
    given = _known(version, "alike" if name == "duplicates" else name, SortError)
    values = np.full(row_count, np.nan)
    values[: len(given)] = given[:row_count]
    keys = [-values if down else values]  # NaN sorts last either way
    if name == "duplicates":
        group = np.full(row_count, np.nan)
        group[: len(given)] = _known(version, "duplicate_of", SortError)[:row_count]
        keys.insert(0, group)
    return np.lexsort(keys).astype(np.uint32)


def computed_part(version: MapVersion) -> Part:
    """Of an export: every column that the version has. Its files are open from now on: a newer version may
    take its place while somebody downloads."""
    kinds = {"duplicates": Kind.TEXT, **dict.fromkeys(_COUNTS, Kind.INTEGER)}
    stored = _opened(version)
    names = _names(stored)
    columns = [ExportColumn(name, kinds.get(name, Kind.NUMBER)) for name in names]

    def cells(records: Sequence[Record]) -> Iterable[Cells]:
        for values in _at(stored, [record.row for record in records]):
            yield tuple(values[name] for name in names)

    return Part(columns, cells)


def _known(version: MapVersion, name: str, error: type[FilterError | SortError]) -> Values:
    values = values_of(version, name)
    if values is None:
        raise error(f"This map has no computed column “{name[:60]}”.")
    return values
