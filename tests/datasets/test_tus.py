"""The tus protocol, spoken by hand."""

import base64
import errno
import fcntl
import hashlib
import os
import shutil
from datetime import timedelta
from typing import Any, BinaryIO

import pytest
from django.db import connection
from django.db.models import F
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from atlas.datasets import tus
from atlas.datasets.imports import create_dataset
from atlas.datasets.models import Upload
from atlas.datasets.uploads import discard, remove_expired
from atlas.patience import RESERVE
from tests.people import Cast, client_of

TUS = {"Tus-Resumable": "1.0.0"}
BODY = "application/offset+octet-stream"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def create(client: Client, size: int, body: bytes | None = None, extra: dict[str, str] | None = None) -> Any:
    headers = {"Upload-Length": str(size), "Upload-Metadata": f"filename {encoded('fruit.zip')}"} | (
        extra or {}
    )
    if body is None:
        return client.post("/uploads/", headers=TUS | headers)
    return client.post("/uploads/", body, content_type=BODY, headers=TUS | headers)


def patch(client: Client, url: str, offset: int, body: bytes, **headers: str) -> Any:
    headers = {"Upload-Offset": str(offset)} | headers
    return client.patch(url, body, content_type=BODY, headers=TUS | headers)


def head(client: Client, url: str) -> Any:
    return client.head(url, headers=TUS)


@pytest.fixture
def alice(cast: Cast) -> Client:
    return client_of(cast.alice)


def test_it_says_what_it_can(alice: Client, settings: Settings) -> None:
    response = alice.options("/uploads/")
    assert response.status_code == 204
    assert response["Tus-Version"] == "1.0.0"
    assert response["Tus-Max-Size"] == str(settings.ATLAS_UPLOAD_BYTES)
    assert set(response["Tus-Extension"].split(",")) >= {"creation", "expiration", "checksum", "termination"}


def test_it_takes_a_file_in_pieces(alice: Client) -> None:
    url = create(alice, 6)["Location"]
    first = patch(alice, url, 0, b"abc")
    assert (first.status_code, first["Upload-Offset"]) == (204, "3")
    assert head(alice, url)["Upload-Offset"] == "3"
    assert patch(alice, url, 3, b"def")["Upload-Offset"] == "6"
    upload = Upload.objects.get()
    assert upload.complete
    assert upload.filename == "fruit.zip"
    assert upload.path.read_bytes() == b"abcdef"


def test_it_takes_the_first_piece_with_the_creation(alice: Client) -> None:
    response = create(alice, 6, b"abc")
    assert (response.status_code, response["Upload-Offset"]) == (201, "3")
    assert "Upload-Expires" in response


def test_it_takes_an_empty_file(alice: Client) -> None:
    create(alice, 0)
    assert Upload.objects.get().complete


def test_it_keeps_the_place_of_a_file_in_its_folder(alice: Client) -> None:
    create(
        alice,
        1,
        extra={"Upload-Metadata": f"filename {encoded('1.jpg')},relativePath {encoded('fruit/red/1.jpg')}"},
    )
    assert Upload.objects.get().relative_path == "fruit/red/1.jpg"


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\x\\passwd", "pass\0wd", "a\nb/passwd"])
def test_it_keeps_only_the_last_part_of_a_file_name(alice: Client, name: str) -> None:
    create(alice, 1, extra={"Upload-Metadata": f"filename {encoded(name)}"})
    assert Upload.objects.get().filename == "passwd"


def test_it_trusts_the_file_after_the_server_was_killed_while_writing(alice: Client) -> None:
    url = create(alice, 6, b"abc")["Location"]
    with Upload.objects.get().path.open("ab") as file:
        file.write(b"de")  # on the disk, but the row was never updated
    assert head(alice, url)["Upload-Offset"] == "5"
    assert patch(alice, url, 5, b"f").status_code == 204
    assert Upload.objects.get().path.read_bytes() == b"abcdef"


