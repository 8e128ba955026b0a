"""How the answer of a task comes back to the process that waits for it: through a list in Redis.

Celery's own results would come through a subscription, on a connection made for each request, and be wrapped
in JSON twice; that took the web process as long as the rest of a search.
"""

import json
import math
from functools import cache
from typing import Any

import redis
from celery import Task
from django.conf import settings
from redis.exceptions import RedisError

#: JSON; but `content`, where there is one, is bytes.
Answer = dict[str, Any]

#: Whoever asked takes an answer at once, or has given up.
_REPLY_SECONDS = 60


class WorkerAwayError(Exception):
    """No query worker answers: a sentence."""

    def __init__(self, sentence: str = "The query worker is away. Try again in a moment.") -> None:
        super().__init__(sentence)


class FailedError(WorkerAwayError):
    """The task broke: its worker's log tells why. Whoever can answer without a worker may."""


class Answering(Task):  # type: ignore[type-arg]  # generic to the type checker only
    """A task that somebody waits for; it returns an `Answer`."""

    abstract = True
    ignore_result = True
    #: The task that does several of these at once: of `[[id, *arguments], …]`, each answered under its id.
    together: Any = None

    def on_success(self, retval: Answer, task_id: str, *_: Any) -> None:
        leave(task_id, retval)

    def on_failure(self, exc: BaseException, task_id: str, *_: Any) -> None:  # noqa: ARG002 - Celery's names
        leave(task_id, None)


def leave(task_id: str, answer: Answer | None) -> None:
    """Where `wait_for` finds it; None of what broke. Raises RedisError."""
    reply = b""
    if answer is not None:
        head = json.dumps({key: value for key, value in answer.items() if key != "content"})
        reply = b"%s\n%s" % (head.encode(), answer.get("content", b""))
    try:
        _push(task_id, reply)
    except RedisError:
        # A connection that broke meanwhile: the next one is new. Told twice does no harm.
        _push(task_id, reply)


def _push(task_id: str, reply: bytes) -> None:
    with connected(2).pipeline(transaction=False) as pipeline:
        pipeline.rpush(_key(task_id), reply)
        pipeline.expire(_key(task_id), _REPLY_SECONDS)
        pipeline.execute()


def wait_for(task_id: str, seconds: float) -> Answer | None:
    """What the task returned; None where it does not in time. Raises FailedError where it broke."""
    if seconds <= 0:  # which Redis takes for ever
        return None
    # The socket waits a little longer than Redis is told to; whole seconds, for each length has its own pool.
    found: Any = connected(math.ceil(seconds) + 2).blpop([_key(task_id)], seconds)
    if found is None:
        return None
    head, _, content = found[1].partition(b"\n")
    if not head:
        raise FailedError("The query worker failed at this: its log tells why.")
    answer: Answer = json.loads(head)
    return {**answer, "content": content}


@cache
def connected(seconds: int) -> redis.Redis:
    """One pool of connections for all requests: to open one takes longer than to ask.

    seconds: after which a Redis that hangs is given up.
    """
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=seconds)


def _key(task_id: str) -> str:
    return f"atlas:reply:{task_id}"
