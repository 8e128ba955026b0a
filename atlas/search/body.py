"""An answer as it is sent: its hits with their places on a map version, in JSON."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas.maps.places import NOWHERE, positions
from atlas.search.engine import Answer, Hits


def as_body(found: Answer, folder: Path) -> bytes:
    """As `AnswerOut` says, with places on the version whose files are in `folder`.

    Raises FileNotFoundError.
    """
    ordinals, points = positions(folder, np.concatenate([found.hits.rows, found.nearest]))
    count = len(found.hits.rows)
    near = points[count:][ordinals[count:] != NOWHERE]
    shown = {
        name: value for name, value in vars(found).items() if name not in ("hits", "nearest", "compared")
    }
    rest = json.dumps({**shown, "marker": _middle(near)}, separators=(",", ":"), allow_nan=False)
    return f'{{"hits":[{_hits(found.hits, ordinals[:count], points[:count])}],{rest[1:]}'.encode()


def _hits(hits: Hits, ordinals: NDArray[np.uint32], points: NDArray[np.float32]) -> str:
    """Written from columns: 500 dicts, made only to be written, take several times as long."""
    parts = ",".join(["%.4f"] * hits.parts.shape[1])
    # Nine digits are all there is to a single precision number.
    line = f'{{"row":%d,"score":%.4f,"parts":[{parts}],"words":%s,"sure":%s,"ordinal":%s,"x":%.9g,"y":%.9g}}'
    columns = (
        hits.rows.tolist(),
        hits.scores.tolist(),
        *hits.parts.T.tolist(),
        [place or "null" for place in hits.words.tolist()],
        ["true" if sure else "false" for sure in hits.sure.tolist()],
        ["null" if ordinal == NOWHERE else ordinal for ordinal in ordinals.tolist()],
        *points.T.tolist(),
    )
    return ",".join([line % each for each in zip(*columns, strict=True)]).replace(":nan", ":null")


def _middle(points: NDArray[np.float32]) -> dict[str, float] | None:
    """The point with the least distance to the others: a mean could lie between two islands."""
    if not len(points):
        return None
    distances = np.linalg.norm(points[:, None] - points[None], axis=2).sum(axis=1)
    x, y = points[distances.argmin()].tolist()
    return {"x": x, "y": y}
