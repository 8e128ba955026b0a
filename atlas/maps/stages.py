"""What the steps after the embedding find out: places, copies, agreement, topics. Each may be run again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from django.db import transaction
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from atlas.datasets.models import Dataset, Record
from atlas.maps import findings, projection, topics, towers, vectors
from atlas.maps.columns import columns_of
from atlas.maps.duplicates import NO_PAIRS, Pairs, near_pairs
from atlas.maps.kept import NOBODY, Points, load_pairs, load_topics, save_topics
from atlas.maps.models import Build, Space, Step
from atlas.maps.names import Vocabulary
from atlas.maps.neighbours import K
from atlas.maps.publish import scratch_folder
from atlas.maps.renaming import renamed
from atlas.maps.shown import shown_version
from atlas.maps.steps import Watch, hold
from atlas.maps.topic import Topic, Topics
from atlas.maps.work import Progress, part_of

#: Things that pictures show, a word a line.
VOCABULARY = Path(__file__).with_name("vocabulary.txt")
#: Of each point so many neighbours are kept: as many as the layout goes by.
OTHERS = K - 1
#: (first, share): where the parts of a stage lie on a bar of 100, by the time they take.
PROJECTION = {
    "neighbours": (0, 60), "layout": (60, 30), "trust": (90, 5), "duplicates": (95, 5), "agreement": (95, 5)
}  # fmt: skip


def project(step: Step, watch: Watch) -> None:
    """Lay the space out on a plane, or place what is new on the map that is shown now; then find what can be
    computed from its vectors."""
    build, space = step.build, Space(step.space)
    with transaction.atomic():
        hold(step)
        vectors.settle(build.dataset_id, [Space.IMAGE, Space.CAPTION] if space == Space.JOINT else [space])
    rows, unit = vectors_of(build, space, watch)
    shown = shown_version(build, space, rows)
    if shown is None:
        points, near = _laid_out(rows, unit, watch)
        known = NO_PAIRS
    else:
        points, near = _placed(rows, unit, Points.load(shown.folder).among(rows), watch)
        known = load_pairs(shown.folder)
        known = known[np.isin(known, rows).all(axis=1)]
    points.save(scratch_folder(build.pk, space))
    if space == Space.IMAGE:
        report = part_of(watch.report, *PROJECTION["duplicates"])
        findings.find_same_pictures(build, rows, near, known, watch, report)
    elif build.dataset.vector_size:
        findings.find_same_vectors(build, rows, watch)
    elif space == Space.CAPTION:
        findings.find_same_captions(build, watch)
    else:
        findings.find_agreement(build, watch, _reporting(watch))


def _reporting(watch: Watch) -> Progress:
    return lambda part, done, total: part_of(watch.report, *PROJECTION[part])(done, total)


def vectors_of(build: Build, space: Space, watch: Watch) -> tuple[NDArray[np.uint32], projection.Vectors]:
    """The rows that a map of this space shows, ascending, and their vectors in this order."""
    if space != Space.JOINT:
        matrix = vectors.open_matrix(build.dataset_id, space, build.row_count, watch.check)
        everything = len(matrix.rows) == len(matrix.vectors)
        return matrix.rows, matrix.vectors if everything else matrix.vectors[matrix.rows]
    pictures = vectors.open_matrix(build.dataset_id, Space.IMAGE, build.row_count, watch.check)
    captions = vectors.open_matrix(build.dataset_id, Space.CAPTION, build.row_count, watch.check)
    rows = np.union1d(pictures.rows, captions.rows)
    joint = projection.joint(
        pictures.vectors,
        captions.vectors,
        pictures.present,
        captions.present,
        watch.check,
        rows=rows.astype(np.intp),
    )
    return rows, joint


def _laid_out(rows: NDArray[np.uint32], unit: projection.Vectors, watch: Watch) -> tuple[Points, Pairs]:
    fresh = projection.project(unit, progress=_reporting(watch), cancelled=lambda: watch.stopped)
    near = near_pairs(rows, rows, fresh.neighbours, fresh.distances)
    lists = _best_of(rows[fresh.neighbours[:, 1:]], fresh.distances[:, 1:])
    return Points(rows, fresh.coordinates, fresh.trust, np.zeros(len(rows), bool), *lists), near


def _placed(
    rows: NDArray[np.uint32], unit: projection.Vectors, old: Points, watch: Watch
) -> tuple[Points, Pairs]:
    """Old points with the coordinates they have, new ones among them; the pairs are those with a new one."""
    is_old = np.isin(rows, old.rows, assume_unique=True)
    coordinates = np.empty((len(rows), 2), np.float32)
    trust = np.empty(len(rows), np.float32)
    placed = np.ones(len(rows), bool)
    coordinates[is_old], trust[is_old], placed[is_old] = old.coordinates, old.trust, old.placed
    nearest, distances = _nobody(len(rows))
    nearest[is_old], distances[is_old] = _best_of(old.nearest, old.distances)
    near = NO_PAIRS
    if not is_old.all():
        placement = projection.place(
            unit[~is_old],
            unit,
            old.coordinates,
            old_rows=np.flatnonzero(is_old),
            progress=_reporting(watch),
            cancelled=lambda: watch.stopped,
        )
        coordinates[~is_old], trust[~is_old] = placement.coordinates, placement.trust
        to_old = near_pairs(rows[~is_old], rows[is_old], placement.neighbours, placement.distances)
        among = projection.nearest(unit[~is_old], cancelled=lambda: watch.stopped)
        to_new = near_pairs(rows[~is_old], rows[~is_old], among.indices, among.distances)
        near = np.concatenate([to_old, to_new])
        others = np.hstack([rows[is_old][placement.neighbours], rows[~is_old][among.indices[:, 1:]]])
        away = np.hstack([placement.distances, among.distances[:, 1:]])
        nearest[~is_old], distances[~is_old] = _best_of(others, away)
        met, theirs = np.flatnonzero(is_old)[placement.neighbours], rows[~is_old]
        _meet(nearest, distances, met, theirs, placement.distances)
    return Points(rows, coordinates, trust, placed, nearest, distances), near


def _meet(
    nearest: NDArray[np.uint32],
    distances: NDArray[np.float32],
    met: NDArray[np.intp],
    theirs: NDArray[np.uint32],
    away: NDArray[np.float32],
) -> None:
    """Who is not alone any more: the points at the places `met` (m, k) get those (m,) that have them among
    their own neighbours, at the distances `away` (m, k), into their lists."""
    known = nearest[met, 0] != NOBODY  # an older Atlas kept no lists: newcomers are not the nearest there
    others, away = np.broadcast_to(theirs[:, None], met.shape)[known], away[known]
    places, place = np.unique(met[known], return_inverse=True)
    order = np.lexsort((away, place))
    count = np.bincount(place)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    order, rank = order[rank < OTHERS], rank[rank < OTHERS]
    newer, apart = _nobody(len(places))
    newer[place[order], rank], apart[place[order], rank] = others[order], away[order]
    nearest[places], distances[places] = _best_of(
        np.hstack([nearest[places], newer]), np.hstack([distances[places], apart])
    )


def _best_of(
    others: NDArray[np.uint32], distances: NDArray[np.float32]
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """The OTHERS nearest of these (n, m) to each point, as `Points` has them."""
    best = np.argsort(distances, axis=1, kind="stable")[:, :OTHERS]
    nearest, away = _nobody(len(others))
    nearest[:, : best.shape[1]] = np.take_along_axis(others, best, axis=1)
    away[:, : best.shape[1]] = np.take_along_axis(distances, best, axis=1)
    return nearest, away


def _nobody(count: int) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    return np.full((count, OTHERS), NOBODY, np.uint32), np.full((count, OTHERS), np.inf, np.float32)


def name_topics(step: Step, watch: Watch) -> None:
    """Regions and their names; after an append those of the map that is shown, with new points in them."""
    build, space = step.build, Space(step.space)
    scratch = scratch_folder(build.pk, space)
    points = Points.load(scratch)
    shown = shown_version(build, space, points.rows)
    if shown is None:
        _, unit = vectors_of(build, space, watch)
        captions = _captions(build.dataset, points.rows, watch)
        words = _vocabulary(build.dataset, space, captions, watch)
        own = columns_of(build.dataset, points.rows, part_of(watch.report, 0, 20), ["category"])
        report = part_of(watch.report, 20, 80)
        found = topics.find_topics(points.coordinates, unit, captions, words, report, list(own.values()))
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


def _extended(old: Topics, old_points: Points, points: Points) -> Topics:
    """The same topics over other points: a new one is in the topics of the old point nearest to it. A topic
    of which no point is left goes; the others keep their ids, by which links name them."""
    left = np.isin(old_points.rows, points.rows, assume_unique=True)
    nearest = cKDTree(old_points.coordinates[left]).query(points.coordinates)[1]
    ids = old.ids[:, left][:, nearest]
    known = np.isin(points.rows, old_points.rows, assume_unique=True)
    ids[:, known] = old.ids[:, left]  # of two points at one place each keeps its own
    counts = np.bincount(ids[ids >= 0], minlength=1 + max((topic.id for topic in old.topics), default=-1))
    listed = [
        replace(
            topic,
            count=int(counts[topic.id]),
            row=_representative(topic, int(old_points.rows[topic.row]), points, ids[topic.level]),
        )
        for topic in old.topics
        if counts[topic.id]
    ]
    return Topics(listed, ids)


def _representative(topic: Topic, row: int, points: Points, ids: NDArray[np.int32]) -> int:
    """The place in `points` of the record `row`; where that was removed, of the one nearest to the middle."""
    place = int(np.searchsorted(points.rows, row))
    if place < len(points.rows) and points.rows[place] == row:
        return place
    members = np.flatnonzero(ids == topic.id)
    away = np.linalg.norm(points.coordinates[members] - [topic.x, topic.y], axis=1)
    return int(members[np.argmin(away)])