def test_it_refuses_a_wrong_offset(alice: Client) -> None:
    url = create(alice, 6, b"abc")["Location"]
    assert patch(alice, url, 0, b"abc").status_code == 409
    assert patch(alice, url, 4, b"f").status_code == 409
    assert Upload.objects.get().path.read_bytes() == b"abc"


def test_it_refuses_more_than_was_announced(alice: Client) -> None:
    url = create(alice, 3)["Location"]
    assert patch(alice, url, 0, b"abcd").status_code == 413


def test_it_refuses_a_second_writer(alice: Client) -> None:
    url = create(alice, 6, b"abc")["Location"]
    with Upload.objects.get().path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert patch(alice, url, 3, b"def").status_code == 423
    assert patch(alice, url, 3, b"def").status_code == 204


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_it_verifies_a_checksum(alice: Client, algorithm: str) -> None:
    url = create(alice, 6)["Location"]
    digest = base64.b64encode(hashlib.new(algorithm, b"abc").digest()).decode()
    assert patch(alice, url, 0, b"abX", **{"Upload-Checksum": f"{algorithm} {digest}"}).status_code == 460
    assert head(alice, url)["Upload-Offset"] == "0"
    assert patch(alice, url, 0, b"abc", **{"Upload-Checksum": f"{algorithm} {digest}"}).status_code == 204
    assert patch(alice, url, 3, b"def").status_code == 204
    assert Upload.objects.get().path.read_bytes() == b"abcdef"


def test_it_drops_unchecked_bytes_of_a_killed_server(alice: Client) -> None:
    url = create(alice, 6, b"abc")["Location"]
    Upload.objects.update(unchecked=True)
    with Upload.objects.get().path.open("ab") as file:
        file.write(b"??")
    assert head(alice, url)["Upload-Offset"] == "3"
    assert patch(alice, url, 3, b"def").status_code == 204
    assert Upload.objects.get().path.read_bytes() == b"abcdef"


def test_it_ends_an_upload(alice: Client) -> None:
    url = create(alice, 6, b"abc")["Location"]
    path = Upload.objects.get().path
    assert path.exists()
    assert alice.delete(url, headers=TUS).status_code == 204
    assert not path.exists()
    assert head(alice, url).status_code == 404


def test_what_an_import_reads_is_not_deleted(cast: Cast, alice: Client) -> None:
    url = create(alice, 6, b"abcdef")["Location"]
    upload = Upload.objects.get()
    create_dataset(cast.team, "Fruit", cast.alice, [upload])
    assert alice.delete(url, headers=TUS).status_code == 409
    assert upload.path.exists()


def test_what_an_import_takes_in_the_last_moment_is_not_deleted(cast: Cast, alice: Client) -> None:
    create(alice, 6, b"abcdef")
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    looked_at = Upload.objects.get()
    create_dataset(cast.team, "Fruit", cast.alice, [Upload.objects.get()])
    with CaptureQueriesContext(connection) as asked:
        assert not discard(looked_at)
    assert asked[1]["sql"].endswith("LIMIT 1 FOR UPDATE")  # asked when no import can take it any more
    assert looked_at.path.exists()


def test_only_its_user_sees_it(cast: Cast) -> None:
    url = create(client_of(cast.alice), 6, b"abc")["Location"]
    for other in (cast.bob, cast.charlie):
        assert head(client_of(other), url).status_code == 404
        assert patch(client_of(other), url, 3, b"def").status_code == 404
        assert client_of(other).delete(url, headers=TUS).status_code == 404
    assert head(client_of(None), url).status_code == 401
    assert create(client_of(None), 6).status_code == 401


def test_it_wants_the_csrf_token(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.alice)
    assert create(browser, 6).status_code == 403
    browser.cookies["csrftoken"] = "x" * 32
    assert create(browser, 6, extra={"X-CSRFToken": "x" * 32}).status_code == 201


