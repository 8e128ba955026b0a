"""What is answered when the server fails."""

import errno
from typing import NoReturn
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError, ResponseError


@pytest.mark.parametrize("path", ["/api/datasets", "/"])
@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OperationalError("the database system is starting up"), 503, "part of the server does not answer"),
        (ConnectionError("Error 111 connecting to redis"), 503, "part of the server does not answer"),
        (BrokerError("Error 111 connecting to redis"), 503, "part of the server does not answer"),
        (OSError(errno.ENOSPC, "secret"), 507, "disk is full"),
        (
            ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
            507,
            "disk is full",
        ),
        (ZeroDivisionError("secret"), 500, "omething went wrong"),
    ],
)
def test_it_tells_a_server_that_is_away_and_a_full_disk_from_a_mistake(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str, error: Exception, status: int, words: str
) -> None:
    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_request", fail)
    client.raise_request_exception = False

    answer = client.get(path)

    assert answer.status_code == status
    assert words in answer.content.decode()
    assert str(error) not in answer.content.decode()
    assert answer.get("Retry-After") == ("5" if status == 503 else None)
    assert answer["Content-Type"].startswith("application/json" if path.startswith("/api") else "text/html")


def test_a_name_that_the_server_was_not_told_is_said_in_words(client: Client) -> None:
    page = client.get("/", headers={"host": "atlas.example.org"})
    answer = client.get("/api/datasets", headers={"host": "atlas.example.org"})

    assert (page.status_code, answer.status_code) == (400, 400)
    assert "ATLAS_ALLOWED_HOSTS" in page.content.decode()
    assert answer.json()["detail"] == "The server cannot make sense of this request."


@pytest.mark.django_db
def test_a_limit_that_nobody_can_count_is_no_mistake(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> NoReturn:
        raise ConnectionError("Error 111 connecting to redis")

    monkeypatch.setattr("atlas.teams.limits.counted", fail)
    client.raise_request_exception = False

    answer = client.post(f"/api/datasets/{uuid4()}/table", "{}", content_type="application/json")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["detail"].startswith("A part of the server does not answer.")
