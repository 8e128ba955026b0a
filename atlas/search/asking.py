"""The web process's side: hand a query to the query worker and wait, but not for one that is away."""

from functools import cache
from typing import Any, TypeAlias

import redis
from celery import Task
from celery.exceptions import TimeoutError as NoAnswer
from django.conf import settings

from atlas.celery import sign_key

#: Longer than any warm query; a cold start of a large model is waited for elsewhere.
WAIT_SECONDS = 8.0
#: Where there is another way to answer. A worker that hangs still shows signs of life for a while: nobody is
#: to wait so long for words that Postgres has at once.
SHORT_WAIT_SECONDS = 2.5


Answer = dict[str, Any]
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
    result = task.apply_async(arguments, expires=wait, priority=priority)
    try:
        answer: Answer = result.get(timeout=wait)
    except NoAnswer as error:
        raise WorkerAwayError from error
    finally:
        result.forget()
    return answer


def worker_is_there() -> bool:
    return bool(_redis().exists(sign_key("query")))


@cache
def _redis() -> redis.Redis:
    """One pool of connections for all requests: to open one takes longer than to ask."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)
