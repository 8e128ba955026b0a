"""Who comes while enough are on their way goes with all who wait; nobody is forgotten."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from atlas.search.line import MOST_ON_THE_WAY, MOST_TOGETHER, Line, Turn


class Worker:
    """Answers with the question, once it is let go on."""

    def __init__(self) -> None:
        self.lots: list[list[Any]] = []
        self.answers: dict[str, Any] = {}
        self.go_on = Event()

    def send(self, lot: list[Turn]) -> None:
        self.lots.append([turn.arguments[0] for turn in lot])
        self.answers |= {turn.id: turn.arguments[0] for turn in lot}

    def wait(self, key: str, seconds: float) -> Any:
        return self.answers[key] if self.go_on.wait(seconds) else None


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.001)


def ask_all(
    pool: ThreadPoolExecutor, line: Line, worker: Worker, questions: range, wait: Any = None
) -> list["Future[Any]"]:
    """They come one after the other."""
    asked = []
    for number in questions:
        asked.append(pool.submit(line.ask, (number,), 10, wait or worker.wait))
        until(lambda: len(line._waiting) + sum(map(len, worker.lots)) == questions.start + len(asked))
    return asked


def test_a_single_one_goes_at_once() -> None:
    worker = Worker()
    worker.go_on.set()
    line = Line(worker.send)

    assert [line.ask((number,), 10, worker.wait) for number in range(3)] == [0, 1, 2]
    assert worker.lots == [[0], [1], [2]]


def test_who_waits_goes_together_in_the_order_of_coming() -> None:
    worker, count = Worker(), MOST_ON_THE_WAY + MOST_TOGETHER + 3
    line = Line(worker.send)

    with ThreadPoolExecutor(count) as pool:
        asked = ask_all(pool, line, worker, range(count))
        alone = worker.lots.copy()
        worker.go_on.set()
        answers = [each.result(10) for each in asked]

    assert answers == list(range(count))
    assert alone == [[number] for number in range(MOST_ON_THE_WAY)]
    rest = list(range(MOST_ON_THE_WAY, count))
    # Two threads send them.
    assert sorted(worker.lots[MOST_ON_THE_WAY:]) == [rest[:MOST_TOGETHER], rest[MOST_TOGETHER:]]


def test_the_next_message_goes_when_the_last_of_one_has_its_answer() -> None:
    worker = Worker()
    line = Line(worker.send)
    answered = {number: Event() for number in range(MOST_ON_THE_WAY + 5)}

    def wait(key: str, seconds: float) -> Any:
        return worker.answers[key] if answered[worker.answers[key]].wait(seconds) else None

    first, last, waiting = MOST_ON_THE_WAY, MOST_ON_THE_WAY + 2, MOST_ON_THE_WAY + 4
    with ThreadPoolExecutor(len(answered)) as pool:
        asked = ask_all(pool, line, worker, range(last + 1), wait)
        for number in range(MOST_ON_THE_WAY):
            answered[number].set()
            asked[number].result(10)
        asked += ask_all(pool, line, worker, range(last + 1, waiting + 1), wait)
        answered[first].set()
        asked[first].result(10)
        sent = worker.lots.copy()
        answered[last].set()
        until(lambda: len(worker.lots) > len(sent))
        for each in answered.values():
            each.set()

    # The last two by two threads.
    assert sorted(sent) == [*([number] for number in range(first)), [first, first + 1, last], [last + 1]]
    assert worker.lots[-1] == [waiting]


def test_who_waits_too_long_leaves_the_line() -> None:
    worker = Worker()
    line = Line(worker.send)

    with ThreadPoolExecutor(MOST_ON_THE_WAY) as pool:
        ask_all(pool, line, worker, range(MOST_ON_THE_WAY))
        assert line.ask(("late",), 0.05, worker.wait) is None
        worker.go_on.set()

    assert line.ask(("next",), 10, worker.wait) == "next"
    assert ["late"] not in worker.lots


def test_a_message_that_cannot_be_sent_is_told_to_all_of_it_and_holds_up_nobody() -> None:
    worker, away = Worker(), Event()

    def send(lot: list[Turn]) -> None:
        if away.is_set():
            raise ConnectionError("Redis is away.")
        worker.send(lot)

    line, count = Line(send), MOST_ON_THE_WAY + 3
    with ThreadPoolExecutor(count) as pool:
        asked = ask_all(pool, line, worker, range(count))
        away.set()
        worker.go_on.set()
        for each in asked[MOST_ON_THE_WAY:]:
            with pytest.raises(ConnectionError):
                each.result(10)
    away.clear()

    assert line.ask(("next",), 10, worker.wait) == "next"
