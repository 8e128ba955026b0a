"""Exports: what is in each format, who gets what of it, and that Atlas reads its own files again."""

import csv
import io
import json
import tarfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.files.storage import default_storage
from django.test import Client

from atlas.datasets import export_tables
from atlas.datasets.delete import delete_dataset, remove_dataset
from atlas.datasets.export import DatasetGoneError, captions_as_list, export_of
from atlas.datasets.export_archives import zip_pieces
from atlas.datasets.export_tables import parquet_pieces
from atlas.datasets.imports import create_dataset
from atlas.datasets.models import Dataset, Record, TaggedRecord, Visibility
from atlas.datasets.zip_stream import ZipStream
from atlas.teams.links import create_link, token_of
from tests.datasets.material import picture, run, uploaded, zip_of
from tests.people import Cast, client_of, content_of

FORMATS = ["csv", "jsonl", "parquet", "zip", "webdataset"]
ALWAYS = {"row", "key", "source", "tags"}


def artists(number: int) -> str:
    return ["Monet", "Newton"][number % 2]


def gallery_lines() -> list[dict[str, Any]]:
    """Eight records with everything that a record can have, and what is hard to write down."""
    captions: list[list[str]] = [
        ["Two red apples", "Fruit"],
        ["=HYPERLINK(1)", "+1", "'=twice"],
        ['He said "no", twice', "in\ntwo lines"],
        ["תפוח 🍎"],
        [],
        ["-5 degrees"],
        ["@home, today"],
        ["A plum"],
    ]
    return [
        {
            "file": f"{number}.png",
            "captions": captions[number],
            "id": f"a-{number}",
            "artist": artists(number),
            "year": 1900 + number if number % 3 else 1900.5,
            "taken": f"2020-01-{number + 1:02}",
            "colours": ["red", "blue"][: number % 2 + 1],
            "x": number,
            "=notes": f"-{number} is a long note about this one picture and about no other one",
        }
        for number in range(8)
    ]


@pytest.fixture
def gallery(cast: Cast) -> Dataset:
    lines = "\n".join(json.dumps(line) for line in gallery_lines())
    pictures = {f"{number}.png": picture("red", 30 + number) for number in range(8)}
    return imported(cast, "gallery.zip", zip_of({"table.jsonl": lines, **pictures}))


def imported(cast: Cast, filename: str, data: bytes) -> Dataset:
    dataset = create_dataset(cast.team, filename, cast.alice, [uploaded(cast.alice, filename, data)])
    job = run(dataset.imports.get())
    assert not job.error
    return Dataset.objects.get(pk=dataset.pk)


def ask(client: Client, dataset: Dataset, **body: Any) -> Any:
    return client.post(f"/api/datasets/{dataset.pk}/export", body, content_type="application/json")


def export(cast: Cast, dataset: Dataset, form: str, **body: Any) -> bytes:
    answer = ask(client_of(cast.alice), dataset, format=form, **body)
    assert answer.status_code == 200, answer.content
    return content_of(answer)


def as_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def as_jsonl(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().splitlines()]


def content(dataset: Dataset) -> list[tuple[Any, ...]]:
    """What must survive a journey out and in again; without the columns that an export adds."""
    return [
        (
            record.key,
            [" ".join(caption.split()) for caption in record.captions],
            {name: value for name, value in record.values.items() if name not in ALWAYS | {"atlas_x"}},
            record.sha256,
        )
        for record in dataset.records.order_by("row")
    ]


# Out and in again ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "filename"),
    [
        ("zip", "again.zip"),
        ("webdataset", "again.tar"),
        ("parquet", "again.parquet"),
        ("jsonl", "again.jsonl"),
        ("csv", "again.csv"),
    ],
)
def test_atlas_reads_its_own_exports_again(cast: Cast, gallery: Dataset, form: str, filename: str) -> None:
    again = imported(cast, filename, export(cast, gallery, form))

    expected = content(gallery)
    if form not in ("zip", "webdataset"):  # no pictures; a record without a caption is nothing then
        expected = [(key, captions, values, None) for key, captions, values, _ in expected if captions]
    assert content(again) == expected
    assert {column["name"]: column["type"] for column in gallery.columns}.items() <= {
        column["name"]: column["type"] for column in again.columns
    }.items()


@pytest.mark.parametrize("form", ["zip", "parquet", "jsonl", "csv"])
def test_line_breaks_in_captions_survive(cast: Cast, gallery: Dataset, form: str) -> None:
    again = imported(cast, f"again.{form}", export(cast, gallery, form))
    assert again.records.get(row=2).captions == ['He said "no", twice', "in\ntwo lines"]


