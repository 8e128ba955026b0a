"""The verb of the embedding steps: vectors for a shard of rows, stored batch by batch.

Each batch is one transaction under the step's claim, and rows that have a vector already are skipped: a
killed worker costs one batch, and no row ever has two vectors.
"""

from contextlib import suppress

import numpy as np
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from numpy.typing import NDArray

from atlas.datasets.models import Dataset, Record
from atlas.datasets.remove import hold_records
from atlas.datasets.report import report_not_embedded
from atlas.datasets.vectors import given_vectors
from atlas.maps import towers, vectors
from atlas.maps.build import COPIED_SHARD_ROWS, BuildError, content
from atlas.maps.hnsw import drop_index
from atlas.maps.models import Build, Space, Step, VectorSet
from atlas.maps.steps import Watch, hold

#: Rows between two commits: some seconds of the largest tower on one core.
BATCH_ROWS = {Space.IMAGE: 16, Space.CAPTION: 128}
#: The same of pictures on a GPU: 12,600 tokens, enough for any to be busy. More originals at once would fill
#: the memory of a machine with several workers. Reckoned: only a CPU was there to measure on.
GPU_PICTURES = 64

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]


def embed_shard(step: Step, watch: Watch) -> None:
    dataset, space = step.build.dataset, Space(step.space)
    _use_one_maker(step, space)
    size = _batch_rows(dataset, space)
    rows = _rows_without_vector(dataset, space, step)
    if len(rows):
        drop_index(VectorSet.objects.get(dataset=dataset, space=space))
    done = max(0, step.total - len(rows))
    for start in range(0, len(rows), size):
        watch.report(done + start, step.total)
        found, new, unreadable = _embed(dataset, space, rows[start : start + size], watch)
        with transaction.atomic():
            hold(step)
            found, new, unreadable = _still_there(dataset, found, new, unreadable)
            if len(found) and _are_in_older_builds(step.build, int(found.min())):
                VectorSet.objects.filter(dataset=dataset, space=space).update(generation=F("generation") + 1)
            vectors.store(dataset.pk, space, found, new)
            report_not_embedded(dataset, unreadable)


def _batch_rows(dataset: Dataset, space: Space) -> int:
    if dataset.vector_size:
        return COPIED_SHARD_ROWS
    on_gpu = space == Space.IMAGE and towers.on_gpu(dataset.model)
    return GPU_PICTURES if on_gpu else BATCH_ROWS[space]


def _use_one_maker(step: Step, space: Space) -> None:
    """Note who makes the vectors of a space. Where all are made anew, those of someone else before go.

    Raises BuildError where the old ones are to stay: vectors of two makers cannot be compared.
    """
    build = step.build
    maker = towers.maker(build.dataset)
    with transaction.atomic():
        hold(step)
        # Two shards may begin at once: whoever comes second finds the first one's.
        VectorSet.objects.bulk_create(
            [VectorSet(dataset=build.dataset, space=space, **maker)], ignore_conflicts=True
        )
        made_by = VectorSet.objects.select_for_update().get(dataset=build.dataset, space=space)
        if all(getattr(made_by, name) == value for name, value in maker.items()):
            return
        if build.append and len(vectors.stored_rows(build.dataset_id, space, 0, build.row_count)):
            raise BuildError("The vectors of this dataset were made by other weights: build its maps anew.")
        drop_index(made_by)
        vectors.forget(build.dataset_id, space)
        VectorSet.objects.filter(pk=made_by.pk).update(**maker)


def _are_in_older_builds(build: Build, row: int) -> bool:
    """Whether a matrix may have been made of rows up to and with this one, when it had no vector."""
    others = Build.objects.filter(dataset=build.dataset_id, row_count__gt=row).exclude(pk=build.pk)
    return others.exists()


def _rows_without_vector(dataset: Dataset, space: Space, step: Step) -> Rows:
    assert step.start is not None
    assert step.stop is not None
    records = Record.objects.filter(dataset=dataset, row__gte=step.start, row__lt=step.stop)
    if not dataset.vector_size:
        records = content(records, space)
    rows = np.array(records.order_by("row").values_list("row", flat=True), np.int64)
    return np.setdiff1d(rows, vectors.stored_rows(dataset.pk, space, step.start, step.stop))


def _embed(dataset: Dataset, space: Space, rows: Rows, watch: Watch) -> tuple[Rows, Vectors, dict[int, str]]:
    """The rows that have a vector, and these; by row, why a picture has none."""
    if dataset.vector_size:
        return *_copied(dataset, rows), {}
    if space == Space.CAPTION:
        captions = _captions(dataset, rows)
        texts = towers.embed_captions(dataset.model, list(captions.values()), watch.check)
        return np.array(list(captions), np.int64), texts, {}
    pictures = _pictures(dataset, rows)
    readable = np.array([row for row in rows.tolist() if row in pictures], np.int64)
    found, new, errors = towers.embed_pictures(
        dataset.model, [pictures[row] for row in readable.tolist()], watch.check
    )
    gone = dict.fromkeys(set(rows.tolist()) - pictures.keys(), "The stored file of the picture is gone.")
    damaged = {int(readable[place]): _sentence(reason) for place, reason in errors.items()}
    return readable[found], new, gone | damaged


def _still_there(
    dataset: Dataset, rows: Rows, new: Vectors, unreadable: dict[int, str]
) -> tuple[Rows, Vectors, dict[int, str]]:
    """Inside a transaction: without what was removed while it was embedded."""
    hold_records(dataset.pk)
    wanted = [*rows.tolist(), *unreadable]
    there = set(Record.objects.filter(dataset=dataset, row__in=wanted).values_list("row", flat=True))
    kept = np.isin(rows, list(there))
    return rows[kept], new[kept], {row: why for row, why in unreadable.items() if row in there}


def _sentence(reason: str) -> str:
    return f"It cannot be embedded: {reason.rstrip('.')}."


def _copied(dataset: Dataset, rows: Rows) -> tuple[Rows, Vectors]:
    """Vectors that came with the records; a line of zeros is none."""
    given = given_vectors(dataset, rows)
    there = given.any(axis=1)
    return rows[there], given[there]


def _captions(dataset: Dataset, rows: Rows) -> dict[int, str]:
    records = Record.objects.filter(dataset=dataset, row__in=rows.tolist())
    return dict(records.order_by("row").values_list("row", "caption"))


def _pictures(dataset: Dataset, rows: Rows) -> dict[int, bytes]:
    """The originals by row; those whose file is gone are left out.

    A thumbnail would be quicker to read, but it has been through one more resampling and a lossy format: its
    vector differs from the one that the published tower gives for the picture itself.
    """
    pictures = {}
    records = Record.objects.filter(dataset=dataset, row__in=rows.tolist())
    for record in records.order_by("row").only("dataset", "row", "sha256"):
        assert record.original is not None
        with suppress(FileNotFoundError), default_storage.open(record.original) as file:
            pictures[record.row] = file.read()
    return pictures
