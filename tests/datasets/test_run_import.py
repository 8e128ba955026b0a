"""The verb `run_import`."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import DEFAULT, Mock
from uuid import uuid4

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg.errors import ProgramLimitExceeded
from pytest_django import Settings

from atlas.datasets import claims, ingest
from atlas.datasets.claims import LostClaimError, claim_import
from atlas.datasets.describe import describe_import
from atlas.datasets.imports import append, cancel_import, requeue_orphans, retry_import, start_import
from atlas.datasets.ingest import run_import
from atlas.datasets.models import Dataset, Import, ImportState, Record, SkippedItem, Upload
from atlas.datasets.signals import records_imported
from atlas.datasets.stored import Stored
from atlas.datasets.vectors import given_vectors
from atlas.patience import MAX_DEATHS, RESERVE, STOPPED_TOO_OFTEN
from embeddings.readers import Picture, Row
from tests.clocks import clock_off
from tests.datasets.material import fruit_zip, imported_dataset, new_import, picture, run, uploaded, zip_of
from tests.people import Cast


def table(rows: int, first: int = 0) -> bytes:
    return "\n".join(
        ["id,caption,n", *(f"r{n},Caption {n},{n}" for n in range(first, first + rows))]
    ).encode()


def in_batches_of(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes until one is full."""
    monkeypatch.setattr(ingest, "BATCH_ITEMS", count)
    monkeypatch.setattr(ingest, "BATCH_SECONDS", 3600)


def test_it_keeps_good_rows_beside_bad_ones(fruit: Dataset) -> None:
    job = fruit.imports.get()
    assert job.state == ImportState.DONE
    assert (job.read, job.imported, job.skipped, job.total) == (4, 3, 1, 4)
    assert fruit.row_count == 3
    [line] = SkippedItem.objects.filter(job=job)
    assert (line.source, line.reason) == ("fruit.zip/captions.csv:5", "corrupt")


def test_it_stores_what_was_uploaded(fruit: Dataset) -> None:
    pear = Record.objects.get(dataset=fruit, row=1)
    assert (pear.key, pear.caption, pear.captions) == ("a-2", "A yellow pear", ["A yellow pear"])
    assert pear.values == {"colour": "yellow", "weight": 95.5}
    assert (pear.width, pear.height, pear.format) == (40, 30, "PNG")
    assert pear.original
    assert pear.thumbnail
    assert default_storage.open(pear.original).read() == picture("yellow")
    assert default_storage.open(pear.thumbnail).read()[8:12] == b"WEBP"
    assert fruit.columns == [{"name": "colour", "type": "text"}, {"name": "weight", "type": "number"}]


def test_it_removes_the_upload_in_the_end(fruit: Dataset, data_folder: Path) -> None:
    assert not Upload.objects.exists()
    assert not list((data_folder / "uploads").iterdir())


