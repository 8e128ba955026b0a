"""The beat's scheduler."""

from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings

from atlas import beat
from atlas.beat import Scheduler
from atlas.celery import app, leave_sign_of, sign_key


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scheduler:
    """All of whose tasks ran some seconds ago by a clock that was two hours ahead."""
    monkeypatch.setattr(beat, "leave_sign_of", lambda _: None)
    ahead = Scheduler(app, schedule_filename=str(tmp_path / "schedule"))
    for entry in ahead.schedule.values():
        entry.last_run_at = entry.default_now() + timedelta(hours=2)
    ahead.close()
    return Scheduler(app, schedule_filename=str(tmp_path / "schedule"))


def test_it_goes_on_after_the_clock_was_put_back(scheduler: Scheduler) -> None:
    assert 0 < scheduler.tick() <= 5
    for name, task in settings.CELERY_BEAT_SCHEDULE.items():
        _, seconds = scheduler.schedule[name].is_due()
        assert seconds <= task["schedule"]


def test_it_gives_a_sign_of_life(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[str] = []
    monkeypatch.setattr(beat, "leave_sign_of", parts.append)
    scheduler.tick()
    assert parts == ["beat"]


def test_it_goes_on_while_redis_is_away(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: str) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(beat, "leave_sign_of", away)
    assert scheduler.tick() > 0


@pytest.mark.usefixtures("live_services")
def test_a_sign_of_life_goes_by_itself() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(sign_key("beat"))
        leave_sign_of("beat")
        assert 0 < client.ttl(sign_key("beat")) <= 20
