"""The data folder."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from atlas.services.errors import ServiceError
from atlas.services.home import FREE_BYTES_TO_START, Home, private_folder


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_full_disk_is_told_before_anything_starts(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1, 1, FREE_BYTES_TO_START - 1))
    with pytest.raises(
        ServiceError, match=r"Only 1023 MB are free .* set ATLAS_HOME to a folder on another disk"
    ):
        home.create()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ServiceError, match="cannot be used"):
        Home(tmp_path / "file" / "home").create()


def test_a_second_instance_is_told_who_has_the_folder(home: Home) -> None:
    home.create()
    with (
        home.locked({"url": "http://127.0.0.1:8123"}),
        pytest.raises(ServiceError, match=rf"pid {os.getpid()}, url http://127.0.0.1:8123.* already running"),
        home.locked({}),
    ):
        pass


def test_a_folder_that_is_free_again_can_be_locked(home: Home) -> None:
    home.create()
    with home.locked({}):
        pass
    with home.locked({}):
        pass


def test_a_socket_always_fits_into_its_address(tmp_path: Path) -> None:
    home = Home(tmp_path / ("x" * 200) / "a b")
    assert len(os.fsencode(home.sockets / ".s.PGSQL.5432.lock")) < 108
    assert " " not in str(home.sockets)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of a stranger")
def test_a_socket_folder_of_a_stranger_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    with pytest.raises(ServiceError, match="belongs to someone else"):
        private_folder(folder, None)


def test_a_place_for_sockets_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ServiceError, match=r"cannot be made .* let this user write to"):
        private_folder(tmp_path / "file" / "sockets", None)
