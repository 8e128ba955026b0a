"""What a build keeps besides the files that browsers read: for its next step, and for a later append."""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from atlas.maps.duplicates import NO_PAIRS, Pairs
from atlas.maps.topic import Topic, Topics

#: No row.
NOBODY = 0xFFFFFFFF


@dataclass(frozen=True)
class Points:
    """The points of a map, before tiles give them their ordinals: `points.npz`."""

    rows: NDArray[np.uint32]  # (n,) ascending
    coordinates: NDArray[np.float32]  # (n, 2) in units of the projection
    trust: NDArray[np.float32]  # (n,) 0…1
    placed: NDArray[np.bool_]  # (n,) whether it came later, and was put among those that were laid out
    nearest: NDArray[np.uint32]  # (n, k) rows, as it came; NOBODY at the end where there are fewer
    distances: NDArray[np.float32]  # (n, k) cosine distances to these, 0…2

    @classmethod
    def load(cls, folder: Path) -> Self:
        with np.load(folder / "points.npz") as arrays:
            n = len(arrays["rows"])
            untold = {  # by an older Atlas
                "placed": np.zeros(n, bool),
                "nearest": np.empty((n, 0), np.uint32),
                "distances": np.empty((n, 0), np.float32),
            }
            return cls(**{**untold, **arrays})

    def among(self, rows: NDArray[np.integer]) -> Self:
        """Those of these rows, and of their neighbours those that are."""
        there = np.isin(self.rows, rows, assume_unique=True)
        gone = ~np.isin(self.nearest, rows)
        nearest = np.where(gone, np.uint32(NOBODY), self.nearest)
        distances = np.where(gone, np.float32(np.inf), self.distances)
        whole = vars(replace(self, nearest=nearest, distances=distances))
        return replace(self, **{name: values[there] for name, values in whole.items()})

    def save(self, folder: Path) -> None:
        _save_arrays(folder / "points.npz", vars(self))


def save_topics(folder: Path, topics: Topics, rows: NDArray[np.uint32]) -> None:
    """`rows` (n,) of the points that `topics` counts; the files speak of rows, which no append can shift."""
    _save_arrays(folder / "topics.npz", {"ids": topics.ids, "rows": rows})
    listed = [asdict(topic) | {"row": int(rows[topic.row])} for topic in topics.topics]
    write_whole(folder / "topics.json", json.dumps(listed).encode())


def load_topics(folder: Path, rows: NDArray[np.uint32]) -> Topics:
    """The topics as of the points `rows`, all of which they know; `Topic.row` counts these."""
    listed = [Topic(**topic) for topic in json.loads((folder / "topics.json").read_text())]
    with np.load(folder / "topics.npz") as arrays:
        here = np.searchsorted(arrays["rows"], rows)
        ids = arrays["ids"][:, here]
    return Topics([replace(topic, row=int(np.searchsorted(rows, topic.row))) for topic in listed], ids)


def save_pairs(folder: Path, pairs: Pairs) -> None:
    """Of rows that show the same picture: they stay so when more come."""
    _save_arrays(folder / "pairs.npz", {"pairs": pairs})


def load_pairs(folder: Path) -> Pairs:
    """None at all where there is no such file: of captions, or written by an older Atlas."""
    try:
        with np.load(folder / "pairs.npz") as arrays:
            found: Pairs = arrays["pairs"]
    except FileNotFoundError:
        return NO_PAIRS
    return found


def _save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_whole(path, buffer.getvalue())


def write_whole(path: Path, content: bytes) -> None:
    """Write beside and rename: of a process that is killed, or of two at once, nobody sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".new-{uuid4().hex}")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
