"""The settings: read from the environment, and loud about what is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from celery.backends.base import DisabledBackend
from django.core.exceptions import ImproperlyConfigured

from atlas.celery import app
from atlas.datasets.reading import limits
from atlas.environment import (
    celery_url,
    database,
    env,
    envbool,
    envchoice,
    envint,
    envlist,
    stored_secret_key,
)
from embeddings.readers import Limits


@pytest.mark.parametrize(
    ("value", "meaning"), [("1", True), ("Yes", True), ("on", True), ("false", False), ("", False)]
)
def test_a_switch_is_true_or_false(monkeypatch: pytest.MonkeyPatch, value: str, meaning: bool) -> None:
    monkeypatch.setenv("ATLAS_X", value)
    assert envbool("ATLAS_X") is meaning


def test_a_switch_refuses_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_X", "maybe")
    with pytest.raises(ImproperlyConfigured, match="ATLAS_X must be true or false, and is 'maybe'"):
        envbool("ATLAS_X")


@pytest.mark.parametrize("value", ["0", "11", "3.5", "-1", "ten"])
def test_a_number_refuses_what_is_outside_its_range(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ATLAS_X", value)
    with pytest.raises(ImproperlyConfigured, match=f"must be a whole number from 1 to 10, and is '{value}'"):
        envint("ATLAS_X", 5, 1, 10)


def test_a_choice_names_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_X", "green")
    with pytest.raises(ImproperlyConfigured, match="ATLAS_X must be one of red, blue"):
        envchoice("ATLAS_X", "red", ("red", "blue"))


def test_a_list_drops_what_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_X", "a, b,,")
    assert envlist("ATLAS_X") == ["a", "b"]


def test_an_empty_value_is_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_X", "  ")
    assert env("ATLAS_X", "default") == "default"
    assert envint("ATLAS_X", 5, 1, 10) == 5


def test_a_database_is_read_from_its_url() -> None:
    entry = database("postgresql://me:p%40ss@db.example.org:5433/at%20las?sslmode=require", pool=0)
    assert (entry["USER"], entry["PASSWORD"], entry["HOST"], entry["PORT"]) == (
        "me",
        "p@ss",
        "db.example.org",
        5433,
    )
    assert entry["NAME"] == "at las"
    assert entry["OPTIONS"] == {"sslmode": "require"}


def test_a_socket_is_a_host_too() -> None:
    entry = database("postgresql://atlas@/atlas?host=/run/here&port=5432", pool=4)
    assert entry["HOST"] == "/run/here"
    assert entry["OPTIONS"] == {"pool": {"min_size": 1, "max_size": 4, "timeout": 5}}


@pytest.mark.parametrize("url", ["mysql://a/b", "postgresql://host/", "nonsense"])
def test_a_database_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must look like postgresql://"):
        database(url, pool=0)


@pytest.mark.parametrize(
    ("url", "for_celery"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("rediss://me:p%40s@host:6379/0", "rediss://me:p%40s@host:6379/0?ssl_cert_reqs=required"),
        ("rediss://host/0?ssl_cert_reqs=none", "rediss://host/0?ssl_cert_reqs=none"),
        ("unix:///run/redis.sock?db=1", "redis+socket:///run/redis.sock?virtual_host=1"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("unix://me:p%40s@/run/r.sock", "redis+socket://me:p%40s@/run/r.sock?virtual_host=0"),
        ("unix:///run/r.sock?password=p%40s", "redis+socket://:p%40s@/run/r.sock?virtual_host=0"),
    ],
)
def test_celery_gets_its_own_spelling_of_a_redis_url(url: str, for_celery: str) -> None:
    assert celery_url(url) == for_celery


def test_a_redis_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL must begin with"):
        celery_url("amqp://host")


def test_the_secret_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "secret_key"
    key = stored_secret_key(path)
    assert len(key) >= 50
    assert stored_secret_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["secret_key"]


@pytest.mark.parametrize("below", ["", "home"])
def test_a_data_folder_that_cannot_be_used_is_told_with_what_to_do(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ImproperlyConfigured, match=r"cannot be used .*: set ATLAS_HOME to a folder you may"):
        stored_secret_key(tmp_path / "file" / below / "secret_key")


def test_no_results_are_kept_that_nobody_reads() -> None:
    assert isinstance(app.backend, DisabledBackend)


def test_copies_on_two_ports_of_a_machine_do_not_take_each_others_cookies() -> None:
    names = "from atlas import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    [first, second] = [
        subprocess.run(
            [sys.executable, "-c", names], env={**os.environ, "ATLAS_PORT": port}, capture_output=True,
            text=True, check=True,
        ).stdout.split()
        for port in ("8000", "8001")
    ]  # fmt: skip
    assert first == ["sessionid", "csrftoken"]  # whoever is signed in already stays so
    assert not {*first} & {*second}


@pytest.mark.parametrize(("writable", "place"), [(True, None), (False, "compiled")])
def test_what_numba_compiles_has_a_place_where_the_code_may_not_be_written(
    tmp_path: Path, writable: bool, place: str | None
) -> None:
    script = f"""
import os
os.access = lambda *_: {writable}
import atlas.settings
print(os.environ.get("NUMBA_CACHE_DIR"))
"""
    env = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    command = [sys.executable, "-c", script]
    ended = subprocess.run(
        command, env=env | {"ATLAS_HOME": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == str(place and tmp_path / place)


def test_the_limits_of_an_upload_are_those_that_readme_points_at() -> None:
    assert limits() == Limits()
