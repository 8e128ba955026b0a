"""What the steps after the embedding do: project, name topics, write tiles. Each may be run again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from django.core.files.storage import default_storage
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from atlas.datasets.models import Dataset, Record, thumbnail_name
from atlas.maps import labels, projection, sheets, tiles, topics, towers, vectors
from atlas.maps.build import content
from atlas.maps.columns import columns_of
from atlas.maps.kept import Points, load_topics, save_topics
from atlas.maps.models import Build, DataMap, MapVersion, Space, Step, version_folder
from atlas.maps.names import Vocabulary
from atlas.maps.publish import scratch_folder, version_id
from atlas.maps.renaming import renamed
from atlas.maps.steps import Watch
from atlas.maps.work import part_of

#: Things that pictures show, a word a line.
VOCABULARY = Path(__file__).with_name("vocabulary.txt")
#: (first, share): where the parts of a stage lie on a bar of 100, by the time they take.
PROJECTION = {"neighbours": (0, 60), "layout": (60, 35), "trust": (95, 5)}
WRITING = {"columns": (0, 10), "tiles": (10, 30), "thumbnails": (40, 60)}


def project(step: Step, watch: Watch) -> None:
    """Lay the space out on a plane, or place what is new on the map that is shown now."""

    def report(part: str, done: int, total: int) -> None:
        part_of(watch.report, *PROJECTION[part])(done, total)

    build, space = step.build, Space(step.space)
    rows, unit = vectors_of(build, space, watch)
    old = _shown(build, space)
    if old is None or not len(old.rows):
        fresh = projection.project(unit, progress=report, cancelled=lambda: watch.stopped)
        points = Points(rows, fresh.coordinates, fresh.trust)
    else:
        points = _placed(rows, unit, old, watch)
    points.save(scratch_folder(build.pk, space))


def vectors_of(build: Build, space: Space, watch: Watch) -> tuple[NDArray[np.uint32], projection.Vectors]:
    """The rows that a map of this space shows, ascending, and their vectors in this order."""
    if space != Space.JOINT:
        matrix = vectors.open_matrix(build.dataset_id, space, build.row_count, watch.check)
        everything = len(matrix.rows) == len(matrix.vectors)
        return matrix.rows, matrix.vectors if everything else matrix.vectors[matrix.rows]
    pictures = vectors.open_matrix(build.dataset_id, Space.IMAGE, build.row_count, watch.check)
    captions = vectors.open_matrix(build.dataset_id, Space.CAPTION, build.row_count, watch.check)
    joint = projection.joint(
        pictures.vectors, captions.vectors, pictures.present, captions.present, watch.check
    )
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
    return None if version is None else Points.load(version.folder)


def _placed(rows: NDArray[np.uint32], unit: projection.Vectors, old: Points, watch: Watch) -> Points:
    """Old points with the coordinates they have, new ones among them."""
    is_old = np.isin(rows, old.rows, assume_unique=True)
    coordinates = np.empty((len(rows), 2), np.float32)
    trust = np.empty(len(rows), np.float32)
    coordinates[is_old], trust[is_old] = old.coordinates, old.trust
    if not is_old.all():
        placement = projection.place(
            unit[~is_old],
            unit[is_old],
            old.coordinates,
            progress=lambda _, done, total: watch.report(100 * done // total, 100),
            cancelled=lambda: watch.stopped,
        )
        coordinates[~is_old], trust[~is_old] = placement.coordinates, placement.trust
    return Points(rows, coordinates, trust)


def name_topics(step: Step, watch: Watch) -> None:
    """Regions and their names; after an append those of the map that is shown, with new points in them."""
    build, space = step.build, Space(step.space)
    scratch = scratch_folder(build.pk, space)
    points = Points.load(scratch)
    shown = shown_version(build, space)
    if shown is None or not shown.count:
        _, unit = vectors_of(build, space, watch)
        captions = _captions(build.dataset, points.rows, watch)
        words = _vocabulary(build.dataset, space, captions, watch)
        found = topics.find_topics(points.coordinates, unit, captions, words, watch.report)
    else:
        old = Points.load(shown.folder)
        found = _extended(renamed(load_topics(shown.folder, old.rows), shown), old, points)
    save_topics(scratch, found, points.rows)


def _captions(dataset: Dataset, rows: NDArray[np.uint32], watch: Watch) -> list[str | None]:
    stored = Record.objects.filter(dataset=dataset).exclude(caption="").values_list("row", "caption")
    captions = dict(watch.over(stored.iterator(5000)))
    return [captions.get(row) for row in rows.tolist()]


def _vocabulary(
    dataset: Dataset, space: Space, captions: list[str | None], watch: Watch
) -> Vocabulary | None:
    """Words for regions without captions; None where nobody needs them or no tower can place them."""
    if dataset.vector_size or space == Space.CAPTION or all(captions):
        return None
    words = VOCABULARY.read_text().splitlines()
    return Vocabulary(words, towers.embed_words(dataset.model, words, watch.check))


def _extended(old: topics.Topics, old_points: Points, points: Points) -> topics.Topics:
    """The same topics over more points: a new one is in the topics of the old point nearest to it."""
    nearest = cKDTree(old_points.coordinates).query(points.coordinates)[1]
    ids = old.ids[:, nearest]
    known = np.isin(points.rows, old_points.rows, assume_unique=True)
    ids[:, known] = old.ids  # of two points at one place each keeps its own
    counts = np.bincount(ids[ids >= 0], minlength=len(old.topics))
    row_of = np.flatnonzero(known)
    listed = [replace(topic, count=int(counts[topic.id]), row=int(row_of[topic.row])) for topic in old.topics]
    return topics.Topics(listed, ids)


def write_version(step: Step, watch: Watch) -> None:
    """Every file of the version, in a folder that gets its name when it is complete."""
    build, space = step.build, Space(step.space)
    scratch = scratch_folder(build.pk, space)
    points = Points.load(scratch)
    found = load_topics(scratch, points.rows)
    shown = shown_version(build, space)
    reading = part_of(watch.report, *WRITING["columns"])
    columns = _topic_columns(found) | columns_of(build.dataset, points.rows, reading)
    columns["trust"] = tiles.Column.number("Trust", points.trust)
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


def _write_thumbnails(
    dataset: Dataset,
    points: Points,
    rank: NDArray[np.uint32],
    written: tiles.TileSet,
    folder: Path,
    watch: Watch,
) -> None:
    """Sheets of the records' thumbnails; a space of captions shows the pictures beside them."""
    pictures = content(Record.objects.filter(dataset=dataset), Space.IMAGE)
    names = {
        row: thumbnail_name(dataset.pk, sha256)
        for row, sha256 in watch.over(pictures.values_list("row", "sha256").iterator(5000))
        if sha256
    }
    rows = points.rows.tolist()
    pictured = np.array([at for at, row in enumerate(rows) if row in names], np.int64)

    def load(at: int) -> bytes | None:
        try:
            with default_storage.open(names[rows[pictured[at]]]) as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None

    sheets.write_sheets(
        folder,
        points.coordinates[pictured],
        rank[pictured],
        written.ordinals[pictured],
        written.frame,
        load,
        progress=lambda _, done, total: part_of(watch.report, *WRITING["thumbnails"])(done, total),
        cancelled=lambda: watch.stopped,
    )


def _topic_columns(found: topics.Topics) -> dict[str, tiles.Column]:
    names = ("Topic", "Topic, finer", "Topic, finest")
    return {
        f"topic-{level}": tiles.Column.topics(name, ids)
        for level, (name, ids) in enumerate(zip(names, found.ids, strict=False))
    }


def _frame_of(version: MapVersion) -> tiles.Frame:
    """Of the first version of a map: the browser's world must not move under the points."""
    return tiles.Frame(**json.loads((version.folder / "manifest.json").read_text())["frame"])
