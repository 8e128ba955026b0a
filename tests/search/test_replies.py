"""Answers on their way back, through the real Redis."""

from typing import Any

import pytest

from atlas.search.replies import Answering, FailedError, connected, wait_for


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