# The formats --------------------------------------------------------------------------------------------


def test_csv_has_a_line_for_each_record_and_no_formula(cast: Cast, gallery: Dataset) -> None:
    lines = as_csv(export(cast, gallery, "csv"))
    assert [line["row"] for line in lines] == [str(row) for row in range(8)]
    assert lines[1]["caption"] == "'=HYPERLINK(1)"
    assert [lines[1]["caption2"], lines[1]["caption3"]] == ["'+1", "''=twice"]
    assert lines[1]["colours"] == '["red", "blue"]'
    assert lines[0]["year"] == "1900.5"
    for line in lines:
        for cell in [*line, *line.values()]:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell


def test_negative_numbers_stay_numbers(cast: Cast, gallery: Dataset) -> None:
    Record.objects.filter(dataset=gallery, row=0).update(values={"year": -12})
    assert as_csv(export(cast, gallery, "csv"))[0]["year"] == "-12"


def test_numbers_of_any_size_leave_in_every_format(cast: Cast, gallery: Dataset) -> None:
    Record.objects.filter(dataset=gallery, row=0).update(values={"year": 1e39})
    assert float(as_csv(export(cast, gallery, "csv"))[0]["year"]) == 1e39
    assert float(as_jsonl(export(cast, gallery, "jsonl"))[0]["year"]) == 1e39
    assert pq.read_table(io.BytesIO(export(cast, gallery, "parquet")))["year"][0].as_py() == 1e39


def test_an_uploaded_column_keeps_its_name_where_ours_is_called_the_same(
    cast: Cast, gallery: Dataset
) -> None:
    columns = [*gallery.columns, {"name": "row", "type": "text"}, {"name": "atlas_row", "type": "text"}]
    Dataset.objects.filter(pk=gallery.pk).update(columns=columns)
    Record.objects.filter(dataset=gallery).update(values={"row": "theirs"})
    (line, *_) = as_jsonl(export(cast, gallery, "jsonl"))
    assert (line["row"], line["atlas_atlas_row"]) == ("theirs", 0)


def test_the_zip_names_pictures_in_a_column_of_its_own_and_leaves_out_lost_ones(
    cast: Cast, gallery: Dataset
) -> None:
    Dataset.objects.filter(pk=gallery.pk).update(columns=[{"name": "file_name", "type": "text"}])
    Record.objects.filter(dataset=gallery).update(values={"file_name": "scan.tif"})
    lost = Record.objects.get(dataset=gallery, row=3).original
    assert lost
    default_storage.delete(lost)
    with zipfile.ZipFile(io.BytesIO(export(cast, gallery, "zip"))) as archive:
        lines = as_csv(archive.read("metadata.csv"))
        assert [line["file_name"] for line in lines if line["file_name"]] == archive.namelist()[:-1]
    assert [line["row"] for line in lines if not line["file_name"]] == ["3"]
    assert {line["own_file_name"] for line in lines} == {"scan.tif"}
    with tarfile.open(fileobj=io.BytesIO(export(cast, gallery, "webdataset"))) as shard:
        names = shard.getnames()
    assert "000000003.png" not in names
    assert "000000004.png" in names


def test_json_lines_hold_lists_and_numbers_as_they_are(cast: Cast, gallery: Dataset) -> None:
    line = as_jsonl(export(cast, gallery, "jsonl"))[3]
    assert line["captions"] == ["תפוח 🍎"]
    assert line["colours"] == ["red", "blue"]
    assert line["year"] == 1900.5
    assert (line["row"], line["key"], line["source"]) == (3, "a-3", "gallery.zip/table.jsonl:4")
    assert list(line) == [
        *("row", "key", "source", "captions"),
        *("artist", "year", "taken", "colours", "x", "=notes"),
        "tags",
    ]


def test_parquet_has_types(cast: Cast, gallery: Dataset) -> None:
    table = pq.read_table(io.BytesIO(export(cast, gallery, "parquet")))
    types = {field.name: str(field.type) for field in table.schema}
    assert types["row"] == "int64"
    assert types["year"] == "double"
    assert types["taken"] == "timestamp[us, tz=UTC]"
    assert types["captions"] == types["tags"] == "list<element: string>"
    assert table["taken"][0].as_py().isoformat() == "2020-01-01T00:00:00+00:00"


