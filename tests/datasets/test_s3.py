"""Pictures in S3 instead of the file system: stored, served, read for a build, deleted."""

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.http import StreamingHttpResponse
from pytest_django import Settings

from atlas.datasets.delete import delete_dataset, remove_dataset
from atlas.datasets.models import Dataset, Record, RemovedRecord
from atlas.datasets.remove import clear_removed, remove_records
from atlas.environment import s3_storage
from atlas.maps import embed
from atlas.teams.asker import Asker
from tests.datasets.fake_s3 import BUCKET, FakeS3, fake_s3
from tests.datasets.material import added, fruit_zip, imported_dataset, picture
from tests.people import Cast, client_of, content_of


@pytest.fixture(autouse=True)
def s3(data_folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    """The default storage is a bucket; keys are where boto3 looks for them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with fake_s3() as store:
        settings.STORAGES = {**settings.STORAGES, "default": s3_storage(BUCKET, store.url)}
        yield store
    assert not (data_folder / "media").exists()


def objects_of(store: FakeS3, kind: str) -> dict[str, bytes]:
    return {key.rpartition("/")[2]: data for key, data in store.objects.items() if key.startswith(kind)}


def test_originals_are_kept_byte_for_byte_beside_their_thumbnails(s3: FakeS3, fruit: Dataset) -> None:
    pictures = [picture(colour) for colour in ("red", "yellow", "blue")]
    names = [hashlib.sha256(data).hexdigest() for data in pictures]
    assert objects_of(s3, "originals/") == dict(zip(names, pictures, strict=True))
    thumbnails = objects_of(s3, "thumbnails/")
    assert thumbnails.keys() == {f"{name}.webp" for name in names}
    assert all(data[8:12] == b"WEBP" for data in thumbnails.values())


def test_they_are_served_to_those_who_may_see_them(s3: FakeS3, cast: Cast, fruit: Dataset) -> None:
    address = f"/api/datasets/{fruit.pk}/records/1"
    thumbnail = client_of(cast.victor).get(f"{address}/thumbnail")
    assert thumbnail.content in s3.objects.values()
    original = client_of(cast.victor).get(f"{address}/original")
    assert isinstance(original, StreamingHttpResponse)
    assert content_of(original) == picture("yellow")
    for name in ("thumbnail", "original"):
        assert client_of(cast.charlie).get(f"{address}/{name}").status_code == 404


def test_what_is_gone_is_not_found(s3: FakeS3, cast: Cast, fruit: Dataset) -> None:
    s3.objects.clear()
    for name in ("thumbnail", "original"):
        assert client_of(cast.victor).get(f"/api/datasets/{fruit.pk}/records/1/{name}").status_code == 404


def test_the_same_pictures_are_not_sent_again(s3: FakeS3, cast: Cast, fruit: Dataset) -> None:
    broken = next(key for key in s3.objects if key.startswith("originals/"))
    s3.objects[broken] = b"half of i"
    s3.asked.clear()
    Record.objects.filter(dataset=fruit).update(key=None)

    added(fruit, cast.alice, "fruit.zip", fruit_zip())

    assert [key for method, key in s3.asked if method == "PUT"] == [broken]
    assert hashlib.sha256(s3.objects[broken]).hexdigest() == broken.rpartition("/")[2]


def test_a_build_reads_them_and_does_without_those_that_are_gone(s3: FakeS3, fruit: Dataset) -> None:
    gone = fruit.records.get(row=1).original
    assert gone is not None
    del s3.objects[gone]
    found = embed._pictures(fruit, np.arange(3))
    assert found == {0: picture("red"), 2: picture("blue")}


def test_a_picture_that_is_cleared_between_a_look_and_its_download_is_gone_and_breaks_nothing(
    s3: FakeS3, cast: Cast, fruit: Dataset
) -> None:
    client = client_of(cast.alice)
    original, address = fruit.records.get(row=1).original, f"/api/datasets/{fruit.pk}"
    assert original is not None
    kept = s3.objects[original]

    def cleared_by_and_by() -> None:
        s3.objects[original] = kept
        s3.fleeting = {original}

    cleared_by_and_by()
    export: Any = client.post(f"{address}/export", {"format": "zip"}, content_type="application/json")
    with zipfile.ZipFile(io.BytesIO(content_of(export))) as archive:
        pictures = sorted(archive.read(name) for name in archive.namelist() if name != "metadata.csv")
        table = list(csv.DictReader(io.StringIO(archive.read("metadata.csv").decode("utf-8-sig"))))
    assert pictures == sorted([picture("red"), picture("blue")])
    assert [row["file_name"] != "" for row in table] == [True, False, True]

    cleared_by_and_by()
    assert client.get(f"{address}/records/1/original").status_code == 404

    cleared_by_and_by()
    assert embed._pictures(fruit, np.arange(3)).keys() == {0, 2}


def take(dataset: Dataset, cast: Cast, *rows: int) -> None:
    mask = np.zeros(dataset.row_count, bool)
    mask[list(rows)] = True
    assert remove_records(dataset.pk, mask, Asker(cast.alice)) == len(rows)
    clear_removed(dataset.pk)


def test_the_files_of_removed_records_go_and_no_others(s3: FakeS3, cast: Cast, fruit: Dataset) -> None:
    red, yellow, blue = fruit.records.order_by("row")
    Record.objects.filter(dataset=fruit, row=blue.row).update(sha256=red.sha256)
    other = imported_dataset(cast)
    before = set(s3.objects)
    s3.asked.clear()

    take(fruit, cast, red.row, yellow.row)

    assert before - set(s3.objects) == {yellow.original, yellow.thumbnail}
    assert [key for method, key in s3.asked if method == "DELETE"] == [yellow.original, yellow.thumbnail]
    take(fruit, cast, blue.row)  # the last that shows the red one
    assert not {red.original, red.thumbnail} & set(s3.objects)
    assert {key for key in before if str(other.pk) in key} <= set(s3.objects)


def test_clearing_goes_on_where_a_file_of_a_removed_record_is_gone(
    s3: FakeS3, cast: Cast, fruit: Dataset
) -> None:
    gone = fruit.records.get(row=0).original
    assert gone is not None
    del s3.objects[gone]
    take(fruit, cast, 0, 1, 2)
    assert not [key for key in s3.objects if str(fruit.pk) in key]
    assert not RemovedRecord.objects.filter(cleared=False).exists()


def test_a_deleted_dataset_leaves_nothing(s3: FakeS3, cast: Cast, fruit: Dataset) -> None:
    other = imported_dataset(cast)
    delete_dataset(fruit)
    remove_dataset(fruit.pk)
    assert s3.objects
    assert all(str(other.pk) in key for key in s3.objects)
