"""Answers on their way back, through the real Redis."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from atlas.search import replies, tasks
from atlas.search.passes import Work
from atlas.search.replies import Answering, FailedError, connected, wait_for

pytestmark = pytest.mark.usefixtures("live_services")


@pytest.mark.parametrize(
    "answer", [{"content": b"\n\x00\n{}"}, {"error": "No.\n"}, {"found": [[1, 0.5]], "content": b""}, {}]
)
def test_what_is_answered_arrives(answer: dict[str, Any]) -> None:
    Answering().on_success(answer, "one")

    assert wait_for("one", 1) == {"content": b"", **answer}


def test_who_waits_for_nothing_is_told_in_time() -> None:
    assert wait_for("nobody", 0.1) is None


def test_a_task_that_broke_keeps_nobody_waiting() -> None:
    Answering().on_failure(ValueError(), "broken")

    with pytest.raises(FailedError, match="log"):
        wait_for("broken", 1)


def test_an_answer_is_taken_once() -> None:
    Answering().on_success({"tokens": 3}, "once")

    assert wait_for("once", 1) is not None
    assert wait_for("once", 0.1) is None


def test_who_has_no_time_left_does_not_wait_for_ever() -> None:
    assert wait_for("nobody", 0.0) is None


def test_waits_of_any_length_share_a_few_connections() -> None:
    before = connected.cache_info().currsize
    for part in range(10):
        assert wait_for("nobody", 0.01 + part / 1000) is None
    assert connected.cache_info().currsize <= before + 1


def failing(monkeypatch: pytest.MonkeyPatch, times: dict[str, int]) -> None:
    """So often each id cannot be told anything."""
    push = replies._push

    def fails(task_id: str, reply: bytes) -> None:
        if times.get(task_id, 0):
            times[task_id] -= 1
            raise RedisConnectionError
        push(task_id, reply)

    monkeypatch.setattr(replies, "_push", fails)


def test_a_connection_that_broke_loses_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, {"once": 1})

    Answering().on_success({"tokens": 3}, "once")

    assert wait_for("once", 1) == {"content": b"", "tokens": 3}


def test_one_who_cannot_be_told_keeps_nobody_of_a_lot_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, {"lot-1": 9})
    monkeypatch.setattr(tasks, "_answering", lambda _, number: answering(number))

    tasks.answer_all([["lot-1", 1], ["lot-2", 2], ["lot-3", 3]])

    assert wait_for("lot-1", 0.1) is None
    for number in (2, 3):
        assert wait_for(f"lot-{number}", 1) == {"content": b"", "found": number}


def test_all_of_a_lot_that_ends_half_way_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(works: list[Any]) -> Iterator[tuple[int, Any]]:
        yield 1, {"found": 2}
        raise SystemExit

    monkeypatch.setattr(tasks, "_answering", lambda _, number: answering(number))
    monkeypatch.setattr(tasks, "together", ends)

    with pytest.raises(SystemExit):
        tasks.answer_all([["end-1", 1], ["end-2", 2], ["end-3", 3]])

    assert wait_for("end-2", 1) == {"content": b"", "found": 2}
    for each in ("end-1", "end-3"):
        with pytest.raises(FailedError):
            wait_for(each, 1)


def answering(number: int) -> Work[dict[str, Any]]:
    return {"found": number}
    yield
