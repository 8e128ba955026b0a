"""/api/datasets/<id>/imports/…: described, corrected, started, cancelled, tried again"""

import json
from pathlib import Path
from typing import Any

import pytest

from atlas.datasets.describe import describe_import
from atlas.datasets.events import import_snapshot
from atlas.datasets.imports import append, create_dataset
from atlas.datasets.ingest import run_import
from atlas.datasets.models import Dataset, Import, ImportState, Record
from tests.datasets.material import fruit_zip, imported_dataset, new_import, picture, uploaded, zip_of
from tests.people import Cast, client_of

EXPIRED = "The uploaded files have expired. Upload them again."


def call(cast: Cast, job: Import, verb: str = "", **body: Any) -> Any:
    client, address = client_of(cast.alice), f"/api/datasets/{job.dataset_id}/imports/{job.pk}"
    if not verb:
        return client.get(address)
    return client.post(f"{address}/{verb}", json.dumps(body), content_type="application/json")


@pytest.fixture
def described(cast: Cast) -> Import:
    job = new_import(cast, "fruit.zip", fruit_zip())
    describe_import(job.pk)
    return job


def test_it_says_what_was_understood(cast: Cast, described: Import) -> None:
    body = call(cast, described).json()
    assert body["state"] == "described"
    description = body["description"]
    assert (description["picture"], description["captions"], description["id"]) == ("file", ["caption"], "id")
    assert [(each["name"], each["type"]) for each in description["columns"]] == [
        ("colour", "text"),
        ("weight", "number"),
    ]
    first, *_, broken = description["head"]
    assert first["captions"] == ["Two red apples"]
    assert first["picture"]["thumbnail"].startswith("data:image/webp;base64,")
    assert broken["picture"]["thumbnail"] is None
    assert broken["picture"]["problem"].endswith(".")


def test_a_remark_on_the_files_comes_first_and_counts_as_nothing_skipped(cast: Cast) -> None:
    files = {"notes.docx": b"?", "1.png": picture("red"), "1.txt": "Портрет".encode("cp1251")}
    job = new_import(cast, "a.zip", zip_of(files))
    describe_import(job.pk)
    described = Import.objects.get(pk=job.pk).description
    assert [item["reason"] for item in described["skipped"]] == ["note", "unsupported"]
    assert described["skipped_count"] == 1


def test_it_starts_with_what_the_user_corrected(cast: Cast, described: Import) -> None:
    choices = {"id": "", "types": {"weight": "text"}, "leave_out": ["colour"]}
    response = call(cast, described, "start", choices=choices)
    assert (response.status_code, response.json()["state"]) == (200, "queued")
    run_import(described.pk)
    record = Record.objects.filter(dataset=described.dataset_id).order_by("row")[0]
    assert (record.key, record.values) == (None, {"id": "a-1", "weight": "120"})
    columns = {column["name"]: column["type"] for column in Dataset.objects.get().columns}
    assert columns == {"id": "text", "weight": "text"}


@pytest.mark.parametrize(
    "choices", [{"captions": ["titel"]}, {"id": "nr"}, {"types": {"x": "number"}}, {"leave_out": ["x"]}]
)
def test_it_refuses_a_column_that_is_not_there(
    cast: Cast, described: Import, choices: dict[str, Any]
) -> None:
    response = call(cast, described, "start", choices=choices)
    assert response.status_code == 422
    assert response.json()["detail"].startswith("The files have no column called")
    assert Import.objects.get().state == ImportState.DESCRIBED


@pytest.mark.parametrize(
    "choices", [{"types": {"weight": "colour"}}, {"captions": "caption"}, {"leave_out": ["a\0"]}]
)
def test_it_refuses_nonsense(cast: Cast, described: Import, choices: Any) -> None:
    assert call(cast, described, "start", choices=choices).status_code == 422


def test_it_starts_once(cast: Cast, described: Import) -> None:
    assert call(cast, described, "start").status_code == 200
    response = call(cast, described, "start")
    assert response.status_code == 409
    assert response.json() == {"detail": "This import has been started already."}


def test_it_does_not_start_before_it_was_described(cast: Cast) -> None:
    assert call(cast, new_import(cast, "fruit.zip", fruit_zip()), "start").status_code == 409


@pytest.mark.parametrize(
    ("filename", "data"),
    [
        ("empty.zip", zip_of({})),
        ("noise.bin", b"\x01\x02noise"),
        ("broken.zip", fruit_zip()[:100]),
        ("nothing.csv", b""),
    ],
)
def test_what_cannot_be_read_fails_with_a_sentence(cast: Cast, filename: str, data: bytes) -> None:
    job = new_import(cast, filename, data)
    describe_import(job.pk)
    body = call(cast, job).json()
    assert body["state"] == "failed"
    assert body["error"].endswith(".")


def test_a_cancelled_import_is_described_again_when_asked(cast: Cast) -> None:
    job = new_import(cast, "fruit.zip", fruit_zip())
    assert call(cast, job, "cancel").json()["state"] == "cancelled"
    describe_import(job.pk)
    assert Import.objects.get().state == ImportState.CANCELLED
    assert call(cast, job, "cancel").status_code == 409
    assert call(cast, job, "retry").json()["state"] == "describing"


