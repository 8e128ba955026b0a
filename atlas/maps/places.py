"""Where records are on a map: row ↔ ordinal, and the position in the world. Read from a version's files."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from atlas.datasets.models import Dataset, Record
from atlas.maps.access import reading
from atlas.maps.computed import computed_of
from atlas.maps.models import MapVersion

NOWHERE = 0xFFFFFFFF  # in ordinals.bin: the row is not on the map


class Place(NamedTuple):
    ordinal: int
    x: float
    y: float


def mapped(path: Path, dtype: str) -> NDArray[Any]:
    """A file's numbers, read where they are asked for; none of a map without points."""
    # As a string: numpy looks every folder of a Path up, which takes longer than all else here.
    return np.memmap(str(path), dtype, "r") if path.stat().st_size else np.empty(0, dtype)


def rows_at(folder: Path, ordinals: Sequence[int]) -> list[int]:
    """The rows of these ordinals, in their order; ordinals that the version does not have are left out."""
    rows = mapped(folder / "rows.bin", "<u4")
    return [int(rows[ordinal]) for ordinal in ordinals if ordinal < len(rows)]


class Layout(NamedTuple):
    """Where the rows of a version are, read where they are asked for; good after its files are gone, too."""

    ordinals: NDArray[np.uint32]  # (rows,) `NOWHERE` of those that are not on the map
    points: NDArray[np.float32]  # (n, 2) by ordinal

    def positions(
        self, rows: Sequence[int] | NDArray[np.integer]
    ) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """(n,) ordinals and (n, 2) positions of n rows; `NOWHERE` and NaN of those that are not on the
        map."""
        wanted = np.asarray(rows, np.intp)
        ordinals = np.full(len(wanted), NOWHERE, np.uint32)
        known = wanted < len(self.ordinals)
        ordinals[known] = self.ordinals[wanted[known]]
        found = np.full((len(wanted), 2), np.nan, np.float32)
        placed = ordinals != NOWHERE
        found[placed] = self.points[ordinals[placed]]
        return ordinals, found

    def places(self, rows: Sequence[int]) -> dict[int, Place]:
        """{row: its place}; rows that are not on the map are left out."""
        ordinals, points = self.positions(rows)
        found = zip(rows, ordinals.tolist(), *points.T.tolist(), strict=True)
        return {row: Place(ordinal, x, y) for row, ordinal, x, y in found if ordinal != NOWHERE}


def layout_of(folder: Path) -> Layout:
    """Of the version with these files, which never change."""
    return _layout_of(str(folder))


# Mapped, not read: of a million points few are asked for. Few maps: an open file keeps its disk space.
@lru_cache(maxsize=8)
def _layout_of(folder: str) -> Layout:
    path = Path(folder)
    points = mapped(path / "points.bin", "<f4").reshape(-1, 2)
    # As plain arrays: a memmap runs Python for each piece that is taken of it.
    return Layout(np.asarray(mapped(path / "ordinals.bin", "<u4")), np.asarray(points))


def positions(
    folder: Path, rows: Sequence[int] | NDArray[np.integer]
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    return layout_of(folder).positions(rows)


def places_of(folder: Path, rows: Sequence[int]) -> dict[int, Place]:
    return layout_of(folder).places(rows)


def records_on_map(version: MapVersion, rows: Sequence[int]) -> list[Record]:
    """Records in the order of `rows`, each with its place: `ordinal`, `x` and `y`, None off the map; and with
    `computed`, see `computed_of`. Raises WithdrawnError."""
    with reading(version.pk):
        places = {row: place._asdict() for row, place in places_of(version.folder, rows).items()}
    records = _placed(version.map.dataset_id, rows, places)
    for record, computed in zip(records, computed_of(version, [each.row for each in records]), strict=True):
        vars(record)["computed"] = computed
    return records


def records_on_no_map(dataset: Dataset, rows: Sequence[int]) -> list[Record]:
    """The same where no map was asked for."""
    return _placed(dataset.pk, rows, {})


def _placed(dataset_id: UUID, rows: Sequence[int], places: dict[int, dict[str, Any]]) -> list[Record]:
    nowhere: dict[str, Any] = {"ordinal": None, "x": None, "y": None}
    records = {each.row: each for each in Record.objects.filter(dataset=dataset_id, row__in=rows)}
    for row, record in records.items():
        vars(record).update(places.get(row, nowhere), computed={})
    return [records[row] for row in rows if row in records]
