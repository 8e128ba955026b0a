"""The files of a map version, written from what the steps before found. May be run again."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas.datasets.models import Dataset
from atlas.maps import labels, sheets, tiles
from atlas.maps.around import label_of, outlierness, places_of
from atlas.maps.codes import Column
from atlas.maps.columns import columns_of
from atlas.maps.computed import SHOWN_COMPUTED, WORDS, Values, by_row, places_of_words, save_computed
from atlas.maps.findings import found_by
from atlas.maps.kept import Points, load_pairs, load_topics, save_pairs, save_topics
from atlas.maps.models import MapVersion, Space, Step, version_folder
from atlas.maps.pictures import Thumbnails
from atlas.maps.publish import scratch_folder, version_id
from atlas.maps.shown import shown_version
from atlas.maps.steps import Watch
from atlas.maps.topic import Topics
from atlas.maps.work import part_of

#: (first, share): where the parts of the stage lie on a bar of 100, by the time they take.
WRITING = {"columns": (0, 10), "tiles": (10, 30), "thumbnails": (40, 60)}


def write_version(step: Step, watch: Watch) -> None:
    """Every file of the version, in a folder that gets its name when it is complete."""
    build, space = step.build, Space(step.space)
    scratch = scratch_folder(build.pk, space)
    points = Points.load(scratch)
    found = load_topics(scratch, points.rows)
    shown = shown_version(build, space, points.rows)
    reading = part_of(watch.report, *WRITING["columns"])
    own = columns_of(build.dataset, points.rows, reading)
    places = places_of(points.nearest, points.rows)
    of_points = {"trust": points.trust, "outlier": outlierness(points.distances, places)}
    names = dict(SHOWN_COMPUTED)
    label = label_of(own.values(), places, watch.check)
    if label is not None:
        name, of_points["strangers"] = label
        names["strangers"] = f"Strangers by {name}"
    by_point = {key: by_row(build.row_count, points.rows, values) for key, values in of_points.items()}
    computed = found_by(build) | by_point
    columns = _topic_columns(found) | own | _computed_columns(computed, points.rows, names)
    first = np.array([topic.row for topic in found.topics], np.int64)
    rank = tiles.drawing_order(len(points.rows), seed=0, first=first)
    watch.check()
    with tiles.publishing(version_folder(build.dataset_id, version_id(build.pk, space))) as folder:
        written = tiles.write_tiles(
            points.coordinates,
            rank,
            columns,
            folder,
            rows=points.rows,
            frame=None if shown is None else _frame_of(shown),
            embedded="topic-0" if found.topics else None,
            report=part_of(watch.report, *WRITING["tiles"]),
        )
        _write_thumbnails(build.dataset, points, rank, written, folder, watch)
        drawn = labels.make_labels(found.topics, written.frame)
        labels.write_labels(drawn, folder, written.ordinals, points.rows)
        points.save(folder)
        save_topics(folder, found, points.rows)
        save_computed(folder, computed)
        if space == Space.IMAGE:
            save_pairs(folder, load_pairs(scratch))
        watch.check()  # the folder may be another run's by now, and on the pages


def _write_thumbnails(
    dataset: Dataset,
    points: Points,
    rank: NDArray[np.uint32],
    written: tiles.TileSet,
    folder: Path,
    watch: Watch,
) -> None:
    """Sheets of the records' thumbnails; a space of captions shows the pictures beside them."""
    thumbnails = Thumbnails.of(dataset, watch)
    rows = points.rows.tolist()
    pictured = np.array([at for at, row in enumerate(rows) if row in thumbnails.names], np.int64)
    sheets.write_sheets(
        folder,
        points.coordinates[pictured],
        rank[pictured],
        written.ordinals[pictured],
        written.frame,
        lambda at: thumbnails.load(rows[pictured[at]]),
        progress=lambda _, done, total: part_of(watch.report, *WRITING["thumbnails"])(done, total),
        cancelled=lambda: watch.stopped,
    )


def _topic_columns(found: Topics) -> dict[str, Column]:
    names = ("Topic", "Topic, finer", "Topic, finest")
    return {
        f"topic-{level}": Column.topics(name, ids)
        for level, (name, ids) in enumerate(zip(names, found.ids, strict=False))
    }


def _computed_columns(
    computed: dict[str, Values], rows: NDArray[np.uint32], names: Mapping[str, str]
) -> dict[str, Column]:
    """Those that the map can be coloured by, for each of `rows`."""
    columns = {}
    for key, name in names.items():
        if key in computed:
            columns[key] = Column.number(name, computed[key][rows]).marked_computed()
        elif key == "duplicates" and "duplicate_of" in computed:
            places = places_of_words(rows, computed["duplicate_of"][rows], computed["alike"][rows])
            words = [None if np.isnan(place) else WORDS[int(place)] for place in places]
            columns[key] = Column.category(name, words).marked_computed()
    return columns


def _frame_of(version: MapVersion) -> tiles.Frame:
    """Of the first version of a map: the browser's world must not move under the points."""
    return tiles.Frame(**json.loads((version.folder / "manifest.json").read_text())["frame"])