def test_a_zip_holds_the_pictures_as_uploaded_and_names_them_in_its_table(
    cast: Cast, gallery: Dataset
) -> None:
    with zipfile.ZipFile(io.BytesIO(export(cast, gallery, "zip"))) as archive:
        assert archive.testzip() is None
        lines = as_csv(archive.read("metadata.csv"))
        assert archive.read(lines[4]["file_name"]) == picture("red", 34)
        assert archive.namelist() == [*(line["file_name"] for line in lines), "metadata.csv"]


@pytest.mark.parametrize(
    "source", ["../../etc/passwd", "a/b\\c:d*.png", "x.zip/con\x01\n.png", "..", "", "/", "é" * 300]
)
def test_names_of_files_are_safe(cast: Cast, gallery: Dataset, source: str) -> None:
    Record.objects.filter(dataset=gallery, row=0).update(source=source)
    with zipfile.ZipFile(io.BytesIO(export(cast, gallery, "zip"))) as archive:
        folder, _, name = archive.namelist()[0].partition("/")
    assert folder == "pictures"
    assert name.startswith("0000000-")
    assert name.endswith(".png")
    stem = name.removesuffix(".png")
    assert len(stem) <= 70
    assert stem.replace("-", "").replace("_", "").isalnum()


def test_a_webdataset_has_members_of_one_name_for_each_record(cast: Cast, gallery: Dataset) -> None:
    with tarfile.open(fileobj=io.BytesIO(export(cast, gallery, "webdataset"))) as archive:
        assert archive.getnames()[:3] == ["000000000.png", "000000000.txt", "000000000.json"]
        assert "000000004.txt" not in archive.getnames()  # it has no caption
        texts = archive.extractfile("000000002.txt")
        assert texts is not None
        assert texts.read().decode().splitlines() == ['He said "no", twice', "in two lines"]


def test_tags_are_told_and_a_filter_chooses(cast: Cast, gallery: Dataset) -> None:
    for name in ("blurry", "to keep"):
        tag = gallery.tags.create(name=name, colour=0)
        TaggedRecord.objects.create(tag=tag, row=3)
    found = as_jsonl(export(cast, gallery, "jsonl", filter={"tag": str(tag.pk)}))
    assert [(line["row"], line["tags"]) for line in found] == [(3, ["blurry", "to keep"])]


@pytest.mark.parametrize("form", FORMATS)
def test_a_filter_that_finds_nothing_gives_a_whole_file_without_records(
    cast: Cast, gallery: Dataset, form: str
) -> None:
    data = export(cast, gallery, form, filter={"rows": []})
    if form == "csv":
        assert as_csv(data) == []
    elif form == "parquet":
        assert pq.read_table(io.BytesIO(data)).num_rows == 0
    elif form == "zip":
        assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["metadata.csv"]
    else:
        assert not data.strip(b"\0")


# Asking -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_no_half_file_looks_whole_when_the_dataset_is_deleted_under_it(
    cast: Cast, gallery: Dataset, form: str
) -> None:
    begun: Any = client_of(cast.alice).post(
        f"/api/datasets/{gallery.pk}/export", {"format": form}, content_type="application/json"
    )
    assert begun.status_code == 200
    delete_dataset(gallery)
    remove_dataset(gallery.pk)
    with pytest.raises(DatasetGoneError):
        content_of(begun)


def test_a_form_may_ask_for_it(cast: Cast, gallery: Dataset) -> None:
    body = urlencode({"request": json.dumps({"format": "jsonl", "filter": {"rows": [2]}})})
    answer: Any = client_of(cast.alice).post(
        f"/api/datasets/{gallery.pk}/export", body, content_type="application/x-www-form-urlencoded"
    )
    assert [line["row"] for line in as_jsonl(content_of(answer))] == [2]
    assert answer["Content-Disposition"] == f'attachment; filename="{gallery.slug}.jsonl"'


def test_a_form_of_another_site_is_refused(cast: Cast, gallery: Dataset) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    body = urlencode({"request": json.dumps({"format": "jsonl"})})
    kind = "application/x-www-form-urlencoded"
    answer = client.post(f"/api/datasets/{gallery.pk}/export", body, content_type=kind)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"format": "xls"},
        {"format": "csv", "filter": {"column": "nothing", "in": []}},
        {"format": "csv", "vectors": "image"},
        {"format": "parquet", "vectors": "image"},
    ],
)
def test_what_makes_no_sense_is_refused(cast: Cast, gallery: Dataset, body: dict[str, Any]) -> None:
    assert ask(client_of(cast.alice), gallery, **body).status_code == 422
    assert not gallery.events.filter(verb="exported").exists()


