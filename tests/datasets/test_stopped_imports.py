"""Imports that are killed, cancelled or broken, and how they go on."""

import errno
import shutil
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg.errors import ProgramLimitExceeded

from atlas.datasets import claims, ingest
from atlas.datasets.claims import claim_import
from atlas.datasets.describe import describe_import
from atlas.datasets.imports import cancel_import, requeue_orphans, retry_import
from atlas.datasets.ingest import run_import
from atlas.datasets.models import Dataset, Import, ImportState, Record
from atlas.datasets.stored import Stored
from atlas.patience import MAX_DEATHS, RESERVE, STOPPED_TOO_OFTEN
from embeddings.readers import Picture, Row
from tests.clocks import clock_off
from tests.datasets.material import fruit_zip, new_import, picture, run, started, table
from tests.people import Cast


def in_batches_of(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes until one is full."""
    monkeypatch.setattr(ingest, "BATCH_ITEMS", count)
    monkeypatch.setattr(ingest, "BATCH_SECONDS", 3600)


def test_it_does_nothing_while_another_worker_is_at_it(cast: Cast) -> None:
    job = new_import(cast, "fruit.zip", fruit_zip())
    Import.objects.filter(pk=job.pk).update(
        state=ImportState.RUNNING, claim=uuid4(), heartbeat_at=timezone.now()
    )
    run_import(job.pk)
    assert not Record.objects.exists()


def test_it_goes_on_where_a_killed_worker_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    in_batches_of(10, monkeypatch)
    job = started(new_import(cast, "table.csv", table(95)))
    real, calls = ingest.import_batch, iter(range(100))

    def killed_in_the_fifth(*arguments: Any) -> Import:
        if next(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(ingest, "import_batch", killed_in_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.read) == (ImportState.RUNNING, 40)
    monkeypatch.setattr(ingest, "import_batch", real)
    run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.read, job.imported) == (ImportState.DONE, 95, 95)
    rows = Record.objects.filter(dataset=job.dataset_id).order_by("row").values_list("row", "key")
    assert list(rows) == [(n, f"r{n}") for n in range(95)]


def test_an_import_of_a_silent_worker_is_sent_again(cast: Cast) -> None:
    job = new_import(cast, "table.csv", table(3))
    assert requeue_orphans() == 0
    long_ago = timezone.now() - timedelta(minutes=2)
    Import.objects.filter(pk=job.pk).update(state=ImportState.RUNNING, claim=uuid4(), heartbeat_at=long_ago)
    assert requeue_orphans() == 1


def test_machines_whose_clocks_differ_leave_each_other_their_imports(cast: Cast) -> None:
    job = new_import(cast, "table.csv", table(3))
    with clock_off(hours=-1):
        assert claim_import(job.pk, (ImportState.DESCRIBING,), ImportState.DESCRIBING)

    with clock_off(hours=1):
        assert requeue_orphans() == 0
        assert claim_import(job.pk, (ImportState.DESCRIBING,), ImportState.DESCRIBING) is None


def test_files_that_end_each_worker_that_looks_at_them_fail_the_import(cast: Cast) -> None:
    job = new_import(cast, "table.csv", table(3))
    for _ in range(MAX_DEATHS):
        assert claim_import(job.pk, (ImportState.DESCRIBING,), ImportState.DESCRIBING)
        Import.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=2))

    describe_import(job.pk)

    job.refresh_from_db()
    assert (job.state, job.error, job.claim) == (ImportState.FAILED, STOPPED_TOO_OFTEN, None)
    assert requeue_orphans() == 0
    retry_import(job)
    describe_import(job.pk)
    job.refresh_from_db()
    assert job.state == ImportState.DESCRIBED


def test_an_import_whose_workers_are_killed_goes_on_as_long_as_batches_go_in(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batches_of(10, monkeypatch)
    job = started(new_import(cast, "table.csv", table(95)))
    real = ingest.import_batch

    def killed_after_it(*arguments: Any) -> Import:
        real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(claims, "_free", lambda _: None)  # what is killed lets go of nothing
    monkeypatch.setattr(ingest, "import_batch", killed_after_it)
    for _ in range(MAX_DEATHS + 1):
        with pytest.raises(KeyboardInterrupt):
            run_import(job.pk)
        Import.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=2))
    monkeypatch.setattr(ingest, "import_batch", real)
    run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.imported) == (ImportState.DONE, 95)


def test_it_stops_when_it_is_cancelled_announces_what_came_and_goes_on_when_asked(
    cast: Cast, heard: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batches_of(10, monkeypatch)
    job = started(new_import(cast, "table.csv", table(30)))
    real = ingest.import_batch

    def cancelled_after_the_first(*arguments: Any) -> Import:
        now = real(*arguments)
        cancel_import(Import.objects.get(pk=job.pk))
        return now

    monkeypatch.setattr(ingest, "import_batch", cancelled_after_the_first)
    run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.read, job.claim) == (ImportState.CANCELLED, 10, None)
    assert heard == [(job.dataset_id, 10)]
    monkeypatch.setattr(ingest, "import_batch", real)
    retry_import(job)
    run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.imported) == (ImportState.DONE, 30)


def test_it_stops_when_the_dataset_is_deleted(cast: Cast) -> None:
    job = started(new_import(cast, "table.csv", table(3)))
    Dataset.objects.update(deleting=True)
    run_import(job.pk)
    assert not Record.objects.exists()


def test_a_bug_of_ours_fails_the_import_and_is_told(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    job = started(new_import(cast, "one.csv", table(3)))

    def broken(*_: Any) -> list[Stored]:
        raise ZeroDivisionError

    monkeypatch.setattr(ingest, "copy_records", broken)
    with pytest.raises(ZeroDivisionError):
        run_import(job.pk)
    job.refresh_from_db()
    assert job.state == ImportState.FAILED
    assert "Something went wrong on the server" in job.error


@pytest.mark.parametrize(
    ("cause", "state"), [(ProgramLimitExceeded(), ImportState.FAILED), (None, ImportState.RUNNING)]
)
def test_it_fails_by_an_error_of_the_database_and_not_by_one_that_is_away(
    cast: Cast, heard: list[Any], monkeypatch: pytest.MonkeyPatch, cause: Exception | None, state: ImportState
) -> None:
    in_batches_of(2, monkeypatch)
    job = started(new_import(cast, "one.csv", table(3)))
    real = ingest.copy_records

    def broken(dataset: Dataset, stored: list[Stored]) -> None:
        if dataset.row_count:
            raise OperationalError from cause
        real(dataset, stored)

    monkeypatch.setattr(ingest, "copy_records", broken)
    with nullcontext() if cause else pytest.raises(OperationalError):
        run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.imported, bool(job.error)) == (state, 2, bool(cause))
    assert heard == ([(job.dataset_id, 2)] if cause else [])


def test_a_lost_connection_does_not_end_the_signs_of_life(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = new_import(cast, "one.csv", table(3))
    publish = Mock(side_effect=[InterfaceError, None])
    monkeypatch.setattr(claims, "publish_import", publish)
    monkeypatch.setattr(claims, "connection", Mock())  # the thread's own, which it closes
    stopped = Mock(wait=Mock(side_effect=[False, False, True]))
    claims._beat(job, stopped)
    assert publish.call_count == 2


def test_it_locks_in_the_order_of_a_deletion_and_lets_people_tag_meanwhile(cast: Cast) -> None:
    job = new_import(cast, "one.csv", table(3))
    with CaptureQueriesContext(connection) as asked:
        claims.lock(job)
    locks = [(query["sql"].partition(" FROM ")[2].split()[0], query["sql"][-18:]) for query in asked]
    assert locks == [
        ('"datasets_dataset"', " FOR NO KEY UPDATE"),
        ('"datasets_import"', "LIMIT 1 FOR UPDATE"),
    ]


def test_it_writes_a_file_again_that_a_killed_worker_left_unfinished(cast: Cast) -> None:
    job = new_import(cast, "fruit.zip", fruit_zip())
    ingest._store_picture(job.dataset_id, _row_with(picture("red")))
    folder = Path(default_storage.path(job.dataset.folder("originals")))
    [stored] = [path for path in folder.rglob("*") if path.is_file()]
    stored.write_bytes(b"half")
    run(job)
    assert stored.read_bytes() == picture("red")


def _row_with(data: bytes) -> Row:
    return Row(0, None, Picture("1.png", lambda: data), [], {}, None, "1.png")


def test_an_import_stops_before_postgres_and_redis_find_no_room(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = new_import(cast, "fruit.zip", fruit_zip())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Mock(free=RESERVE - 1))
    job = run(job)
    assert (job.state, job.error) == (ImportState.FAILED, "The server's disk is full.")


def test_a_picture_that_the_disk_has_no_room_for_leaves_no_half_file(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    default_storage.save("originals/a/b", ContentFile(b"old"))
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        default_storage.save("originals/a/b", ContentFile(b"new"))
    folder = Path(default_storage.path("originals/a"))
    assert [path.read_bytes() for path in folder.iterdir()] == [b"old"]
