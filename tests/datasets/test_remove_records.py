"""POST /api/datasets/{id}/records/remove: records that are gone at once, and their files soon after."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.http import Http404
from pytest_django import DjangoCaptureOnCommitCallbacks

from atlas.datasets import queue, remove
from atlas.datasets.imports import retry_import
from atlas.datasets.ingest import run_import
from atlas.datasets.known import KnownPictures
from atlas.datasets.models import Dataset, Import, ImportState, Record, RemovedRecord, SkippedItem, Tag
from atlas.datasets.remove import clear_removed, requeue_removals
from atlas.datasets.report import report_not_embedded
from atlas.datasets.stored import Stored
from atlas.datasets.vectors import given_vectors
from atlas.maps import tags_api
from atlas.maps.models import Build, Comment
from atlas.maps.selection import rows_matching
from atlas.teams.asker import Asker
from embeddings.readers import Row
from tests.datasets.material import (
    added,
    fruit_zip,
    new_import,
    picture,
    run,
    table,
    uploaded,
    vectors_table,
    zip_of,
)
from tests.people import Cast, client_of, content_of


def post(cast: Cast, dataset: Dataset, path: str, body: Any, who: str = "alice") -> Any:
    client = client_of(getattr(cast, who))
    return client.post(f"/api/datasets/{dataset.pk}/{path}", body, content_type="application/json")


def removed(cast: Cast, dataset: Dataset, *rows: int) -> Any:
    answer = post(cast, dataset, "records/remove", {"filter": {"rows": list(rows)}})
    assert answer.status_code == 200, answer.content
    return answer.json()


def table_rows(cast: Cast, dataset: Dataset, **body: Any) -> list[int]:
    answer = post(cast, dataset, "table", body).json()
    rows = [record["row"] for record in answer["records"]]
    assert answer["total"] == len(rows)
    return rows


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "media").rglob("*") if path.is_file())


def test_it_says_how_many_went_and_how_many_are_left(cast: Cast, fruit: Dataset) -> None:
    assert removed(cast, fruit, 1, 7) == {"removed": 1, "record_count": 2}
    assert removed(cast, fruit, 1) == {"removed": 0, "record_count": 2}
    fruit.refresh_from_db()
    assert (fruit.row_count, fruit.removed_count, fruit.record_count) == (3, 1, 2)
    told = client_of(cast.victor).get(f"/api/datasets/{fruit.pk}").json()
    assert (told["row_count"], told["record_count"]) == (3, 2)
    [event] = fruit.events.filter(verb="removed")
    assert (event.who, event.text) == (cast.alice, "removed 1 record")


def test_a_removed_record_is_not_there(cast: Cast, fruit: Dataset) -> None:
    removed(cast, fruit, 1)
    client = client_of(cast.alice)
    url = f"/api/datasets/{fruit.pk}/records"
    for path in ("/1", "/1/thumbnail", "/1/original", "/1/tags"):
        assert client.get(url + path).status_code == 404, path
    assert [each["row"] for each in client.get(f"{url}?rows=0,1,2").json()["records"]] == [0, 2]
    pinned = post(cast, fruit, "comments", {"text": "Hm.", "pin": {"row": 1}})
    assert (pinned.status_code, pinned.json()["detail"]) == (422, "There is no record 1 to comment on.")


@pytest.mark.parametrize(
    "content",
    [
        {"not": {"column": "colour", "in": ["blue"]}},
        {"not": {"rows": []}},
        {"all": []},
        {"rows": [0, 1, 2]},
        {"has": "image"},
        {"not": {"tags": "any"}},
    ],
)
def test_no_filter_finds_it(cast: Cast, fruit: Dataset, content: Any) -> None:
    assert table_rows(cast, fruit, filter=content) == [0, 1, 2]
    removed(cast, fruit, 1)
    assert table_rows(cast, fruit, filter=content) == [0, 2]
    assert post(cast, fruit, "export/check", {"format": "csv", "filter": content}).json() == {"records": 2}


def test_no_table_and_no_export_shows_it(cast: Cast, fruit: Dataset) -> None:
    assert table_rows(cast, fruit, sort="-weight") == [0, 1, 2]
    removed(cast, fruit, 0)
    assert table_rows(cast, fruit) == [1, 2]
    assert table_rows(cast, fruit, sort="-weight") == [1, 2]
    answer = post(cast, fruit, "export", {"format": "csv"})
    lines = list(csv.DictReader(io.StringIO(content_of(answer).decode("utf-8-sig"))))
    assert [line["row"] for line in lines] == ["1", "2"]


def test_only_those_who_may_edit_remove(cast: Cast, fruit: Dataset) -> None:
    body = {"filter": {"rows": [1]}}
    for who in ("victor", "charlie"):
        assert post(cast, fruit, "records/remove", body, who).status_code == 404
    assert fruit.records.count() == 3
    assert post(cast, fruit, "records/remove", body, "bob").status_code == 200


def test_another_number_than_expected_removes_nothing(cast: Cast, fruit: Dataset) -> None:
    body = {"filter": {"rows": [0, 1]}, "expected": 1}
    answer = post(cast, fruit, "records/remove", body)
    assert (answer.status_code, answer.json()["detail"]) == (
        409, "This finds 2 records now, not 1: select them again.",
    )  # fmt: skip
    assert fruit.records.count() == 3
    assert post(cast, fruit, "records/remove", {**body, "expected": 2}).json()["removed"] == 2


@pytest.mark.parametrize("body", [{}, {"filter": None}, {"filter": {}}, {"filter": {"rows": [-1]}}])
def test_a_filter_that_makes_no_sense_removes_nothing(cast: Cast, fruit: Dataset, body: Any) -> None:
    assert post(cast, fruit, "records/remove", body).status_code == 422
    assert fruit.records.count() == 3


@pytest.mark.parametrize("state", ["describing", "described", "queued", "running"])
def test_it_is_refused_while_an_import_is_open(cast: Cast, fruit: Dataset, state: str) -> None:
    Import.objects.create(dataset=fruit, state=state)
    answer = post(cast, fruit, "records/remove", {"filter": {"rows": [1]}})
    assert answer.status_code == 409
    assert "An import into this dataset is not over." in answer.json()["detail"]
    assert fruit.records.count() == 3


def test_what_was_said_of_it_goes_too(cast: Cast, fruit: Dataset) -> None:
    tag = Tag.objects.create(dataset=fruit, name="odd")
    assert post(cast, fruit, f"tags/{tag.pk}/records", {"add": {"rows": [0, 1]}}).json()["count"] == 2
    about = [post(cast, fruit, "comments", {"text": "Hm.", "pin": {"row": row}}).json() for row in (0, 1)]
    post(cast, fruit, f"comments/{about[1]['id']}/replies", {"text": "Indeed."})
    post(cast, fruit, "comments", {"text": "Both.", "pin": {"filter": {"rows": [0, 1]}}})
    report_not_embedded(fruit, {1: "It cannot be embedded."})
    assert "A yellow pear" in json.dumps(fruit.imports.get().description)

    removed(cast, fruit, 1)

    assert [row for (row,) in tag.tagged.values_list("row")] == [0]
    assert post(cast, fruit, f"tags/{tag.pk}/records", {"add": {"rows": [0, 1]}}).json() == {
        "changed": 0,
        "count": 1,
    }
    assert list(Comment.objects.values_list("text", flat=True)) == ["Hm.", "Both."]
    assert not SkippedItem.objects.filter(row=1).exists()
    assert fruit.imports.get().skipped_items.count() == 1  # of what never was a record
    assert "A yellow pear" not in json.dumps(fruit.imports.get().description)


def test_a_record_that_is_removed_while_it_is_tagged_gets_no_tag(
    cast: Cast, fruit: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = Tag.objects.create(dataset=fruit, name="odd")

    def late(*arguments: Any) -> Any:
        found = rows_matching(*arguments)
        removed(cast, fruit, 1)
        return found

    monkeypatch.setattr(tags_api, "rows_matching", late)
    answer = post(cast, fruit, f"tags/{tag.pk}/records", {"add": {"rows": [0, 1]}})
    assert answer.json() == {"changed": 1, "count": 1}


def test_its_files_go_and_those_of_others_stay(cast: Cast, data_folder: Path) -> None:
    red, blue = picture("red"), picture("blue")
    data = zip_of({"t.csv": "file,id\n1.png,a\n2.png,b\n3.png,c", "1.png": red, "2.png": red, "3.png": blue})
    dataset = run(new_import(cast, "t.zip", data)).dataset
    hashes = dict(dataset.records.values_list("row", "sha256"))
    assert len(files(data_folder)) == 4

    removed(cast, dataset, 0, 2)
    clear_removed(dataset.pk)

    assert files(data_folder) == sorted([str(hashes[1]), f"{hashes[1]}.webp"])
    assert list(RemovedRecord.objects.values_list("row", "sha256", "cleared")) == [
        (0, None, True),
        (2, None, True),
    ]
    removed(cast, dataset, 1)
    clear_removed(dataset.pk)
    assert files(data_folder) == []


def test_a_worker_is_told_to_clear_and_told_again(
    cast: Cast,
    fruit: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(queue, "_send", lambda task, pk, _: sent.append((task, pk)))
    with django_capture_on_commit_callbacks(execute=True):
        removed(cast, fruit, 1)
    with django_capture_on_commit_callbacks(execute=True):
        requeue_removals()
    assert sent == [("clear_removed", fruit.pk)] * 2
    clear_removed(fruit.pk)
    with django_capture_on_commit_callbacks(execute=True):
        requeue_removals()
    assert len(sent) == 2


def test_clearing_can_be_run_again_after_it_was_cut_short(
    cast: Cast, fruit: Dataset, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed(cast, fruit, 0, 1, 2)
    monkeypatch.setattr(remove, "LOT", 2)
    deleted: list[str] = []
    delete = default_storage.delete

    def dies_at_the_third(name: str) -> None:
        deleted.append(name)
        if len(deleted) == 3:
            raise KeyboardInterrupt
        delete(name)

    monkeypatch.setattr(default_storage, "delete", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        clear_removed(fruit.pk)
    clear_removed(fruit.pk)
    clear_removed(fruit.pk)
    assert files(data_folder) == []


def test_a_worker_that_clears_for_long_lets_others_go_first(
    cast: Cast, fruit: Dataset, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed(cast, fruit, 0, 1, 2)
    monkeypatch.setattr(remove, "LOT", 1)
    monkeypatch.setattr(remove, "TURN_SECONDS", 0)
    for left in (4, 2, 0):
        clear_removed(fruit.pk)
        assert len(files(data_folder)) == left


def test_no_file_goes_that_an_import_may_have_found_stored(
    cast: Cast, fruit: Dataset, data_folder: Path
) -> None:
    removed(cast, fruit, 1)
    running = Import.objects.create(dataset=fruit, state=ImportState.RUNNING)
    clear_removed(fruit.pk)
    assert len(files(data_folder)) == 6
    running.delete()
    clear_removed(fruit.pk)
    assert len(files(data_folder)) == 4


def test_the_same_id_comes_again_as_a_new_row(cast: Cast, fruit: Dataset) -> None:
    removed(cast, fruit, 1)
    clear_removed(fruit.pk)
    again = added(fruit, cast.alice, "fruit.zip", fruit_zip())
    fruit.refresh_from_db()
    assert (again.state, again.imported) == (ImportState.DONE, 1)
    assert (fruit.row_count, fruit.record_count) == (4, 3)
    assert Record.objects.get(dataset=fruit, key="a-2").row == 3
    for part in ("thumbnail", "original"):
        url = f"/api/datasets/{fruit.pk}/records/3/{part}"
        assert client_of(cast.alice).get(url).status_code == 200


def test_the_same_picture_without_an_id_comes_again(cast: Cast) -> None:
    data = zip_of({f"{n}.png": picture(colour) for n, colour in enumerate(("red", "blue", "green"))})
    dataset = run(new_import(cast, "p.zip", data)).dataset
    removed(cast, dataset, 1)
    again = added(dataset, cast.alice, "p.zip", data)
    assert again.imported == 1
    assert sorted(dataset.records.values_list("row", flat=True)) == [0, 2, 3]


def test_what_was_known_of_a_removed_record_breaks_no_import(cast: Cast) -> None:
    data = zip_of({f"{n}.png": picture(colour) for n, colour in enumerate(("red", "blue"))})
    dataset = run(new_import(cast, "p.zip", data)).dataset
    known = KnownPictures(dataset.pk, 2)
    removed(cast, dataset, 1)
    row = Row(number=1, source="p.zip/1.png", id=None, picture=None, captions=[], values={}, vector=None)
    same = Stored(row, sha256=RemovedRecord.objects.get().sha256)
    assert known.same(dataset, {0: same}) == {}


def test_an_import_that_stopped_goes_on_after_what_it_brought_was_removed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas.datasets.ingest.BATCH_ITEMS", 2)
    job = run(new_import(cast, "t.csv", table(4)))
    # As it was after its first batch.
    Record.objects.filter(dataset=job.dataset, row__gte=2).delete()
    Dataset.objects.filter(pk=job.dataset_id).update(row_count=2)
    Import.objects.filter(pk=job.pk).update(state=ImportState.FAILED, read=2, imported=2)
    upload = uploaded(cast.alice, "t.csv", table(4))
    job.uploads.set([upload])
    job.refresh_from_db()
    removed(cast, job.dataset, 0)

    retry_import(job)
    run_import(job.pk)

    job.refresh_from_db()
    assert (job.state, job.imported) == (ImportState.DONE, 4)
    assert sorted(job.dataset.records.values_list("row", "key")) == [(1, "r1"), (2, "r2"), (3, "r3")]


def test_its_own_vector_goes(cast: Cast) -> None:
    given = [[1, 0, 0, 0.5], [0, 1, 0, 0.5], [0, 0, 1, 0.5]]
    dataset = run(new_import(cast, "v.csv", vectors_table(given))).dataset
    dataset.refresh_from_db()
    removed(cast, dataset, 1)
    clear_removed(dataset.pk)
    assert np.array_equal(
        given_vectors(dataset, np.arange(3)), np.array([given[0], [0] * 4, given[2]], np.float32)
    )


def test_a_dataset_without_any_record_left_has_its_pages_and_takes_others(cast: Cast) -> None:
    given = [[1, 0, 0, 0.5], [0, 1, 0, 0.5]]
    dataset = run(new_import(cast, "v.csv", vectors_table(given))).dataset
    answer = post(cast, dataset, "records/remove", {"filter": {"all": []}})
    assert answer.json() == {"removed": 2, "record_count": 0}
    client = client_of(cast.alice)
    for path in ("", "/settings", "/add", "/map"):
        assert client.get(dataset.get_absolute_url() + path).status_code == 200, path
    assert "No records left" in client.get("/").content.decode()
    assert client.get(dataset.get_absolute_url() + "/preview.png").status_code == 404
    assert table_rows(cast, dataset) == []
    assert content_of(post(cast, dataset, "export", {"format": "jsonl"})) == b""
    assert post(cast, dataset, "build", {}).json() == {"detail": "The dataset has no records."}

    # Neither its columns nor its kind of vectors bind what comes next.
    again = added(dataset, cast.alice, "t.csv", table(2))
    dataset.refresh_from_db()
    assert (again.state, again.error, dataset.vector_size) == (ImportState.DONE, "", None)
    assert sorted(dataset.records.values_list("row", flat=True)) == [2, 3]


def test_a_build_begins_at_once(cast: Cast, fruit: Dataset) -> None:
    before = Build.objects.get(dataset=fruit)
    removed(cast, fruit, 1)
    before.refresh_from_db()
    assert before.state == "cancelled"
    assert Build.objects.exclude(pk=before.pk).get().removed_count == 1


def test_a_card_shows_pictures_of_records_that_are_there(cast: Cast, fruit: Dataset) -> None:
    removed(cast, fruit, 1, 2)
    page = client_of(cast.alice).get("/").content.decode()
    assert f"/api/datasets/{fruit.pk}/records/0/thumbnail" in page
    assert "records/1/thumbnail" not in page
    assert "1 record<" in page


def test_a_dataset_that_is_being_deleted_is_not_there(cast: Cast, fruit: Dataset) -> None:
    Dataset.objects.filter(pk=fruit.pk).update(deleting=True)
    with pytest.raises(Http404):
        remove.remove_records(fruit.pk, np.ones(3, bool), Asker(cast.alice))
