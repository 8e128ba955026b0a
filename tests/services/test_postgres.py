"""The embedded Postgres."""

import os
import pwd
import shutil
from pathlib import Path

import psycopg
import pytest

from atlas.services.errors import ServiceError
from atlas.services.home import Home
from atlas.services.postgres import Postgres, postgres_url
from atlas.services.users import OPEN_FOLDER, service_user
from tests.embedded import embedded_services
from tests.stack import open_folder

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts services as another user")


def query(home: Home, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(postgres_url(home)) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_it_brings_pgvector_and_unicode(made_home: Home) -> None:
    with embedded_services(made_home):
        query(made_home, "CREATE EXTENSION vector")
        assert query(made_home, "SELECT '[1,2]'::halfvec <-> '[4,6]'::halfvec") == [(5.0,)]
        assert query(made_home, "SELECT lower('ÄPFEL')") == [("äpfel",)]


def test_it_keeps_rows_over_a_restart(made_home: Home) -> None:
    with embedded_services(made_home):
        query(made_home, "CREATE TABLE kept AS SELECT 7 AS number")
    with embedded_services(made_home):
        assert query(made_home, "SELECT number FROM kept") == [(7,)]


def test_it_tells_a_start_that_takes_its_time_from_one_that_ended(made_home: Home) -> None:
    with embedded_services(made_home):
        server = Postgres(made_home)
        server.data = server.data.resolve()
        pid_file = server.data / "postmaster.pid"
        ready = pid_file.read_text()
        assert (server.is_ready(), server.is_recovering()) == (True, False)
        pid_file.write_text(ready.replace("ready   ", "starting"))
        assert (server.is_ready(), server.is_recovering()) == (False, True)
        starting = pid_file.read_text()
        pid_file.write_text(ready)
    pid_file.write_text(starting)
    assert not server.is_recovering()
    pid_file.unlink()


def test_it_starts_in_a_folder_of_any_name_and_length() -> None:
    with open_folder() as folder:
        home = Home(folder / ("deep/" * 30) / "a folder, with 'quotes' & ümlauts")
        home.path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        with embedded_services(home):
            assert query(home, "SELECT 1") == [(1,)]


def test_it_begins_again_after_a_creation_that_was_killed(home: Home) -> None:
    home.create()
    half_done = home.path / "postgres.new"
    half_done.mkdir()
    (half_done / "PG_VERSION").write_text("18")
    with embedded_services(home):
        assert query(home, "SELECT 1") == [(1,)]
    assert not half_done.exists()


def test_it_is_not_stopped_by_a_pid_file_that_names_a_stranger(made_home: Home) -> None:
    with embedded_services(made_home):
        pid_file = made_home.path / "postgres" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    # A killed server leaves the file; meanwhile its number was given to a process that lives: us.
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    with embedded_services(made_home):
        assert query(made_home, "SELECT 1") == [(1,)]


def test_nobody_else_may_open_its_files_and_sockets(made_home: Home) -> None:
    with embedded_services(made_home):
        for folder in (made_home.path / "postgres", made_home.path / "redis", made_home.sockets):
            assert folder.stat().st_mode & 0o077 == 0, folder


def test_it_removes_its_sockets(made_home: Home) -> None:
    with embedded_services(made_home):
        assert made_home.sockets.exists()
    assert not made_home.sockets.exists()


@only_root
def test_root_starts_it_as_an_ordinary_user(made_home: Home) -> None:
    with embedded_services(made_home):
        user = service_user(made_home.path)
        assert user is not None
        assert user.uid != 0
        assert (made_home.path / "postgres").stat().st_uid == user.uid


@only_root
def test_root_goes_on_as_the_owner_of_the_folder(home: Home) -> None:
    nobody = pwd.getpwnam("nobody")
    home.path.mkdir(mode=0o700)
    os.chown(home.path, nobody.pw_uid, nobody.pw_gid)
    with embedded_services(home):
        assert (home.path / "postgres").stat().st_uid == nobody.pw_uid


@only_root
def test_it_refuses_a_database_of_another_user(home: Home) -> None:
    home.create()
    (home.path / "postgres").mkdir()
    os.chown(home.path / "postgres", 12345, 12345)
    with pytest.raises(ServiceError, match="belongs to user id 12345"):
        Postgres(home).create()
    home.remove_sockets()


@only_root
def test_root_puts_the_data_elsewhere_when_its_home_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    home = Home(tmp_path / "home")
    try:
        with embedded_services(home):
            assert query(home, "SELECT 1") == [(1,)]
            assert (home.path / "postgres").readlink().parent == OPEN_FOLDER
    finally:
        for name in ("postgres", "redis"):
            shutil.rmtree((home.path / name).readlink())