def test_a_record_is_there_once_its_picture_is_on_the_disk(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    """In each batch; the first pictures of a long import are not those that a power cut takes."""
    synced: list[tuple[int, int]] = []

    def sync() -> None:
        files = [path for path in (data_folder / "media").rglob("*") if path.is_file()]
        synced.append((len(files), Record.objects.count()))

    monkeypatch.setattr(os, "sync", sync)
    monkeypatch.setattr(ingest, "BATCH_ITEMS", 2)
    imported_dataset(cast)
    assert [records for _, records in synced] == [0, 2]
    assert all(files >= 2 * (records + 1) for files, records in synced)
    assert synced[-1][0] == 6


def test_words_alone_wait_for_no_disk(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sync", Mock(side_effect=AssertionError))
    assert run(new_import(cast, "one.csv", table(3))).imported == 3


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    """What is announced: the dataset, and how many records it has by then."""
    told: list[Any] = []

    def listen(sender: Any, dataset_id: Any, **_: Any) -> None:
        told.append((dataset_id, Dataset.objects.get(pk=dataset_id).row_count))

    records_imported.connect(listen)
    yield told
    records_imported.disconnect(listen)


def test_it_announces_the_records(cast: Cast, heard: list[Any]) -> None:
    assert heard == [(imported_dataset(cast).pk, 3)]


def test_it_does_nothing_while_another_worker_is_at_it(cast: Cast) -> None:
    job = new_import(cast, "fruit.zip", fruit_zip())
    Import.objects.filter(pk=job.pk).update(
        state=ImportState.RUNNING, claim=uuid4(), heartbeat_at=timezone.now()
    )
    run_import(job.pk)
    assert not Record.objects.exists()


def test_it_goes_on_where_a_killed_worker_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    in_batches_of(10, monkeypatch)
    job = new_import(cast, "table.csv", table(95))
    describe_import(job.pk)
    job.refresh_from_db()
    start_import(job, {})
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
    job = new_import(cast, "table.csv", table(95))
    describe_import(job.pk)
    job.refresh_from_db()
    start_import(job, {})
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
    job = new_import(cast, "table.csv", table(30))
    describe_import(job.pk)
    job.refresh_from_db()
    start_import(job, {})
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
    job = new_import(cast, "table.csv", table(3))
    describe_import(job.pk)
    job.refresh_from_db()
    start_import(job, {})
    Dataset.objects.update(deleting=True)
    run_import(job.pk)
    assert not Record.objects.exists()


def test_appended_records_get_the_next_rows_and_known_ids_are_skipped(cast: Cast) -> None:
    first = run(new_import(cast, "one.csv", table(5)))
    dataset = Dataset.objects.get(pk=first.dataset_id)
    second = run(append(dataset, cast.bob, [uploaded(cast.bob, "two.csv", table(5, first=3))]))
    assert (second.imported, second.skipped) == (3, 2)
    assert set(second.skipped_items.values_list("reason", flat=True)) == {"duplicate_id"}
    keys = Record.objects.filter(dataset=dataset).order_by("row").values_list("key", flat=True)
    assert list(keys) == [f"r{n}" for n in range(8)]


def test_other_pictures_under_known_ids_are_not_stored(cast: Cast, fruit: Dataset, data_folder: Path) -> None:
    before = sorted((data_folder / "media" / "originals" / str(fruit.pk)).rglob("*"))
    table = "file,caption,id\n1.png,One,a-1\n2.png,Two,a-2\n3.png,New,b-1\n"
    files = {f"{n}.png": picture(colour) for n, colour in enumerate(("black", "white", "red"), 1)}

    job = run(append(fruit, cast.alice, [uploaded(cast.alice, "a.zip", zip_of({"t.csv": table, **files}))]))

    assert (job.read, job.imported, job.skipped) == (3, 1, 2)
    assert sorted((data_folder / "media" / "originals" / str(fruit.pk)).rglob("*")) == before


def shard(first: int, count: int) -> bytes:
    """A shard of a webdataset, whose keys count from 0 in each."""
    files: dict[str, str | bytes] = {}
    for key in range(count):
        files[f"{key:06}.png"] = picture("red", width=first + key + 1)
        files[f"{key:06}.txt"] = "A red bar"
        files[f"{key:06}.json"] = f'{{"width": {first + key + 1}}}'
    return zip_of(files)


def test_the_same_webdataset_again_adds_nothing_and_is_done(cast: Cast) -> None:
    first = run(new_import(cast, "000.zip", shard(0, 3)))
    again = run(append(first.dataset, cast.bob, [uploaded(cast.bob, "renamed.zip", shard(0, 3))]))
    assert (again.state, again.error, again.imported, again.skipped) == (ImportState.DONE, "", 0, 3)
    line = SkippedItem.objects.filter(job=again).first()
    assert line is not None
    assert (line.reason, line.detail[-9:]) == ("already_here", "record 0.")


def test_the_same_ids_again_add_nothing_and_can_be_corrected(cast: Cast) -> None:
    first = run(new_import(cast, "a.csv", b"id,text\n1,some words\n2,more words\n"))
    again = run(append(first.dataset, cast.bob, [uploaded(cast.bob, "b.csv", b"id,text\n1,new words\n")]))
    assert (again.state, again.has_its_files) == (ImportState.FAILED, True)
    assert again.error == "Nothing was added: the dataset has all records of these files already."


def test_another_shard_with_the_same_keys_is_added(cast: Cast) -> None:
    first = run(new_import(cast, "000.zip", shard(0, 3)))
    more = run(append(first.dataset, cast.bob, [uploaded(cast.bob, "001.zip", shard(2, 3))]))
    assert (more.imported, more.skipped) == (2, 1)


def test_a_picture_with_other_words_and_one_repeated_in_the_files_are_added(cast: Cast) -> None:
    twice: dict[str, str | bytes] = {
        "1.png": picture("red"),
        "2.png": picture("red"),
        "metadata.csv": "file_name,caption\n1.png,One\n2.png,One\n",
    }
    first = run(new_import(cast, "a.zip", zip_of(twice)))
    assert first.imported == 2
    other: dict[str, str | bytes] = {**twice, "metadata.csv": "file_name,caption\n1.png,One\n2.png,Two\n"}
    more = run(append(first.dataset, cast.bob, [uploaded(cast.bob, "a.zip", zip_of(other))]))
    assert (more.imported, more.skipped) == (1, 1)


def test_a_column_with_two_types_becomes_text(cast: Cast) -> None:
    first = run(new_import(cast, "one.csv", b"id,caption,age\na,One caption,1\nb,Two captions,2\n"))
    dataset = Dataset.objects.get(pk=first.dataset_id)
    run(append(dataset, cast.bob, [uploaded(cast.bob, "two.csv", b"id,caption,age\nc,Three captions,old\n")]))
    dataset.refresh_from_db()
    assert dataset.columns == [{"name": "age", "type": "text"}]
    ages = [record.values["age"] for record in Record.objects.filter(dataset=dataset).order_by("row")]
    assert ages == ["1", "2", "old"]


def test_a_single_title_is_a_caption_unless_titles_are_a_column(cast: Cast) -> None:
    first = run(new_import(cast, "one.csv", b"id,title\na,A red house by the sea\n"))
    dataset = first.dataset
    run(append(dataset, cast.bob, [uploaded(cast.bob, "two.csv", b"id,title\nb,Boats at noon\n")]))
    dataset.refresh_from_db()
    assert dataset.columns == []
    captions = Record.objects.filter(dataset=dataset).order_by("row").values_list("caption", flat=True)
    assert list(captions) == ["A red house by the sea", "Boats at noon"]

    lines = [f"{n}.png,{'Dress' if n % 2 else 'Shirt'}" for n in range(4)]
    many: dict[str, str | bytes] = {
        f"{n}.png": picture(colour) for n, colour in enumerate(("red", "green", "blue", "white"))
    }
    many["metadata.csv"] = "\n".join(["file_name,title", *lines])
    classes = run(new_import(cast, "many.zip", zip_of(many))).dataset
    one: dict[str, str | bytes] = {
        "4.png": picture("black"),
        "metadata.csv": "file_name,title\n4.png,Skirt\n",
    }
    run(append(classes, cast.bob, [uploaded(cast.bob, "one.zip", zip_of(one))]))
    joined = Record.objects.get(dataset=classes, row=4)
    assert (joined.caption, joined.values) == ("", {"title": "Skirt"})


def test_a_column_that_a_stopped_import_left_between_two_types_is_turned_by_the_next(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record by record, each in a transaction of its own: no append locks all records of a large dataset."""
    dataset = run(new_import(cast, "one.csv", table(5))).dataset
    words = b"id,caption,n\nx,One more caption,old\n"
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "_TURNED_AT_ONCE", 1)
        locked = Mock(side_effect=[*3 * [DEFAULT], LostClaimError], wraps=claims.lock)
        patch.setattr(ingest, "lock", locked)
        stopped = run(append(dataset, cast.bob, [uploaded(cast.bob, "two.csv", words)]))
    dataset.refresh_from_db()
    assert stopped.imported == 0
    assert dataset.columns == [{"name": "n", "type": "text", "turning": True}]
    values = [record.values["n"] for record in dataset.records.order_by("row")]
    assert [type(value) for value in values] == [str, str, int, int, int]
    run(append(dataset, cast.bob, [uploaded(cast.bob, "two.csv", words)]))
    dataset.refresh_from_db()
    assert dataset.columns == [{"name": "n", "type": "text"}]
    after = [record.values["n"] for record in dataset.records.order_by("row")]
    assert after == [*map(str, values), "old"]


def test_a_small_append_keeps_category_and_list(cast: Cast) -> None:
    lines = [f"r{n},Caption {n},{'Monet' if n % 2 else 'Manet'},{n};all" for n in range(30)]
    first = run(new_import(cast, "one.csv", "\n".join(["id,caption,artist,tags", *lines]).encode()))
    dataset = first.dataset
    few = b"id,caption,artist,tags\nx,One more,Goya,red\ny,Two more,Dali,blue\nz,Three more,Klee,1\n"
    job = run(append(dataset, cast.bob, [uploaded(cast.bob, "two.csv", few)]))
    dataset.refresh_from_db()
    assert dataset.columns == [{"name": "artist", "type": "category"}, {"name": "tags", "type": "list"}]
    assert [each["type"] for each in job.description["columns"]] == ["category", "list"]
    values = [record.values for record in Record.objects.filter(dataset=dataset).order_by("row")]
    assert values[0] == {"artist": "Manet", "tags": ["0", "all"]}
    assert values[30:] == [
        {"artist": "Goya", "tags": ["red"]},
        {"artist": "Dali", "tags": ["blue"]},
        {"artist": "Klee", "tags": ["1"]},
    ]


def test_a_list_becomes_the_text_that_a_new_record_would_have(cast: Cast) -> None:
    lists: dict[str, str | bytes] = {
        "1.png": picture("red"),
        "2.png": picture("blue"),
        "t.jsonl": '{"file": "1.png", "of": ["b", "a\\"c"]}\n{"file": "2.png", "of": []}\n',
    }
    first = run(new_import(cast, "one.zip", zip_of(lists)))
    dataset = Dataset.objects.get(pk=first.dataset_id)
    texts: dict[str, str | bytes] = {
        "3.png": picture("green"),
        "t.jsonl": '{"file": "3.png", "of": "some words that are too long for an item of a list"}',
    }
    run(append(dataset, cast.bob, [uploaded(cast.bob, "two.zip", zip_of(texts))]))
    values = [record.values for record in Record.objects.filter(dataset=dataset).order_by("row")]
    assert [each.get("of") for each in values] == [
        'b, a"c',
        None,
        "some words that are too long for an item of a list",
    ]
    again = run(append(dataset, cast.bob, [uploaded(cast.bob, "one.zip", zip_of(lists))]))
    assert (again.imported, again.skipped) == (0, 2)


def test_what_brought_nothing_binds_no_later_import(cast: Cast) -> None:
    failed = run(new_import(cast, "v.csv", vectors_table([[0.0] * 4] * 3)))
    dataset = Dataset.objects.get(pk=failed.dataset_id)
    assert (failed.state, dataset.vector_size) == (ImportState.FAILED, 4)
    job = run(append(dataset, cast.bob, [uploaded(cast.bob, "one.csv", table(3))]))
    dataset.refresh_from_db()
    assert (job.imported, dataset.vector_size) == (3, None)
    assert dataset.columns == [{"name": "n", "type": "number"}]


def test_a_note_about_many_records_counts_as_nothing_skipped(cast: Cast) -> None:
    files = {"images/1.png": picture("red"), "labels/1.txt": b"3 0.5 0.5 0.2 0.3"}
    job = run(new_import(cast, "yolo.zip", zip_of(files)))
    assert (job.state, job.read, job.imported, job.skipped) == (ImportState.DONE, 1, 1, 0)
    assert [item.reason for item in job.skipped_items.all()] == ["note"]
    again = run(append(job.dataset, cast.alice, [uploaded(cast.alice, "yolo.zip", zip_of(files))]))
    assert (again.state, again.imported, again.skipped) == (ImportState.DONE, 0, 1)


def test_it_reports_remarks_beside_the_skipped(cast: Cast, settings: Settings) -> None:
    settings.ATLAS_LIMITS = {**settings.ATLAS_LIMITS, "caption_length": 5}
    job = run(new_import(cast, "one.csv", b"id,caption\na,A caption that is far too long\n"))
    assert (job.imported, job.skipped) == (1, 0)
    assert job.skipped_items.get().reason == "note"


def test_it_fails_with_a_sentence_when_nothing_could_be_imported(cast: Cast) -> None:
    job = new_import(cast, "broken.zip", zip_of({"1.png": picture("red")[:50]}))
    job = run(job)
    assert job.state == ImportState.FAILED
    assert job.error.endswith(".")
    assert job.skipped == 1


def test_a_bug_of_ours_fails_the_import_and_is_told(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    job = new_import(cast, "one.csv", table(3))
    describe_import(job.pk)
    job.refresh_from_db()
    start_import(job, {})

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
    job = new_import(cast, "one.csv", table(3))
    describe_import(job.pk)
    job.refresh_from_db()
    start_import(job, {})
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


def _row_with(data: bytes) -> Row:
    return Row(0, None, Picture("1.png", lambda: data), [], {}, None, "1.png")


def vectors_table(rows: list[list[float]], first: int = 0) -> bytes:
    lines = [f'v{first + n},Caption {first + n},"{row}"' for n, row in enumerate(rows)]
    return "\n".join(["id,caption,vector", *lines]).encode()


def test_it_keeps_vectors_that_came_along(cast: Cast) -> None:
    given = [[1.0, 0.0, 0.5, 0.25], [0.0, 1.0, 0.5, 0.25], [0.5, 0.5, 0.0, 1.0]]
    dataset = Dataset.objects.get(pk=run(new_import(cast, "v.csv", vectors_table(given))).dataset_id)
    assert dataset.vector_size == 4
    assert np.array_equal(given_vectors(dataset, np.arange(3)), np.array(given, np.float32))
    assert np.array_equal(given_vectors(dataset, np.array([2, 7])), np.array([given[2], [0] * 4], np.float32))


def test_an_upload_of_which_nothing_is_left_says_why_and_what_to_do(cast: Cast) -> None:
    job = run(new_import(cast, "v.csv", vectors_table([[0.0] * 4] * 3)))
    assert job.state == ImportState.FAILED
    assert "What was wrong with each: Its vector is zero" in job.error
    assert "upload them again" in job.error
    assert job.skipped_items.count() == 3


def test_it_refuses_vectors_of_another_size(cast: Cast) -> None:
    first = run(new_import(cast, "v.csv", vectors_table([[1, 0, 0, 0.5], [0, 1, 0, 0.5]])))
    more = uploaded(cast.alice, "w.csv", vectors_table([[1, 0, 0.5], [0, 1, 0.5]], first=10))
    second = run(append(first.dataset, cast.alice, [more]))
    assert second.state == ImportState.FAILED
    assert "3 numbers" in second.error
    assert Record.objects.filter(dataset=first.dataset_id).count() == 2
