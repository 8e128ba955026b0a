"""A made-up map of n points in 300 clusters, drawn by our own tile writer; kept for the next run."""

import json
import shutil
from pathlib import Path

import numpy as np

from atlas.maps.codes import Column
from atlas.maps.tiles import drawing_order, publishing, write_json, write_tiles

CLUSTERS = 300


def made_map(folder: Path, n: int) -> Path:
    out = folder / str(n)
    if (out / "manifest.json").exists():
        return out
    random = np.random.default_rng(7)
    centre = random.random((CLUSTERS, 2)).astype(np.float32) * 0.8 + 0.1
    spread = (0.004 + 0.03 * random.random((CLUSTERS, 2)) ** 2).astype(np.float32)
    label = random.choice(CLUSTERS, n, p=random.dirichlet(np.full(CLUSTERS, 1.5)))
    places = centre[label] + spread[label] * random.standard_normal((n, 2), np.float32)
    topic = label * 20 // CLUSTERS
    columns = {"topic-0": Column.topics("Topic", topic)}
    with publishing(out) as draft:
        tiles = write_tiles(places, drawing_order(n, 1), columns, draft, embedded="topic-0")
        codes = np.empty(n, np.uint8)
        codes[tiles.ordinals] = topic
        codes.tofile(draft / "codes.bin")
        write_json(draft / "labels.json", {"levels": 0, "topics": []})
        (draft / "thumbs").mkdir()
        write_json(
            draft / "thumbs" / "index.json",
            {"size": 64, "cells": 16, "sheets": {"count": [], "children": []}},
        )
    return out


def first_points(of: Path, folder: Path, n: int) -> Path:
    """The first n points of a map alone, for contenders that cannot draw them all."""
    out = folder / f"first-{n}"
    if not out.exists():
        with publishing(out) as draft:
            for name, size in (("points.bin", 8), ("codes.bin", 1)):
                (draft / name).write_bytes((of / name).read_bytes()[: n * size])
    return out


def tile_count(of: Path) -> int:
    return len(json.loads((of / "manifest.json").read_text())["tiles"]["count"])


def forget(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