def test_it_understands_a_method_in_a_header(alice: Client) -> None:
    url = create(alice, 3)["Location"]
    headers = TUS | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert alice.post(url, b"abc", content_type=BODY, headers=headers).status_code == 204


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "many"}, 400),
        ({"Upload-Length": "9" * 40}, 400),
        ({"Upload-Length": "9" * 17}, 413),
        ({"Upload-Defer-Length": "1"}, 400),
        ({"Upload-Metadata": "filename not,base64!"}, 400),
        ({"Upload-Metadata": "filename \u00e9"}, 400),
        ({"Upload-Metadata": f"relativePath {encoded('x' * 2000)}"}, 400),
        ({"Tus-Resumable": "0.2.2"}, 412),
    ],
)
def test_it_refuses_nonsense_with_a_sentence(alice: Client, headers: dict[str, str], status: int) -> None:
    response: HttpResponse = create(alice, 6, extra=headers)
    assert response.status_code == status
    assert response.content.endswith(b".")
    assert not Upload.objects.exists()


def test_it_refuses_other_methods_and_bodies(alice: Client) -> None:
    url = create(alice, 3)["Location"]
    assert alice.get(url, headers=TUS).status_code == 405
    assert alice.patch(url, b"abc", content_type="text/plain", headers=TUS).status_code == 415


def test_it_refuses_what_the_disk_has_no_room_for(alice: Client, settings: Settings) -> None:
    settings.ATLAS_UPLOAD_BYTES = 10**18
    assert create(alice, 10**17).status_code == 507


class Disk:
    """With so many bytes free."""

    def __init__(self, free: int) -> None:
        self.free = free

    def usage(self, _: object) -> "Disk":
        return self


def test_room_is_promised_once_and_not_what_postgres_needs(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", Disk(RESERVE + 10_000).usage)
    assert create(alice, 10_001).status_code == 507
    url = create(alice, 6_000)["Location"]
    assert create(alice, 6_000).status_code == 507
    assert patch(alice, url, 0, bytes(2_000)).status_code == 204
    assert create(alice, 6_000).status_code == 201


def test_an_upload_that_was_left_lying_holds_no_room(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", Disk(RESERVE + 10_000).usage)
    assert create(alice, 6_000).status_code == 201
    Upload.objects.update(expires_at=F("expires_at") - timedelta(hours=2))
    assert create(alice, 6_000).status_code == 201


def test_an_upload_stops_before_postgres_and_redis_find_no_room(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = create(alice, 6, b"abc")["Location"]
    monkeypatch.setattr(shutil, "disk_usage", Disk(RESERVE - 1).usage)
    answer = patch(alice, url, 3, b"def")
    assert (answer.status_code, answer.content.decode()) == (507, "The server's disk is full.")
    monkeypatch.undo()
    assert patch(alice, url, 3, b"def").status_code == 204


def test_a_disk_that_gets_full_in_the_middle_is_told_and_what_arrived_stays(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 3 << 20
    address = create(alice, size)["Location"]
    good = tus._write_all

    def full_after_the_first(file: BinaryIO, piece: bytes) -> None:
        if file.tell():
            raise OSError(errno.ENOSPC, "No space left on device")
        good(file, piece)

    monkeypatch.setattr(tus, "_write_all", full_after_the_first)
    answer = patch(alice, address, 0, bytes(size))
    assert (answer.status_code, answer.content.decode()) == (507, "The server's disk is full.")
    monkeypatch.undo()
    kept = int(head(alice, address)["Upload-Offset"])
    assert 0 < kept < size
    assert patch(alice, address, kept, bytes(size - kept)).status_code == 204


def test_it_removes_what_nobody_came_back_for(alice: Client) -> None:
    create(alice, 6, b"abc")
    create(alice, 6, b"abc")
    old, young = Upload.objects.order_by("created_at")
    Upload.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    gone, kept = old.path, young.path
    stray = gone.with_name("stray")
    stray.touch()
    os.utime(stray, (0, 0))
    assert remove_expired() == 2
    assert not gone.exists()
    assert not stray.exists()
    assert kept.exists()