def test_it_cannot_be_tried_again_without_its_files(cast: Cast, described: Import) -> None:
    call(cast, described, "cancel")
    described.uploads.get().delete()
    response = call(cast, described, "retry")
    assert response.status_code == 409
    assert response.json() == {"detail": EXPIRED}


def test_it_is_not_started_or_run_without_one_of_its_files(cast: Cast) -> None:
    uploads = [uploaded(cast.alice, f"{colour}.png", picture(colour)) for colour in ("red", "blue")]
    job = create_dataset(cast.team, "", cast.alice, uploads).imports.get()
    describe_import(job.pk)
    assert Import.objects.filter(state=ImportState.DESCRIBED).update(state=ImportState.QUEUED)
    uploads[0].delete()
    run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (ImportState.FAILED, EXPIRED)
    Import.objects.update(state=ImportState.DESCRIBED)
    response = call(cast, job, "start")
    assert (response.status_code, response.json()) == (409, {"detail": EXPIRED})


def test_a_wrong_choice_is_corrected_and_started_again(cast: Cast) -> None:
    first = imported_dataset(cast)
    more = zip_of({"captions.csv": "file,caption,code,id\n5.png,A fig,x,a-1\n", "5.png": picture("purple")})
    job = append(first, cast.alice, [uploaded(cast.alice, "more.zip", more)])
    describe_import(job.pk)
    call(cast, job, "start", choices={"leave_out": ["code"]})
    run_import(job.pk)
    body = call(cast, job, "review").json()
    assert (body["state"], body["error"], body["read"], body["started_at"]) == ("described", "", 0, None)
    assert body["choices"] == {"leave_out": ["code"]}
    assert not job.skipped_items.exists()
    call(cast, job, "start", choices={"id": "code"})
    run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.imported, job.skipped) == (ImportState.DONE, 1, 0)
    assert Record.objects.get(dataset=first, row=3).key == "x"


def test_the_activity_tells_what_an_import_added_and_nothing_before(cast: Cast) -> None:
    dataset = imported_dataset(cast)
    client, address = client_of(cast.bob), f"/api/datasets/{dataset.pk}/imports"
    table = b"id,caption\n1,A fig\n2,A plum\n"
    for verb in ("cancel", "start"):
        body = {"uploads": [str(uploaded(cast.bob, "more.csv", table).pk)]}
        job = client.post(address, json.dumps(body), content_type="application/json").json()
        describe_import(job["id"])
        path = f"{address}/{job['id']}/{verb}"
        assert client.post(path, "{}", content_type="application/json").status_code == 200
        assert not dataset.events.exists()
    run_import(job["id"])
    event = dataset.events.get()
    assert (event.verb, event.who, event.text) == ("uploaded", cast.bob, "added 2 records from more.csv")


def test_what_brought_records_cannot_be_corrected(cast: Cast, described: Import) -> None:
    call(cast, described, "start")
    Import.objects.update(state=ImportState.CANCELLED, imported=2, read=3)
    assert call(cast, described, "review").status_code == 409
    described.refresh_from_db()
    assert (described.state, described.read) == (ImportState.CANCELLED, 3)


def test_what_was_never_described_or_has_no_files_cannot_be_corrected(cast: Cast) -> None:
    job = new_import(cast, "noise.bin", b"\x01\x02noise")
    assert call(cast, job, "review").status_code == 409
    describe_import(job.pk)
    assert call(cast, job, "review").status_code == 409
    job.uploads.get().delete()
    assert call(cast, job, "review").json() == {"detail": EXPIRED}


def test_a_corrected_import_that_is_cancelled_and_tried_again_is_understood_anew(
    cast: Cast, described: Import
) -> None:
    call(cast, described, "start", choices={"id": "file"})
    call(cast, described, "cancel")
    call(cast, described, "review")
    call(cast, described, "cancel")
    assert call(cast, described, "retry").json()["state"] == "describing"
    describe_import(described.pk)
    body = call(cast, described).json()
    assert (body["description"]["id"], body["choices"]) == ("id", {})


def test_pages_are_told_of_the_oldest_import_that_waits_for_somebody(cast: Cast, described: Import) -> None:
    dataset = described.dataset
    later = append(dataset, cast.bob, [uploaded(cast.bob, "more.zip", fruit_zip())])
    assert import_snapshot(dataset)["import"]["id"] == str(described.pk)
    call(cast, described, "cancel")
    assert import_snapshot(dataset)["import"]["id"] == str(later.pk)
    call(cast, later, "cancel")
    assert import_snapshot(dataset)["import"]["id"] == str(later.pk)


def test_a_folder_is_imported_as_one(cast: Cast, data_folder: Path) -> None:
    files = {"red/1.png": "red", "red/2.png": "darkred", "blue/3.png": "blue"}
    uploads = [
        uploaded(cast.alice, path.rpartition("/")[2], picture(colour), f"fruit/{path}")
        for path, colour in files.items()
    ]
    job = create_dataset(cast.team, "", cast.alice, uploads).imports.get()
    describe_import(job.pk)
    call(cast, job, "start")
    run_import(job.pk)
    sources = Record.objects.filter(dataset=job.dataset_id).order_by("row").values_list("source", flat=True)
    assert [source.rpartition("fruit/")[2] for source in sources] == ["blue/3.png", "red/1.png", "red/2.png"]