def test_it_is_told_in_the_activity(cast: Cast, gallery: Dataset) -> None:
    ask(client_of(cast.victor), gallery, format="csv", filter={"rows": [1, 2]})
    event = gallery.events.latest("id")
    assert (str(event.who), event.text) == ("Victor", "exported 2 records as CSV")


# Who gets what ------------------------------------------------------------------------------------------


def visitor(
    cast: Cast, dataset: Dataset, *, hide_captions: bool = False, hide_originals: bool = False
) -> Client:
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.LINK)
    link = create_link(dataset.pk, cast.alice, hide_captions=hide_captions, hide_originals=hide_originals)
    client = Client()
    client.get(f"/s/{token_of(link)}")
    return client


@pytest.mark.parametrize("form", FORMATS)
def test_hidden_captions_do_not_leave(cast: Cast, gallery: Dataset, form: str) -> None:
    answer = ask(visitor(cast, gallery, hide_captions=True), gallery, format=form)
    data = content_of(answer)
    assert b"apples" not in data
    if form == "parquet":
        assert "captions" not in pq.read_table(io.BytesIO(data)).column_names
    else:
        assert b"caption" not in data
    assert (
        ask(
            visitor(cast, gallery, hide_captions=True), gallery, format=form, filter={"caption": "apples"}
        ).status_code
        == 422
    )


@pytest.mark.parametrize("form", ["zip", "webdataset"])
def test_hidden_originals_leave_as_thumbnails(cast: Cast, gallery: Dataset, form: str) -> None:
    data = content_of(ask(visitor(cast, gallery, hide_originals=True), gallery, format=form))
    assert picture("red", 30) not in data
    assert b"WEBP" in data
    assert b".png" not in data.replace(b"gallery.zip", b"")


def test_a_visitor_of_a_link_that_hides_nothing_gets_all(cast: Cast, gallery: Dataset) -> None:
    data = content_of(ask(visitor(cast, gallery), gallery, format="zip"))
    assert picture("red", 30) in data
    assert b"apples" in data


# Size ---------------------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_number_of_records(cast: Cast, gallery: Dataset) -> None:
    """4,000 records with pictures of their own, compared with 400."""
    template = Record.objects.filter(dataset=gallery).first()
    assert template is not None
    Record.objects.bulk_create(
        Record(
            dataset=gallery, row=row, source=f"{row}.png", caption="x" * 500, captions=["x" * 500],
            values={}, sha256=template.sha256, format="PNG", width=1, height=1, size=1,
        )
        for row in range(8, 4000)
    )  # fmt: skip

    def peak(count: int) -> int:
        rows = np.arange(count)
        tracemalloc.start()
        for piece in zip_pieces(export_of(gallery, rows, captions_as_list()), originals=True):
            del piece
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(8)
    small, large = peak(600), peak(4000)
    assert large < 1.5 * small + 10 * 2**20


def test_parquet_comes_in_groups(cast: Cast, gallery: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_tables, "_GROUP_ROWS", 3)
    monkeypatch.setattr("atlas.datasets.export.BATCH", 2)
    pieces = list(parquet_pieces(export_of(gallery, np.arange(8), captions_as_list())))
    assert len(pieces) == 3
    assert pq.ParquetFile(io.BytesIO(b"".join(pieces))).metadata.num_row_groups == 2


def test_a_zip_of_many_members_is_read_by_others(tmp_path: Path) -> None:
    with ZipStream() as archive, (tmp_path / "many.zip").open("wb") as file:
        for number in range(70_000):
            file.writelines(archive.member(f"{number}", b""))
        file.writelines(archive.end())
    with zipfile.ZipFile(tmp_path / "many.zip") as read:
        assert len(read.namelist()) == 70_000
        assert read.namelist()[-1] == "69999"


def test_a_zip_of_more_than_four_gigabytes_is_read_by_others(tmp_path: Path) -> None:
    """Its large member is a hole in the file."""
    path = tmp_path / "large.zip"
    hole = 2**32 + 5
    with ZipStream() as archive, path.open("wb") as file:
        header = archive._begin("hole", hole, 0)
        file.write(header)
        file.seek(hole, io.SEEK_CUR)
        file.writelines(archive.member("after", b"content"))
        file.writelines(archive.end())
    with zipfile.ZipFile(path) as read:
        assert read.getinfo("hole").file_size == hole
        assert read.read("after") == b"content"
    path.unlink()
