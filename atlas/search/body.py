"""An answer as it is sent: its hits with their places on a map version, in JSON."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from atlas.maps.places import Place, places_of
from atlas.search.engine import Answer


def as_body(found: Answer, folder: Path) -> bytes:
    """As `AnswerOut` says, with places on the version whose files are in `folder`."""
    places = places_of(folder, [*(hit["row"] for hit in found.hits), *found.nearest])
    hits = [{**hit, **_place(places.get(hit["row"]))} for hit in found.hits]
    near = [(places[row].x, places[row].y) for row in found.nearest if row in places]
    shown = {name: value for name, value in vars(found).items() if name != "nearest"}
    body = {**shown, "hits": hits, "marker": _middle(near)}
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def _place(place: Place | None) -> dict[str, Any]:
    return vars(place) if place else {"ordinal": None, "x": None, "y": None}


def _middle(points: list[tuple[float, float]]) -> dict[str, float] | None:
    """The point with the least distance to the others: a mean could lie between two islands."""
    if not points:
        return None
    places = np.array(points)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2).sum(axis=1)
    x, y = points[int(distances.argmin())]
    return {"x": x, "y": y}
