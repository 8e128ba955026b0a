"""What a map adds to an export: places, topics, vectors."""

from collections.abc import Iterable, Sequence

import numpy as np

from atlas.datasets.export import Cells, ExportColumn, Kind, Part
from atlas.datasets.models import Dataset, Record
from atlas.maps.models import DataMap, MapVersion, Space
from atlas.maps.models import Topic as TopicRow
from atlas.maps.places import layout_of
from atlas.maps.vectors import open_matrices

#: Of a position, which is exact to 2⁻²⁵ of the world.
_DIGITS = 8


class NoVectorsError(Exception):
    """There are none of this kind yet: a sentence."""


def place_part(version: MapVersion, *, words: bool) -> Part:
    """`x`, `y` in world units and the names of the topics, coarsest first; empty off the map.

    Without `words` topics that nobody named have numbers: their names are words of captions. Its files are
    open from now on: a newer version may take its place while somebody downloads.
    """
    layout = layout_of(version.folder)
    columns = [
        ExportColumn("x", Kind.NUMBER),
        ExportColumn("y", Kind.NUMBER),
        ExportColumn("topics", Kind.LIST),
    ]
    with np.load(version.folder / "topics.npz") as arrays:
        known, ids = arrays["rows"], arrays["ids"]  # (n,) ascending, (levels, n)
    names = {
        (topic.level, topic.number): str(topic) if words else topic.given_name or f"Topic {topic.number + 1}"
        for topic in TopicRow.objects.filter(version=version)
    }

    def topics_of(row: int) -> list[str]:
        at = int(np.searchsorted(known, row))
        if at == len(known) or known[at] != row:
            return []
        found = (names.get((level, int(number))) for level, number in enumerate(ids[:, at]))
        return [name for name in found if name is not None]

    def cells(records: Sequence[Record]) -> Iterable[Cells]:
        places = layout.places([record.row for record in records])
        for record in records:
            place = places.get(record.row)
            if place is None:
                yield None, None, []
            else:
                yield round(place.x, _DIGITS), round(place.y, _DIGITS), topics_of(record.row)

    return Part(columns, cells)


def vector_part(dataset: Dataset, space: Space) -> Part:
    """`image_vector` or `caption_vector`: of length 1, as the maps were made of. Raises NoVectorsError."""
    version = MapVersion.objects.filter(
        pk__in=DataMap.objects.filter(dataset=dataset, space=space).values("current")
    ).select_related("build")
    shown = version.first()
    if shown is None:
        raise NoVectorsError(f"There are no vectors of the {space}s of this dataset yet.")
    matrix = open_matrices(dataset.pk, [space], shown.build.row_count).get(space)
    if matrix is None:
        raise NoVectorsError(f"The vectors of the {space}s of this dataset are being made anew.")
    present = matrix.present
    column = ExportColumn(f"{space}_vector", Kind.VECTOR, matrix.vectors.shape[1])

    def cells(records: Sequence[Record]) -> Iterable[Cells]:
        for record in records:
            here = record.row < len(present) and present[record.row]
            yield (matrix.vectors[record.row].astype(np.float32) if here else None,)

    return Part([column], cells)
