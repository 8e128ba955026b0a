"""A still picture of a map, for where other sites show a link to it."""

import io
import json
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from atlas.maps.kept import Points, load_topics, write_whole
from atlas.maps.models import MapVersion
from atlas.maps.renaming import given_names, renamed
from atlas.maps.topic import Topic, Topics

#: What Open Graph readers show uncut.
SIZE = (1200, 630)
#: Drawn larger and made smaller: round points with soft edges.
_FINE = 2
_MARGIN = 56
_MOST_POINTS = 20_000
_MOST_LABELS = 14
#: The explorer's in the light look (`frontend/src/map/colours.ts`, `style/tokens.css`).
_COLOURS = (
    "#2f6db5", "#d1495b", "#2c8a4f", "#c79a16", "#7b4ea3",
    "#1b9aaa", "#c8631c", "#a53f7d", "#6e7f1f", "#3b3f8f",
)  # fmt: skip
_PAPER, _INK = "#f7f5f0", "#1d1a16"


def preview_of(version: MapVersion) -> bytes:
    """The picture of a version, as PNG; drawn once for the names that its topics have."""
    names = sorted(given_names([version.pk])[version.pk].items())
    mark = f"-{sha256(json.dumps(names).encode()).hexdigest()[:16]}" if names else ""
    path = version.folder / f"preview{mark}.png"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        content = _drawn(version)
    for older in version.folder.glob("preview*.png"):
        older.unlink(missing_ok=True)
    write_whole(path, content)
    return content


def _drawn(version: MapVersion) -> bytes:
    points = Points.load(version.folder)
    topics = renamed(load_topics(version.folder, points.rows), version)
    picture = Image.new("RGB", (SIZE[0] * _FINE, SIZE[1] * _FINE), _PAPER)
    if len(points.rows):
        places = _places(points.coordinates)
        _draw_points(picture, places, topics.ids[0])
        _draw_labels(picture, places, topics)
    data = io.BytesIO()
    picture.resize(SIZE, Image.Resampling.LANCZOS).save(data, "PNG", optimize=True)
    return data.getvalue()


def _places(coordinates: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, 2) pixels of the fine picture: all points inside the margin, y downward."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    room = (np.array(SIZE) - 2 * _MARGIN) * _FINE
    scale = float(np.min(room / np.maximum(high - low, 1e-9)))
    middle = (low + high) / 2
    turned = np.array((scale, -scale))
    return np.asarray((coordinates - middle) * turned + np.array(SIZE) * _FINE / 2)


def _draw_points(picture: Image.Image, places: NDArray[np.float64], topic: NDArray[np.int32]) -> None:
    count = len(places)
    chosen = np.random.default_rng(0).permutation(count)[:_MOST_POINTS]
    radius = _FINE * float(np.clip(160 / np.sqrt(count), 1.6, 6))
    draw = ImageDraw.Draw(picture)
    for point in chosen:
        x, y = places[point]
        colour = _COLOURS[topic[point] % len(_COLOURS)]
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _draw_labels(picture: Image.Image, places: NDArray[np.float64], topics: Topics) -> None:
    """The names of the largest topics, none over another."""
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(22 * _FINE)
    taken: list[tuple[float, float, float, float]] = []
    for topic in sorted(_readable(topics), key=lambda each: -each.count)[:_MOST_LABELS]:
        x, y = places[topic.row]
        box = draw.textbbox((x, y), topic.name, font=font, anchor="mm", stroke_width=3 * _FINE)
        inside = box[0] >= 0 and box[1] >= 0 and box[2] <= picture.width and box[3] <= picture.height
        if inside and not any(_meet(box, other) for other in taken):
            taken.append(box)
            draw.text((x, y), topic.name, _INK, font, anchor="mm", stroke_width=3 * _FINE, stroke_fill=_PAPER)


def _readable(topics: Topics) -> list[Topic]:
    """Of the coarsest ones those whose name Pillow's own font has the letters for."""
    return [
        topic
        for topic in topics.topics
        if topic.level == 0 and topic.name.encode("latin-1", "replace").decode("latin-1") == topic.name
    ]


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
