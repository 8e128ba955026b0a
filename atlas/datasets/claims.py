"""How a worker holds an import: claimed by one update, kept by a heartbeat, let go in the end.

Signs of life are told and read by the clock of the database: those of two machines are seldom the same.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID, uuid4

from django.conf import settings
from django.db import Error, connection
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now
from django.utils import timezone

from atlas.datasets.events import publish_import
from atlas.datasets.models import Dataset, Import, ImportState
from atlas.datasets.queue import BYTES, priority
from atlas.datasets.signals import records_imported
from atlas.patience import (
    BEAT_SECONDS,
    MAX_DEATHS,
    SILENCE,
    STOPPED_TOO_OFTEN,
    disk_is_full,
    is_away,
    once_the_database_answers,
)
from embeddings.readers import DatasetError

log = logging.getLogger(__name__)

_OUR_FAULT = "Something went wrong on the server. Its log says what; trying again may help."


class LostClaimError(Exception):
    """The import was cancelled, its dataset deleted, or another worker has taken it over."""


def claim_import(import_id: UUID, before: Sequence[ImportState], after: ImportState) -> Import | None:
    """The import, if it waits for this work and nobody alive holds it: then it is the caller's.

    One that ends its worker each time, by what is in its files, has failed instead.
    """
    claim = uuid4()
    free = Q(claim__isnull=True) | Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=Now() - SILENCE)
    died = Case(When(claim__isnull=True, then=0), default=1)
    changed = Import.objects.filter(free, pk=import_id, state__in=before, dataset__deleting=False).update(
        state=after, claim=claim, heartbeat_at=Now(), deaths=F("deaths") + died
    )
    if not changed:
        return None
    job = Import.objects.select_related("dataset").get(claim=claim)
    if job.deaths < MAX_DEATHS:
        return job
    _fail(job, STOPPED_TOO_OFTEN)
    _free(job)
    return None


def leaves_a_worker(import_id: UUID) -> bool:
    """Whether small imports find a worker while this one runs: large ones never hold them all."""
    job = Import.objects.filter(pk=import_id).first()
    if job is None or not priority(job.size, BYTES):
        return True
    alive = Q(state=ImportState.RUNNING, claim__isnull=False, heartbeat_at__gt=Now() - SILENCE)
    running = Import.objects.filter(alive).exclude(pk=import_id)
    large = sum(priority(each.size, BYTES) > 0 for each in running)
    return large < max(1, settings.ATLAS_WORKERS - 1)


def lock(job: Import) -> tuple[Import, Dataset]:
    """Both rows as they are now, locked until the transaction ends. Raises LostClaimError."""
    # In the order of `delete_dataset`. Tags and comments, which refer to the dataset, need not wait.
    datasets = Dataset.objects.select_for_update(no_key=True)
    dataset = datasets.filter(pk=job.dataset_id, deleting=False).first()
    now = Import.objects.select_for_update().filter(pk=job.pk, claim=job.claim, state=job.state).first()
    if now is None or dataset is None:
        raise LostClaimError(str(job.pk))
    return now, dataset


@contextmanager
def working_on(job: Import) -> Iterator[None]:
    """Keep the claim while the block runs, then let go of it; record why the block failed if it did.

    A database that is away fails nothing: its error is raised, for the import to be run again.
    """
    stopped = threading.Event()
    beat = threading.Thread(target=_beat, args=(job, stopped), name="import heartbeat", daemon=True)
    beat.start()
    try:
        yield
    except LostClaimError:
        log.info("import %s was taken from this worker", job.pk)
    except DatasetError as error:
        _fail(job, str(error))
    except (Error, OSError) as error:
        if is_away(error):
            raise
        log.exception("import %s failed", job.pk)
        why = _why(error)
        once_the_database_answers(lambda: _fail(job, why))
    except Exception:
        _fail(job, _OUR_FAULT)
        raise
    finally:
        stopped.set()
        beat.join()
        once_the_database_answers(lambda: _free(job))


def _why(error: Error | OSError) -> str:
    if disk_is_full(error):
        return "The server's disk is full."
    if isinstance(error, OSError):
        return "A file could not be read or written on the server."
    return _OUR_FAULT


def _free(job: Import) -> None:
    Import.objects.filter(pk=job.pk, claim=job.claim).update(claim=None)
    # The last word: what the heartbeat said last may be older than the end.
    if now := Import.objects.filter(pk=job.pk).first():
        publish_import(now)


def _fail(job: Import, error: str) -> None:
    mine = Import.objects.filter(pk=job.pk, claim=job.claim, state=job.state)
    if mine.update(state=ImportState.FAILED, error=error, finished_at=timezone.now()):
        job.refresh_from_db()
        publish_import(job)
        announce_records(job)


def announce_records(job: Import) -> None:
    """For an import that is over, however it ended: what it brought shall be on a map."""
    if job.imported:
        records_imported.send(sender=Import, dataset_id=job.dataset_id)


def _beat(job: Import, stopped: threading.Event) -> None:
    """In a thread, so that a long archive listing or one huge picture does not look like a dead worker."""
    try:
        while not stopped.wait(BEAT_SECONDS):
            try:
                mine = Import.objects.filter(pk=job.pk, claim=job.claim)
                if mine.update(heartbeat_at=Now()) and (now := mine.first()):
                    publish_import(now)
            except Error as error:
                log.warning("no sign of life from import %s: %s", job.pk, error)
                connection.close()
    finally:
        connection.close()
