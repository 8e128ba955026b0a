"""What the steps after the embedding do: project, name topics, write tiles. Each may be run again."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from atlas.maps import projection, tiles, vectors
from atlas.maps.columns import columns_of
from atlas.maps.models import Build, DataMap, MapVersion, Space, Step, version_folder
from atlas.maps.publish import scratch_folder, version_id
from atlas.maps.steps import Watch

#: (first, share): where the stages of a projection lie on a bar of 100, by the time they take.
PARTS = {"neighbours": (0, 60), "layout": (60, 35), "trust": (95, 5)}


@dataclass(frozen=True)
class Points:
    """The points of a map, before tiles give them their ordinals."""

    rows: NDArray[np.uint32]  # (n,) ascending
    coordinates: NDArray[np.float32]  # (n, 2) in units of the projection
    trust: NDArray[np.float32]  # (n,) 0…1

    @classmethod
    def load(cls, folder: Path) -> Self:
        with np.load(folder / "points.npz") as arrays:
            return cls(**arrays)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".npz", delete=False) as file:
            np.savez(file, rows=self.rows, coordinates=self.coordinates, trust=self.trust)
        os.replace(file.name, folder / "points.npz")


def project(step: Step, watch: Watch) -> None:
    """Lay the space out on a plane, or place what is new on the map that is shown now."""

    def report(part: str, done: int, total: int) -> None:
        first, share = PARTS[part]
        watch.report(first + share * done // total, 100)

    build, space = step.build, Space(step.space)
    rows, unit = vectors_of(build, space)
    old = _shown(build, space)
    if old is None or not len(old.rows):
        fresh = projection.project(unit, progress=report, cancelled=lambda: watch.stopped)
        points = Points(rows, fresh.coordinates, fresh.trust)
    else:
        points = _placed(rows, unit, old, watch)
    points.save(scratch_folder(build.pk, space))


def vectors_of(build: Build, space: Space) -> tuple[NDArray[np.uint32], projection.Vectors]:
    """The rows that a map of this space shows, ascending, and their vectors in this order."""
    if space != Space.JOINT:
        matrix = vectors.open_matrix(build.dataset_id, space, build.row_count)
        everything = len(matrix.rows) == len(matrix.vectors)
        return matrix.rows, matrix.vectors if everything else matrix.vectors[matrix.rows]
    pictures = vectors.open_matrix(build.dataset_id, Space.IMAGE, build.row_count)
    captions = vectors.open_matrix(build.dataset_id, Space.CAPTION, build.row_count)
    joint = projection.joint(pictures.vectors, captions.vectors, pictures.present, captions.present)
    rows = np.union1d(pictures.rows, captions.rows)
    return rows, joint[rows]


def shown_version(build: Build, space: Space) -> MapVersion | None:
    """The version to which this build appends; None where everything is made anew."""
    if not build.append:
        return None
    shown = DataMap.objects.select_related("current__map").get(dataset=build.dataset_id, space=space)
    return shown.current


def _shown(build: Build, space: Space) -> Points | None:
    version = shown_version(build, space)
    return version and Points.load(version.folder)


def _placed(rows: NDArray[np.uint32], unit: projection.Vectors, old: Points, watch: Watch) -> Points:
    """Old points with the coordinates they have, new ones among them."""
    is_old = np.isin(rows, old.rows, assume_unique=True)
    coordinates = np.empty((len(rows), 2), np.float32)
    trust = np.ones(len(rows), np.float32)
    coordinates[is_old], trust[is_old] = old.coordinates, old.trust
    if not is_old.all():
        placement = projection.place(
            unit[~is_old],
            unit[is_old],
            old.coordinates,
            progress=lambda _, done, total: watch.report(100 * done // total, 100),
            cancelled=lambda: watch.stopped,
        )
        coordinates[~is_old] = placement.coordinates
    return Points(rows, coordinates, trust)


def name_topics(step: Step, watch: Watch) -> None:
    """TODO with topics.py"""


def write_version(step: Step, watch: Watch) -> None:
    """Every file of the version, in a folder that gets its name when it is complete."""
    build, dataset = step.build, step.build.dataset
    scratch = scratch_folder(build.pk, step.space)
    points = Points.load(scratch)
    shown = shown_version(build, Space(step.space))
    columns = columns_of(dataset, points.rows)
    columns["trust"] = tiles.Column.number("Trust", points.trust)
    watch.check()
    rank = tiles.drawing_order(len(points.rows), seed=0)
    with tiles.publishing(version_folder(build.dataset_id, version_id(build.pk, step.space))) as folder:
        tiles.write_tiles(
            points.coordinates,
            rank,
            columns,
            folder,
            rows=points.rows,
            frame=shown and _frame_of(shown),
        )
        points.save(folder)
    (scratch / "version.json").write_text(json.dumps({"count": len(points.rows), "topics": []}))


def _frame_of(version: MapVersion) -> tiles.Frame:
    return tiles.Frame(**json.loads((version.folder / "manifest.json").read_text())["frame"])
