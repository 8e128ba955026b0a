"""The verb `run_import`: from uploaded files to records.

Pictures are decoded, hashed and stored by threads that run ahead; records go in by COPY, some hundred in one
transaction together with the report and the place reached (`Import.read`). Row numbers are given out in that
transaction under the dataset's lock. So a killed worker repeats one batch: its files are there already under
the same names, since the names are the hash of their content, and its rows never were.
"""

import json
import os
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Count, Min
from django.db.models.functions import Now
from django.utils import timezone

from atlas.cores import cores
from atlas.datasets import images
from atlas.datasets.activity import record_event, records
from atlas.datasets.claims import announce_records, claim_import, leaves_a_worker, lock, working_on
from atlas.datasets.columns import merge_columns, turned, turning_columns
from atlas.datasets.events import publish_import
from atlas.datasets.known import KnownPictures, without_duplicates, without_known_ids
from atlas.datasets.models import (
    Dataset,
    Import,
    ImportState,
    SkippedItem,
    original_name,
    thumbnail_name,
)
from atlas.datasets.reading import limits, open_import
from atlas.datasets.report import NOTE
from atlas.datasets.stored import Stored, text_columns, values_of
from atlas.datasets.uploads import remove_upload
from atlas.datasets.vectors import keep_vectors, remove_vectors
from embeddings.readers import DatasetError, Description, ReadError, Reason, Row, Skipped

BATCH_ITEMS = 500
#: With large pictures a batch ends earlier: the page wants to see something move.
BATCH_SECONDS = 0.8
#: Items read ahead of the batch. Only those that a thread works on hold their bytes.
ITEMS_AHEAD = 64
THREADS = min(4, cores())

_COPY = """COPY datasets_record (dataset_id, row, key, source, caption, captions, "values",
 sha256, width, height, format, size) FROM STDIN"""

_TURNED_AT_ONCE = 10_000
#: As `as_text` does it.
_TO_TEXT = """UPDATE datasets_record SET "values" = jsonb_set("values", ARRAY[%(name)s], to_jsonb(
 CASE jsonb_typeof("values" -> %(name)s) WHEN 'array' THEN coalesce((
  SELECT string_agg(item, ', ' ORDER BY place)
  FROM jsonb_array_elements_text("values" -> %(name)s) WITH ORDINALITY AS items (item, place)
 ), '') ELSE "values" ->> %(name)s END))
 WHERE dataset_id = %(dataset)s AND row >= %(first)s AND row < %(end)s AND "values" ? %(name)s"""


def run_import(import_id: UUID) -> None:
    """Read everything that was not read yet. Returns at once if another worker is at it, or it has to wait
    for another large import: the beat sends it again."""
    if not leaves_a_worker(import_id):
        return
    job = claim_import(import_id, (ImportState.QUEUED, ImportState.RUNNING), ImportState.RUNNING)
    if job is None:
        return
    with working_on(job), open_import(job) as source:
        first_row = prepare_dataset(job, source.describe())
        turn_to_text(job)
        known = KnownPictures(job.dataset_id, first_row)
        notes: list[Skipped] = []
        new = without_known_ids(job.dataset_id, islice(_without_notes(source, notes), job.read, None))
        with closing(store_pictures(job.dataset_id, new)) as items:
            for batch, seconds in batches(items):
                if any(isinstance(item, Stored) and item.sha256 for item in batch):
                    os.sync()  # once for all: a power cut leaves no record whose picture is lost
                job = import_batch(job, batch, seconds, known)
        finish(job, notes)


@transaction.atomic
def prepare_dataset(job: Import, description: Description) -> int:
    """Bring the dataset's columns and kind of vectors in line with what comes; how many records there were
    before any of this import. Raises DatasetError."""
    now, dataset = lock(job)
    if not dataset.record_count and not _others_run(now):
        # What an import that brought nothing said of them binds nobody, nor do records that were removed.
        dataset.columns, dataset.vector_size = [], None
        remove_vectors(dataset.pk)
    if description.dimensions is not None:
        _agree_on_vectors(dataset, description.dimensions)
    dataset.columns = merge_columns(
        dataset.columns, [{"name": each.name, "type": each.type} for each in description.columns]
    )
    dataset.save(update_fields=["columns", "vector_size"])
    if now.first_row is None:
        now.first_row = dataset.row_count
    if description.rows is not None:
        now.total = description.rows + sum(each.reason is not Reason.NOTE for each in description.skipped)
    now.save(update_fields=["total", "first_row"])
    transaction.on_commit(lambda: publish_import(now))
    return now.first_row


