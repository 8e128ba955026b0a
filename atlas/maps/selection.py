"""Which points of a map, or records of a dataset, a filter finds; it adds the leaves that only maps know.

    {"topic": 12, "map": "<map id>", "version"?: "<version id>", "layout"?: "<layout id>"}
    {"region": [[x, y], …], "map": "<map id>", "version"?: "<version id>", "layout"?: "<layout id>"}
    {"computed": "agreement", "from": -1, "to": 0.5, "map": "<map id>", "version"?: "<version id>"}
    {"computed": "duplicates", "in": ["Copy", null], "map": "<map id>", "version"?: "<version id>"}

12 is the id in that version's labels.json; a region is a polygon by the even-odd rule, in world units; the
computed columns are listed in `computed.py`.
Without a version the one is meant whose points are asked for, else the one that is shown now. Where that one
has another layout than is named, the newest one is meant that has it.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import F
from numpy.typing import NDArray

from atlas.datasets.filters import FilterError, Leaf, Leaves, Mask, parse_filter
from atlas.datasets.models import Dataset
from atlas.maps.access import reading
from atlas.maps.computed import parse_computed
from atlas.maps.models import MapVersion
from atlas.maps.models import Topic as TopicRow

MOST_CORNERS = 10_000
REPLACED = "A topic or region of this is of an earlier map, which a new one has replaced: choose it again."
#: Points tested against all corners at a time: 40 MB of intermediate results with 100 corners.
_BLOCK = 1 << 16
#: By which every leaf of ours names its map, and those that mean something on one layout only name that.
_MAP = ("map", "version")
_LAYOUT = (*_MAP, "layout")


@dataclass(frozen=True)
class InTopic:
    version: MapVersion
    topic: int

    def mask(self, dataset: Dataset, row_count: int) -> Mask:  # noqa: ARG002  # as every node
        level = TopicRow.objects.filter(version=self.version, number=self.topic).values_list(
            "level", flat=True
        )
        if not level:
            raise FilterError(f"There is no topic {self.topic} on this map.")
        with reading(self.version.pk), np.load(self.version.folder / "topics.npz") as arrays:
            rows = arrays["rows"][arrays["ids"][level[0]] == self.topic]
        return _mask(rows, row_count)


@dataclass(frozen=True)
class InRegion:
    version: MapVersion
    corners: NDArray[np.float64]  # (C, 2)

    def mask(self, dataset: Dataset, row_count: int) -> Mask:  # noqa: ARG002  # as every node
        with reading(self.version.pk):
            points = np.fromfile(self.version.folder / "points.bin", "<f4").reshape(-1, 2)
            rows = np.fromfile(self.version.folder / "rows.bin", "<u4")
        return _mask(rows[inside(points, self.corners)], row_count)


def in_layout(content: Any, map_id: UUID, version_id: UUID) -> Any:
    """A filter whose leaves of this map that name no version name this one: that which the asker looks at,
    which may not be the newest any more."""
    if isinstance(content, list):
        return [in_layout(each, map_id, version_id) for each in content]
    if not isinstance(content, dict):
        return content
    if content.get("map") == str(map_id):
        return {"version": str(version_id), **content}
    return {name: in_layout(each, map_id, version_id) for name, each in content.items()}


def rows_matching(dataset: Dataset, content: Any, row_count: int) -> Mask:
    """(row_count,) whether each row of the dataset matches the filter. Raises FilterError."""
    leaves: Leaves = {
        "topic": Leaf(lambda part: _in_topic(_version(dataset, part), part), _LAYOUT),
        "region": Leaf(lambda part: _in_region(_version(dataset, part), part), _LAYOUT),
        "computed": Leaf(
            lambda part: parse_computed(_version(dataset, part), part), (*_MAP, "in", "from", "to")
        ),
    }
    return parse_filter(dataset, content, leaves).mask(dataset, row_count)


def ordinals_matching(version: MapVersion, content: Any) -> Mask:
    """(n,) whether each point of the version matches the filter. Raises FilterError."""
    with reading(version.pk):
        rows = np.fromfile(version.folder / "rows.bin", "<u4")
    row_count = int(rows.max()) + 1 if len(rows) else 0
    placed = in_layout(content, version.map_id, version.pk)
    found: Mask = rows_matching(version.map.dataset, placed, row_count)[rows]
    return found


def inside(points: NDArray[np.float32], corners: NDArray[np.float64]) -> Mask:
    """(N,) whether each point lies in the polygon of C corners, by the even-odd rule.

    A ray to the right crosses the edges; half-open edges, so that no corner counts twice (Shimrat 1962,
    doi:10.1145/368637.368653).
    """
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    found = np.zeros(len(points), bool)
    x1, y1 = corners.T
    x2, y2 = np.roll(corners, -1, axis=0).T
    block = max(1, _BLOCK * 100 // len(corners))
    for start in range(0, len(near), block):
        here = near[start : start + block]
        x, y = points[here].astype(np.float64).T[:, :, None]
        crossing = (y1 > y) != (y2 > y)
        with np.errstate(divide="ignore", invalid="ignore"):  # level edges are crossed by no ray
            at = x1 + (y - y1) * (x2 - x1) / (y2 - y1)
        found[here] = (crossing & (x < at)).sum(axis=1) % 2 == 1
    return found


def _mask(rows: NDArray[np.integer], row_count: int) -> Mask:
    found = np.zeros(row_count, bool)
    found[rows[rows < row_count]] = True
    return found


def _in_topic(version: MapVersion, leaf: dict[str, Any]) -> InTopic:
    topic = leaf["topic"]
    if type(topic) is not int or not 0 <= topic < 2**31:
        raise FilterError("“topic” is the number of a topic.")
    return InTopic(version, topic)


def _in_region(version: MapVersion, leaf: dict[str, Any]) -> InRegion:
    try:
        corners = np.array(leaf["region"], np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise FilterError("“region” is a list of corners [x, y].") from error
    if corners.ndim != 2 or corners.shape[1] != 2 or not 3 <= len(corners) <= MOST_CORNERS:
        raise FilterError(f"“region” has 3 to {MOST_CORNERS:,} corners [x, y].")
    if not np.isfinite(corners).all() or np.abs(corners).max() > 1e6:
        raise FilterError("The corners of a “region” are places on the map.")
    return InRegion(version, corners)


def _version(dataset: Dataset, leaf: dict[str, Any]) -> MapVersion:
    """Of this dataset, so whoever may ask for the dataset may ask for it."""
    of, version, layout = _id(leaf.get("map")), leaf.get("version"), leaf.get("layout")
    versions = MapVersion.objects.filter(map=of, map__dataset=dataset).select_related("map")
    wanted = (
        versions.filter(pk=_id(version)) if version is not None else versions.filter(pk=F("map__current"))
    )
    found = wanted.first()
    if layout is not None and (found is None or found.layout != _id(layout)):
        found = versions.filter(layout=_id(layout)).order_by("number").last()
        if found is None:
            raise FilterError(REPLACED)
    if found is None:
        raise FilterError("There is no such map of this dataset, or it was replaced by a newer one.")
    return found


def _id(value: Any) -> UUID:
    try:
        return UUID(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise FilterError("A topic, region or computed column names its “map” by its id.") from error
