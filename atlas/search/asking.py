"""The web process's side: hand a query to the query worker and wait, but not for one that is away."""

from typing import Any, TypeAlias

from celery import Task

from atlas.celery import sign_key
from atlas.connections import let_go
from atlas.search.replies import Answer, connected, wait_for

#: Longer than any warm query; a cold start of a large model is waited for elsewhere.
WAIT_SECONDS = 8.0
#: Where there is another way to answer. A worker that hangs still shows signs of life for a while: nobody is
#: to wait so long for words that Postgres has at once.
SHORT_WAIT_SECONDS = 2.5

Asked: TypeAlias = "Task[Any, Answer]"


class WorkerAwayError(Exception):
    """No query worker answers."""


def ask(task: Asked, *arguments: Any, wait: float = WAIT_SECONDS) -> Answer:
    """What the task returns. Raises WorkerAwayError, at once where no worker has shown a sign of life."""
    return _asked(task, arguments, wait=wait, priority=0)


def ask_later(task: Asked, *arguments: Any, wait: float) -> Answer:
    """The same for what no person waits for: every search goes first."""
    return _asked(task, arguments, wait=wait, priority=9)


def _asked(task: Asked, arguments: tuple[Any, ...], *, wait: float, priority: int) -> Answer:
    if not worker_is_there():
        raise WorkerAwayError
    let_go()
    sent = task.apply_async(arguments, expires=wait, priority=priority)
    answer = wait_for(str(sent.id), wait)
    if answer is None:
        raise WorkerAwayError
    return answer


def worker_is_there() -> bool:
    return bool(connected(2).exists(sign_key("query")))
