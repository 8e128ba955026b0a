"""The Celery application. A worker's node name says its part: `default@…` or `query@…`."""

import os
import time
import warnings
from datetime import UTC, datetime
from typing import Any, Literal

import celery.worker.request
import celery.worker.state
import redis
from celery import Celery
from celery.signals import before_task_publish, heartbeat_sent, task_prerun
from django.conf import settings
from django.db import close_old_connections

from atlas import clock

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas.settings")

# Celery warns root of messages that are code; ours are JSON and nothing else is accepted.
warnings.filterwarnings("ignore", message="You're running the worker with superuser")

app = Celery("atlas")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

#: What leaves signs of life in Redis, as `/health` calls it.
PARTS = {"default worker": "default", "query worker": "query", "beat": "beat"}
SECONDS_BETWEEN_SIGNS = 5.0
SECONDS_A_SIGN_LASTS = 20
_last_sign = 0.0


def sign_key(part: str) -> str:
    """The Redis key that exists while this part is alive."""
    return f"atlas:worker:{part}"


@heartbeat_sent.connect
def leave_sign_of_life(sender: Any, **_: Any) -> None:
    """In the worker's main process."""
    leave_sign_of(sender.eventer.hostname.partition("@")[0])


def leave_sign_of(part: str) -> None:
    """Every few seconds: tell `/health` that the part which this process is, is there. Raises RedisError."""
    global _last_sign
    if time.monotonic() - _last_sign < SECONDS_BETWEEN_SIGNS:
        return
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        client.set(sign_key(part), "here", ex=SECONDS_A_SIGN_LASTS)
    _last_sign = time.monotonic()


@before_task_publish.connect
def end_by_the_shared_clock(headers: dict[str, Any], **_: Any) -> None:
    """Celery says by the sender's clock when a message is of no use any more, and compares that with the
    receiver's: one that is some seconds ahead would answer no search."""
    if headers.get("expires"):
        left = datetime.fromisoformat(headers["expires"]).timestamp() - time.time()
        headers["expires"] = datetime.fromtimestamp(clock.now() + left, UTC).isoformat()


class Request(celery.worker.request.Request):
    """A message as its worker sees it."""

    def maybe_expire(self) -> Literal[True] | None:
        if not self.expires or clock.now() <= self.expires.timestamp():
            return None
        celery.worker.state.revoked.add(self.id)  # as Celery's own does
        return True


# Of every task, also where its base class is one of ours.
celery.Task.Request = "atlas.celery:Request"


@task_prerun.connect
def look_after_connections(task: Any, **_: Any) -> None:
    """As Django does before each request: one that is old or broken goes. Not where a task runs within its
    caller, whose connection it is."""
    if not task.request.is_eager:
        close_old_connections()
