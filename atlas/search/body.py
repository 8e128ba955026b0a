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
    near = [(places[row].x, places[row].y) for row in found.nearest if row in places]
    shown = {name: value for name, value in vars(found).items() if name not in ("hits", "nearest")}
    rest = json.dumps({**shown, "marker": _middle(near)}, separators=(",", ":"), allow_nan=False)
    # Written by hand: 500 dicts, made only to be written, take as long as a quarter of the scan.
    hits = ",".join([_hit(hit, places.get(hit["row"])) for hit in found.hits])
    return f'{{"hits":[{hits}],{rest[1:]}'.encode()


def _hit(hit: dict[str, Any], place: Place | None) -> str:
    parts = ",".join(map(repr, hit["parts"]))
    return (
        f'{{"row":{hit["row"]},"score":{hit["score"]!r},"parts":[{parts}],"words":{hit["words"] or "null"},'
        + (
            f'"ordinal":{place.ordinal},"x":{place.x!r},"y":{place.y!r}}}'
            if place
            else '"ordinal":null,"x":null,"y":null}'
        )
    )


def _middle(points: list[tuple[float, float]]) -> dict[str, float] | None:
    """The point with the least distance to the others: a mean could lie between two islands."""
    if not points:
        return None
    places = np.array(points)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2).sum(axis=1)
    x, y = points[int(distances.argmin())]
    return {"x": x, "y": y}
