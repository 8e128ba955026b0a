"""The verb `remove_records`: records leave their dataset at once; a worker then clears their files.

Row numbers are never given out again, so an empty row stays where a record was (`RemovedRecord`).
"""

import time
from uuid import UUID

import numpy as np
from django.core.files.storage import default_storage
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.http import Http404
from numpy.typing import NDArray
from psycopg.errors import DeadlockDetected, LockNotAvailable

from atlas.datasets.activity import record_event, records
from atlas.datasets.filters import Mask
from atlas.datasets.imports import OPEN
from atlas.datasets.models import (
    Dataset,
    Import,
    ImportState,
    Record,
    RemovedRecord,
    original_name,
    thumbnail_name,
)
from atlas.datasets.queue import send_on_commit
from atlas.datasets.signals import records_removed
from atlas.datasets.vectors import forget_vectors
from atlas.teams.asker import Asker

#: Records whose files are deleted in one transaction: who imports or removes others waits for its end, and
#: each file in S3 takes as long as a request.
LOT = 20
#: A worker clears for so long; then others may have it, until the beat sends this again.
TURN_SECONDS = 10.0
#: How long the removal waits for others who hold the dataset, such as whoever copies its vectors to a file.
LOCK_SECONDS = 10

_TAKE = """WITH taken AS (
 DELETE FROM datasets_record WHERE dataset_id = %(dataset)s AND row = ANY(%(rows)s) RETURNING row, sha256
) INSERT INTO datasets_removedrecord (dataset_id, row, sha256, cleared)
 SELECT %(dataset)s, row, sha256, false FROM taken RETURNING row"""
#: What was said of them: tags, and lines of import reports. The first rows of an import are also in its
#: description, pictures and all.
_FORGET = (
    """DELETE FROM datasets_taggedrecord WHERE row = ANY(%(rows)s)
 AND tag_id IN (SELECT id FROM datasets_tag WHERE dataset_id = %(dataset)s)""",
    """DELETE FROM datasets_skippeditem WHERE row = ANY(%(rows)s)
 AND job_id IN (SELECT id FROM datasets_import WHERE dataset_id = %(dataset)s)""",
    """UPDATE datasets_import SET description = jsonb_set(description, '{head}', '[]')
 WHERE dataset_id = %(dataset)s AND imported > 0 AND description ? 'head'""",
)


class RemovalRefusedError(Exception):
    """The records cannot be removed now; one sentence for who wants to."""


def remove_records(dataset_id: UUID, mask: Mask, by: Asker, expected: int | None = None) -> int:
    """Remove the records of the rows of the mask; returns how many there were. Raises RemovalRefusedError,
    also where it is not the expected number, and Http404."""
    try:
        with transaction.atomic():
            return _remove(dataset_id, np.flatnonzero(mask).tolist(), by, expected)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            raise RemovalRefusedError("Something else is changing this dataset. Try again soon.") from None
        raise


def hold_records(dataset_id: UUID) -> None:
    """Until the transaction ends no record of the dataset is removed: one that is found after this call is
    there when what is written about it is committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM datasets_dataset WHERE id = %s FOR KEY SHARE", [dataset_id])


def clear_removed(dataset_id: UUID) -> None:
    """Delete the pictures and own vectors of some removed records. May be run again."""
    ends = time.monotonic() + TURN_SECONDS
    while _clear_some(dataset_id) and time.monotonic() < ends:
        pass


def requeue_removals() -> None:
    waiting = RemovedRecord.objects.filter(cleared=False, dataset__deleting=False)
    for pk in waiting.values_list("dataset", flat=True).distinct():
        send_on_commit("clear_removed", pk)


def _remove(dataset_id: UUID, rows: list[int], by: Asker, expected: int | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        # Not `no_key`: who tags, comments or stores vectors holds the key, see `hold_records`.
        dataset = Dataset.objects.select_for_update().filter(pk=dataset_id, deleting=False).first()
        if dataset is None:
            raise Http404("There is no such dataset.")
        if dataset.imports.filter(state__in=OPEN).exists():
            raise RemovalRefusedError(
                "An import into this dataset is not over. Wait for it, or cancel it; then remove the records."
            )
        cursor.execute(_TAKE, {"dataset": dataset.pk, "rows": rows})
        taken = np.array([row for (row,) in cursor.fetchall()], np.int64)
        if expected is not None and expected != len(taken):
            raise RemovalRefusedError(
                f"This finds {len(taken):,} records now, not {expected:,}: select them again."
            )
        if not len(taken):
            return 0
        for statement in _FORGET:
            cursor.execute(statement, {"dataset": dataset.pk, "rows": taken.tolist()})
    Dataset.objects.filter(pk=dataset.pk).update(removed_count=F("removed_count") + len(taken))
    dataset.refresh_from_db(fields=["removed_count"])
    record_event(dataset, "removed", by, f"removed {records(len(taken))}")
    send_on_commit("clear_removed", dataset.pk)
    records_removed.send(sender=Dataset, dataset=dataset, rows=taken)
    return len(taken)


@transaction.atomic
def _clear_some(dataset_id: UUID) -> bool:
    """Whether there may be more to do; where there is, the beat sends this again."""
    # An import that begins waits for this lock before it looks which pictures are stored already. Who finds
    # it taken leaves: the beat sends this while another worker is at it, too.
    datasets = Dataset.objects.select_for_update(no_key=True, skip_locked=True)
    dataset = datasets.filter(pk=dataset_id, deleting=False).first()
    if dataset is None or Import.objects.filter(dataset=dataset, state=ImportState.RUNNING).exists():
        return False
    removed = RemovedRecord.objects.filter(dataset=dataset, cleared=False).order_by("row")[:LOT]
    pictures = dict(removed.values_list("row", "sha256"))
    _delete_files(dataset, {sha256 for sha256 in pictures.values() if sha256})
    rows: NDArray[np.int64] = np.array(list(pictures), np.int64)
    forget_vectors(dataset, rows)
    RemovedRecord.objects.filter(dataset=dataset, row__in=pictures).update(sha256=None, cleared=True)
    return len(pictures) == LOT


def _delete_files(dataset: Dataset, hashes: set[str]) -> None:
    """Of pictures that no record shows any more."""
    shown = Record.objects.filter(dataset=dataset, sha256__in=hashes).values_list("sha256", flat=True)
    for sha256 in hashes.difference(shown):
        default_storage.delete(original_name(dataset.pk, sha256))
        default_storage.delete(thumbnail_name(dataset.pk, sha256))