def turn_to_text(job: Import) -> None:
    """Make strings of the values of columns that became text, some thousand records in one transaction. What
    an import that was stopped has left the next one turns. Raises LostClaimError.
    """
    names = turning_columns(Dataset.objects.get(pk=job.dataset_id).columns)
    start = 0
    while names:
        with transaction.atomic():
            _, dataset = lock(job)
            if start >= dataset.row_count:
                dataset.columns = turned(dataset.columns, names)
                dataset.save(update_fields=["columns"])
                return
            with connection.cursor() as cursor:
                end = start + _TURNED_AT_ONCE
                for name in names:
                    cursor.execute(
                        _TO_TEXT, {"name": name, "dataset": dataset.pk, "first": start, "end": end}
                    )
        start += _TURNED_AT_ONCE


def store_pictures(
    dataset_id: UUID, items: Iterable[Row | Skipped]
) -> Generator[Stored | Skipped, None, None]:
    """The items in their order, pictures stored; a row whose picture cannot be read is skipped."""
    ahead: deque[Stored | Skipped | Future[Stored | Skipped]] = deque()
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="pictures")
    try:
        for item in items:
            if isinstance(item, Skipped):
                ahead.append(item)
            elif item.picture is None:
                ahead.append(Stored(item))
            else:
                ahead.append(pool.submit(_store_picture, dataset_id, item))
            if len(ahead) >= ITEMS_AHEAD:
                yield _arrived(ahead.popleft())
        while ahead:
            yield _arrived(ahead.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def batches(items: Iterable[Stored | Skipped]) -> Iterator[tuple[list[Stored | Skipped], float]]:
    """Batches, and the seconds it took until each was full."""
    batch: list[Stored | Skipped] = []
    began = time.monotonic()
    for item in items:
        batch.append(item)
        seconds = time.monotonic() - began
        if len(batch) >= BATCH_ITEMS or seconds >= BATCH_SECONDS:
            yield batch, seconds
            batch, began = [], time.monotonic()
    if batch:
        yield batch, time.monotonic() - began


@transaction.atomic
def import_batch(job: Import, batch: list[Stored | Skipped], seconds: float, known: KnownPictures) -> Import:
    """Records, report and progress in one transaction; the import as it is then. Raises LostClaimError."""
    now, dataset = lock(job)
    stored, skipped = without_duplicates(dataset, batch, known)
    first = dataset.row_count
    copy_records(dataset, stored)
    notes = [
        SkippedItem(job=now, row=number, source=each.row.source, reason=NOTE, detail=note)
        for number, each in enumerate(stored, first)
        for note in each.row.notes
    ]
    SkippedItem.objects.bulk_create(_lines(now, skipped) + notes)
    now.read += len(batch)
    now.imported += len(stored)
    now.skipped += len(skipped)
    now.rate = _smoothed(now.rate, len(batch) / max(seconds, 0.001))
    now.deaths, now.heartbeat_at = 0, Now()
    now.save(update_fields=["read", "imported", "skipped", "rate", "deaths", "heartbeat_at"])
    transaction.on_commit(lambda: publish_import(now))
    return now


def copy_records(dataset: Dataset, stored: list[Stored]) -> None:
    """Append records; `dataset` is locked by the caller, and its row count moves on."""
    if not stored:
        return
    if dataset.vector_size is not None:
        keep_vectors(dataset, dataset.row_count, [each.row.vector for each in stored])
    texts = text_columns(dataset)
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(_COPY) as copy:
        for number, each in enumerate(stored, dataset.row_count):
            copy.write_row(_fields(dataset, number, each, texts))
    dataset.row_count += len(stored)
    dataset.save(update_fields=["row_count"])


def finish(job: Import, notes: Iterable[Skipped]) -> None:
    """Announce the new records, then call it done: a worker killed in between announces them twice."""
    if not job.imported and not _is_all_here(job):
        raise DatasetError(_nothing_imported(job))
    announce_records(job)
    with transaction.atomic():
        now, dataset = lock(job)
        SkippedItem.objects.bulk_create(_lines(now, notes))
        _tell_activity(now, dataset)
        now.state, now.claim, now.finished_at, now.total = ImportState.DONE, None, timezone.now(), now.read
        now.save(update_fields=["state", "claim", "finished_at", "total"])
        transaction.on_commit(lambda: publish_import(now))
    for upload in now.uploads.all():
        remove_upload(upload)


def _without_notes(items: Iterable[Row | Skipped], notes: list[Skipped]) -> Iterator[Row | Skipped]:
    """What counts as read; the remarks on many records are gathered in `notes`."""
    for item in items:
        if isinstance(item, Skipped) and item.reason is Reason.NOTE:
            notes.append(item)
        else:
            yield item


def _lines(job: Import, items: Iterable[Skipped]) -> list[SkippedItem]:
    return [
        SkippedItem(job=job, source=each.source, reason=each.reason, detail=each.detail) for each in items
    ]


def _tell_activity(job: Import, dataset: Dataset) -> None:
    """Of the first import it was told already: the dataset was made of it."""
    if job.imported and dataset.imports.filter(created_at__lt=job.created_at).exists():
        text = f"added {records(job.imported)} from {job.file_names}"
        record_event(dataset, "uploaded", job.created_by, text)


def _is_all_here(job: Import) -> bool:
    """Whether the dataset had every picture with its words before. Ids tell less: they may be of a wrong
    column, which can be corrected."""
    reasons = set(job.skipped_items.values_list("reason", flat=True)) - {NOTE}
    return reasons == {Reason.ALREADY_HERE}


def _nothing_imported(job: Import) -> str:
    """What went wrong most often, and what to do about it."""
    skipped = SkippedItem.objects.filter(job=job).exclude(reason=NOTE)
    reasons = skipped.values("reason").annotate(count=Count("id"), example=Min("detail")).order_by("-count")
    first = reasons.first()
    if first is None:
        return "Nothing could be imported: there is no record in these files."
    if not skipped.exclude(reason__in=(Reason.ALREADY_HERE, Reason.DUPLICATE_ID)).exists():
        return "Nothing was added: the dataset has all records of these files already."
    how_often = "each" if first["count"] == job.skipped else f"{first['count']:,} of {job.skipped:,}"
    return (
        f"Nothing could be imported. What was wrong with {how_often}: {first['example']} "
        "The report names every item. Mend the files and upload them again."
    )


def _others_run(job: Import) -> bool:
    running = Import.objects.filter(dataset=job.dataset_id, state=ImportState.RUNNING)
    return running.exclude(pk=job.pk).exists()


def _agree_on_vectors(dataset: Dataset, dimensions: int) -> None:
    if dataset.vector_size is None and dataset.record_count:
        raise DatasetError(
            "These records bring vectors of their own, but the dataset's others have none. "
            "Upload them as a dataset of their own, or say that there is no vector column."
        )
    if dataset.vector_size is None:
        remove_vectors(dataset.pk)  # lines of an import that was stopped before its first batch
        dataset.vector_size = dimensions
    if dataset.vector_size != dimensions:
        raise DatasetError(
            f"The vectors have {dimensions:,} numbers; those of this dataset have {dataset.vector_size:,}."
        )


def _arrived(item: Stored | Skipped | Future[Stored | Skipped]) -> Stored | Skipped:
    return item.result() if isinstance(item, Future) else item


def _store_picture(dataset_id: UUID, row: Row) -> Stored | Skipped:
    assert row.picture is not None
    try:
        data = row.picture.read()
        prepared = images.prepare(data, limits().pixels)
    except ReadError as error:
        return error.at(row.source)
    with _LOCKS[int(prepared.sha256[:2], 16) % len(_LOCKS)]:
        _put(original_name(dataset_id, prepared.sha256), data)
        _put(thumbnail_name(dataset_id, prepared.sha256), prepared.thumbnail)
    return Stored(row, prepared.sha256, prepared.width, prepared.height, prepared.format, len(data))


#: Two threads never write the same picture at the same time.
_LOCKS = [threading.Lock() for _ in range(64)]


def _put(name: str, data: bytes) -> None:
    """Store bytes under the name that follows from them. What a killed worker left unfinished is replaced."""
    if default_storage.exists(name):
        if default_storage.size(name) == len(data):
            return
        default_storage.delete(name)
    default_storage.save(name, ContentFile(data))


def _fields(dataset: Dataset, number: int, each: Stored, texts: set[str]) -> tuple[object, ...]:
    row = each.row
    values = values_of(row, texts)
    return (
        dataset.pk, number, row.id, row.source, row.captions[0] if row.captions else "",
        json.dumps(row.captions), json.dumps(values, allow_nan=False),
        each.sha256, each.width, each.height, each.format, each.size,
    )  # fmt: skip


def _smoothed(old: float | None, new: float) -> float:
    return new if old is None else 0.7 * old + 0.3 * new
