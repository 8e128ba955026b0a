"""Where records are on a map: row ↔ ordinal, and the position in the world. Read from a version's files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NOWHERE = 0xFFFFFFFF  # in ordinals.bin: the row is not on the map


@dataclass(frozen=True)
class Place:
    ordinal: int
    x: float
    y: float


def rows_at(folder: Path, ordinals: Sequence[int]) -> list[int]:
    """The rows of these ordinals, in their order; ordinals that the version does not have are left out."""
    rows = np.fromfile(folder / "rows.bin", "<u4")
    return [int(rows[ordinal]) for ordinal in ordinals if ordinal < len(rows)]


def places_of(folder: Path, rows: Sequence[int]) -> dict[int, Place]:
    """{row: its place}; rows that are not on the map are left out."""
    ordinals = np.fromfile(folder / "ordinals.bin", "<u4")
    points = np.fromfile(folder / "points.bin", "<f4").reshape(-1, 2)
    places = {}
    for row in rows:
        if row < len(ordinals) and (ordinal := int(ordinals[row])) != NOWHERE:
            x, y = points[ordinal].tolist()
            places[row] = Place(ordinal, x, y)
    return places
