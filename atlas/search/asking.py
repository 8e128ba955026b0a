"""The web process's side: hand a query to the query worker and wait, but not for one that is away."""

from functools import cache
from typing import Any

import redis
from celery import Task
from celery.exceptions import TimeoutError as NoAnswer
from django.conf import settings

from atlas.celery import sign_key

#: Longer than any warm query; a cold start of a large model is waited for elsewhere.
WAIT_SECONDS = 20


class WorkerAwayError(Exception):
    """No query worker answers."""


def ask(task: "Task[Any, dict[str, Any]]", *arguments: Any) -> dict[str, Any]:
    """What the task returns. Raises WorkerAwayError, at once where no worker has shown a sign of life."""
    if not worker_is_there():
        raise WorkerAwayError
    result = task.apply_async(arguments, expires=WAIT_SECONDS)
    try:
        answer: dict[str, Any] = result.get(timeout=WAIT_SECONDS)
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
