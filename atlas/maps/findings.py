"""What a build finds in the vectors besides places and topics: the columns of `computed.py`, by row.

Pictures that were saved again come with the projection of the pictures, from its graph of neighbours;
captions of the same words with that of the captions, where there are no pictures, or the same vectors where
vectors came with the records; agreement with that of both.
"""

from hashlib import blake2b

import numpy as np
from django.db.models import F
from numpy.typing import NDArray

from atlas.datasets.models import Record
from atlas.datasets.vectors import given_vectors
from atlas.maps import vectors
from atlas.maps.agreement import agreement
from atlas.maps.computed import Values, by_row, load_computed, save_computed
from atlas.maps.duplicates import NO_PAIRS, Pairs, distinct, groups, same_pictures
from atlas.maps.kept import save_pairs
from atlas.maps.models import Build, Space, Stage
from atlas.maps.pictures import Thumbnails
from atlas.maps.publish import scratch_folder
from atlas.maps.steps import Watch
from atlas.maps.work import Progress, Report

Rows = NDArray[np.uint32]

#: Vectors that are compared at a time.
BLOCK = 4096


def found_by(build: Build) -> dict[str, Values]:
    """By name, the columns that the projections of all its spaces left. Every map shows them."""
    return {
        name: values
        for space in _spaces(build)
        for name, values in load_computed(scratch_folder(build.pk, space)).items()
    }


def find_same_pictures(
    build: Build, rows: Rows, near: Pairs, known: Pairs, watch: Watch, report: Report
) -> None:
    """`rows` have a vector, not all of them a picture: vectors may have come with the records. `near`: pairs
    to be looked at; `known`: pairs found by earlier builds."""
    same = same_pictures(near, Thumbnails.of(build.dataset, watch).load, report)
    pairs = distinct(np.concatenate([known, same]))
    save_pairs(scratch_folder(build.pk, Space.IMAGE), pairs)
    stored = Record.objects.filter(dataset=build.dataset_id, sha256__isnull=False, row__lt=build.row_count)
    pixels = F("width") * F("height")
    facts = {
        row: tell for row, *tell in watch.over(stored.values_list("row", "sha256", pixels).iterator(5000))
    }
    rows = rows[np.isin(rows, list(facts))]
    originals = [str(facts[row][0]) for row in rows.tolist()]
    sizes = np.array([facts[row][1] for row in rows.tolist()], np.int64)
    _keep_groups(build, Space.IMAGE, rows, *groups(rows, pairs, originals, sizes))


def find_same_captions(build: Build, watch: Watch) -> None:
    """Captions of the same words, in any case; nothing where records have pictures to be told apart by."""
    if Space.IMAGE in _spaces(build):
        return
    stored = Record.objects.filter(dataset=build.dataset_id, row__lt=build.row_count).exclude(caption="")
    captions = dict(watch.over(stored.order_by("row").values_list("row", "caption").iterator(5000)))
    rows = np.array(list(captions), np.uint32)
    words = [" ".join(caption.casefold().split()) for caption in captions.values()]
    _keep_groups(build, Space.CAPTION, rows, *groups(rows, NO_PAIRS, words, np.zeros(len(rows), np.int64)))


def find_same_vectors(build: Build, rows: Rows, watch: Watch) -> None:
    """Records without pictures that brought the very same vector.

    Their words do not tell: they may be the names of classes. Nor does a small distance: between vectors of
    two numbers it is small everywhere, and what it means is known for our own towers alone.
    """
    blocks = [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
    same = [
        blake2b(vector.tobytes(), digest_size=16).hexdigest()
        for block in watch.over(blocks)
        for vector in given_vectors(build.dataset, block)
    ]
    _keep_groups(build, Space.CAPTION, rows, *groups(rows, NO_PAIRS, same, np.zeros(len(rows), np.int64)))


def find_agreement(build: Build, watch: Watch, progress: Progress) -> None:
    pictures, captions = (
        vectors.open_matrix(build.dataset_id, space, build.row_count, watch.check)
        for space in (Space.IMAGE, Space.CAPTION)
    )
    rows = np.intersect1d(pictures.rows, captions.rows, assume_unique=True)
    found = agreement(
        pictures.vectors[rows], captions.vectors[rows], progress=progress, cancelled=lambda: watch.stopped
    )
    if found is not None:
        column = by_row(build.row_count, rows, found)
        save_computed(scratch_folder(build.pk, Space.JOINT), {"agreement": column})


def _keep_groups(
    build: Build, space: Space, rows: Rows, original: NDArray[np.int64], alike: NDArray[np.int64]
) -> None:
    columns = {
        "duplicate_of": by_row(build.row_count, rows, original),
        "alike": by_row(build.row_count, rows, alike),
    }
    save_computed(scratch_folder(build.pk, space), columns)


def _spaces(build: Build) -> list[Space]:
    return [Space(name) for name in build.steps.filter(stage=Stage.PROJECT).values_list("space", flat=True)]
