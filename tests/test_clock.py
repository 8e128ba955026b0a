"""The clock that all machines share, and messages that end by it."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from atlas import clock
from atlas.celery import Request, app, end_by_the_shared_clock

HOUR = 3600.0


@pytest.fixture(autouse=True)
def _unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_read_at", -HOUR)
    monkeypatch.setattr(clock, "_ahead", None)


def received(expires: str) -> Request:
    request = Request.__new__(Request)
    request.id, request.expires = "a message", datetime.fromisoformat(expires)
    return request


def sent(seconds: float) -> str:
    """When a message ends that is sent now, for nobody waits longer than this."""
    headers: dict[str, Any] = {"expires": datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()}
    end_by_the_shared_clock(headers=headers)
    return str(headers["expires"])


@pytest.mark.usefixtures("live_services")
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_machine_whose_clock_is_wrong_shares_the_others(
    monkeypatch: pytest.MonkeyPatch, hours: float
) -> None:
    right = time.time
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: right() + hours * HOUR)
        assert abs(clock.now() - right()) < 60


def test_while_redis_is_away_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> float:
        raise redis.ConnectionError

    monkeypatch.setattr(clock, "_asked", away)
    assert abs(clock.now() - time.time()) < 60


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_message_ends_by_the_clock_of_redis(monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    there = time.time() + hours * HOUR
    monkeypatch.setattr(clock, "_asked", lambda: there)

    assert not received(sent(60)).maybe_expire()
    assert received(sent(-1)).maybe_expire()


def test_every_task_is_received_so() -> None:
    app.loader.import_default_modules()
    ours = {name: task.Request for name, task in app.tasks.items() if name.startswith("atlas.")}
    assert {"atlas.search.tasks.answer", "atlas.maps.tasks.rescue"} <= ours.keys()
    assert set(ours.values()) == {"atlas.celery:Request"}
