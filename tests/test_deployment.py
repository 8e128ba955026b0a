"""The site as on a server: Django's own check of a deployment, https, cookies, frames."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as ours
from django.test import Client
from pytest_django import Settings

from embeddings.pixels import MAX_PIXELS
from tests.people import PASSWORD, Cast

HOST = "atlas.example.org"


def check(folder: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """`manage.py check` as on a server."""
    server = {
        "PATH": os.environ["PATH"],
        "ATLAS_HOME": str(folder),
        "ATLAS_TLS": "true",
        "ATLAS_SECRET_KEY": "0a1b2c3d4e" * 5,
        "ATLAS_ALLOWED_HOSTS": HOST,
        "DATABASE_URL": "postgresql://atlas:secret@db.example.org/atlas",
        "REDIS_URL": "redis://redis.example.org:6379/0",
    }
    command = [sys.executable, "manage.py", "check", *arguments]
    return subprocess.run(
        command, cwd=ours.BASE_DIR, env=server | env, capture_output=True, text=True, check=False
    )


def test_django_finds_nothing_to_say_about_a_deployment(tmp_path: Path) -> None:
    done = check(tmp_path, "--deploy", "--fail-level", "DEBUG")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize("key", ["short", "a" * 60])
def test_a_secret_key_that_can_be_guessed_stops_the_process(tmp_path: Path, key: str) -> None:
    done = check(tmp_path, ATLAS_SECRET_KEY=key)
    assert done.returncode != 0
    assert "ATLAS_SECRET_KEY must be a random text" in done.stderr


def test_a_server_without_a_secret_key_does_not_start(tmp_path: Path) -> None:
    done = check(tmp_path, ATLAS_SECRET_KEY="")
    assert done.returncode != 0
    assert "ATLAS_SECRET_KEY must be set on a server" in done.stderr


def test_an_import_takes_no_picture_that_the_towers_could_not_decode(tmp_path: Path) -> None:
    done = check(tmp_path, ATLAS_LIMIT_PIXELS=str(MAX_PIXELS + 1))
    assert done.returncode != 0
    assert f"ATLAS_LIMIT_PIXELS must be a whole number from 1 to {MAX_PIXELS}" in done.stderr


# Behind TLS ----------------------------------------------------------------------------------------------


@pytest.fixture
def behind_tls(settings: Settings) -> None:
    """What ATLAS_TLS sets."""
    settings.ALLOWED_HOSTS = [HOST]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600


def get(path: str, *, secure: bool) -> Any:
    return Client(SERVER_NAME=HOST).get(path, secure=secure)


@pytest.mark.django_db
@pytest.mark.usefixtures("behind_tls")
def test_http_leads_to_https_and_https_stays() -> None:
    answer = get("/accounts/login/", secure=False)
    assert (answer.status_code, answer["Location"]) == (301, f"https://{HOST}/accounts/login/")
    answer = get("/accounts/login/", secure=True)
    assert answer.status_code == 200
    assert answer["Strict-Transport-Security"] == "max-age=31536000"
    assert get("/health", secure=False).status_code in (200, 503)  # asked from inside, without TLS


@pytest.mark.usefixtures("behind_tls")
def test_cookies_travel_by_https_only_and_scripts_cannot_read_the_session(cast: Cast) -> None:
    client = Client(SERVER_NAME=HOST)
    form = {"login": cast.alice.email, "password": PASSWORD}
    client.get("/accounts/login/", secure=True)
    client.post("/accounts/login/", form, secure=True)
    assert {"sessionid", "csrftoken"} <= client.cookies.keys()
    for cookie in client.cookies.values():
        assert cookie["secure"]
        assert cookie["samesite"] == "Lax"
    assert client.cookies["sessionid"]["httponly"]


# What browsers are told ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/api/datasets", "/no/such/page", "/v1/user", "/health"]
)
@pytest.mark.usefixtures("behind_tls", "cast")
def test_no_answer_is_guessed_framed_or_told_to_other_sites(path: str) -> None:
    answer = get(path, secure=True)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.usefixtures("cast")
def test_files_that_were_uploaded_have_no_address_of_their_own() -> None:
    (ours.MEDIA_ROOT / "originals").mkdir(parents=True, exist_ok=True)
    (ours.MEDIA_ROOT / "originals" / "page.html").write_text("<script>alert(1)</script>")
    for path in (
        "/media/originals/page.html",
        "/static/../media/originals/page.html",
        "/originals/page.html",
    ):
        assert Client().get(path).status_code == 404
