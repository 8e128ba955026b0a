"""The web process's side: hand a query to the query worker and wait, but not for one that is away."""

import time
from functools import cache, partial
from typing import Any

from atlas.celery import sign_key
from atlas.connections import let_go
from atlas.search.line import Line, Turn
from atlas.search.replies import Answer, Answering, WorkerAwayError, connected, wait_for

#: Longer than any warm query; a cold start of a large model is waited for elsewhere.
WAIT_SECONDS = 8.0
#: Where there is another way to answer. A worker that hangs still shows signs of life for a while: nobody is
#: to wait so long for words that Postgres has at once.
SHORT_WAIT_SECONDS = 2.5

#: So long a worker that was there still is.
SEEN_SECONDS = 1.0

_seen_at = -SEEN_SECONDS


def ask(task: Answering, *arguments: Any, wait: float = WAIT_SECONDS) -> Answer:
    """What the task returns. Raises WorkerAwayError, at once where no worker has shown a sign of life, and
    FailedError."""
    if not worker_is_there():
        raise WorkerAwayError
    let_go()
    if task.together is None:
        return _there(_sent(task, arguments, wait, priority=0))
    return _there(_line_of(task).ask(arguments, wait, wait_for))


def ask_later(task: Answering, *arguments: Any, wait: float) -> Answer:
    """The same for what no person waits for: every search goes first."""
    if not worker_is_there():
        raise WorkerAwayError
    let_go()
    return _there(_sent(task, arguments, wait, priority=9))


@cache
def _line_of(task: Answering) -> Line:
    return Line(partial(_send, task))


def _send(task: Answering, lot: list[Turn]) -> None:
    expires = max(turn.seconds_left for turn in lot)
    if len(lot) == 1:
        task.apply_async(lot[0].arguments, task_id=lot[0].id, expires=expires, priority=0)
    else:
        asked = [[turn.id, *turn.arguments] for turn in lot]
        task.together.apply_async([asked], expires=expires, priority=0)


def _sent(task: Answering, arguments: tuple[Any, ...], wait: float, *, priority: int) -> Answer | None:
    sent = task.apply_async(arguments, expires=wait, priority=priority)
    return wait_for(str(sent.id), wait)


def _there(answer: Answer | None) -> Answer:
    if answer is None:
        raise WorkerAwayError
    return answer


def worker_is_there() -> bool:
    """Not asked for each search: the sign lasts many times as long as the answer is kept."""
    global _seen_at
    if time.monotonic() - _seen_at > SEEN_SECONDS:
        if not connected(2).exists(sign_key("query")):
            return False
        _seen_at = time.monotonic()
    return True
