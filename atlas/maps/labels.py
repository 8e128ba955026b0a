"""When a topic's name is shown: one zoom interval each, computed once, so that no two names ever meet.

Names keep their size while the map grows, so two boxes meet exactly while k < min((w + w') / 2 / |dx|, (h +
h') / 2 / |dy|) / 1024. After Been, Daiches, Yap, "Dynamic map labeling", 2006: in order of priority (level,
then size) each name starts where it is free of all before it. FORMAT.md has the file.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from atlas.maps.tiles import Frame, write_json
from atlas.maps.topic import Topic

UNIT = 1024  # k = 1: the world's side covers so many CSS pixels
#: By level: font, box height, mean width of a letter in em.
_SIZES = ((15, 22, 0.60), (13, 20, 0.58), (12, 18, 0.56))
_SIDES = 12  # padding left and right together
_GAP = 6  # kept free between two boxes
_WIDEST = 260
_ROUND = 1e4  # zooms are written with four decimals
_GONE = 3000  # a region this wide is beyond every screen: its name gives way to its children's


@dataclass(frozen=True)
class Label:
    """A topic's name on the map: position in the world, box in CSS pixels, zooms k0 ≤ k < k1 at which it is
    shown."""

    topic: Topic
    x: float
    y: float
    w: int
    h: int
    k0: float | None  # None = never
    k1: float | None  # None = for ever


def make_labels(topics: Sequence[Topic], frame: Frame) -> list[Label]:
    """Boxes and zoom intervals, in the order of the topics."""
    if not topics:
        return []
    places = frame.world(np.array([[topic.x, topic.y] for topic in topics], np.float32))
    boxes = np.array([_box(topic.name, topic.level) for topic in topics], float)
    diameters = np.array([4 * topic.radius / frame.side for topic in topics])
    k0, k1 = _intervals(topics, places, boxes, diameters)
    return [
        Label(
            topic,
            x=float(places[at, 0]), y=float(places[at, 1]), w=int(boxes[at, 0]), h=int(boxes[at, 1]),
            k0=float(k0[at]) if np.isfinite(k0[at]) else None,
            k1=float(k1[at]) if np.isfinite(k1[at]) else None,
        )
        for at, topic in enumerate(topics)
    ]  # fmt: skip


def write_labels(
    labels: Sequence[Label],
    out: Path,
    ordinals: npt.NDArray[np.uint32],
    rows: npt.NDArray[np.integer] | None = None,
) -> None:
    """Write labels.json into the folder `out`. `ordinals` and `rows` (N,) by point as given, as for
    `write_tiles`."""
    listed = [
        {
            "id": label.topic.id, "level": label.topic.level, "parent": label.topic.parent,
            "name": label.topic.name, "x": round(label.x, 7), "y": round(label.y, 7),
            "w": label.w, "h": label.h, "k0": label.k0, "k1": label.k1, "count": label.topic.count,
            "row": int(label.topic.row if rows is None else rows[label.topic.row]),
            "ordinal": int(ordinals[label.topic.row]),
        }
        for label in labels
    ]  # fmt: skip
    levels = 1 + max((label.topic.level for label in labels), default=-1)
    write_json(out / "labels.json", {"levels": levels, "topics": listed})


def _box(name: str, level: int) -> tuple[int, int]:
    """Width and height in CSS pixels; wide letters (Chinese, emoji) take a whole em."""
    font, height, letter = _SIZES[min(level, len(_SIZES) - 1)]
    ems = sum(1.0 if unicodedata.east_asian_width(char) in "WF" else letter for char in name)
    return min(_WIDEST, round(ems * font) + _SIDES), height


def _intervals(
    topics: Sequence[Topic],
    places: npt.NDArray[np.float64],
    boxes: npt.NDArray[np.float64],
    diameters: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    children = Counter(topic.parent for topic in topics)
    k0 = np.full(len(topics), np.inf)
    k1 = np.full(len(topics), np.inf)
    order = sorted(range(len(topics)), key=lambda at: (topics[at].level, -topics[at].count, at))
    placed: list[int] = []
    for at in order:
        topic = topics[at]
        if children[topic.parent] == 1 and topic.parent is not None:
            continue  # an only child: its mother's name stays
        first = 0.0 if topic.level == 0 else _wide_enough(boxes[at, 0], diameters[at])
        last = np.inf
        if children[topic.id] > 1:
            last = np.floor(_GONE / UNIT / max(diameters[at], 1e-12) * _ROUND) / _ROUND
        before = np.array(placed, np.int64)
        meeting = _free_from(places[at], boxes[at], places[before], boxes[before])
        until = np.minimum(meeting, k1[before])  # an earlier name is in the way for k0 ≤ k < until
        in_the_way = (k0[before] < until) & (k0[before] < last)
        first = np.ceil(max(first, until[in_the_way].max(initial=0)) * _ROUND) / _ROUND
        if first < last:
            k0[at], k1[at] = first, last
            placed.append(at)
    return k0, k1


def _wide_enough(width: float, diameter: float) -> float:
    """A fine topic's name waits until it is not wider than its region and a half."""
    return float(width / 1.5 / UNIT / max(diameter, 1e-12)) if diameter > 0 else 0.0


def _free_from(
    place: npt.NDArray[np.float64],
    box: npt.NDArray[np.float64],
    places: npt.NDArray[np.float64],
    boxes: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """The zoom from which a box is free of each other box (M,)."""
    apart = np.abs(places - place)
    with np.errstate(divide="ignore"):
        by_axis = ((boxes + box) / 2 + _GAP) / apart / UNIT
    return np.asarray(by_axis.min(axis=1), np.float64)
