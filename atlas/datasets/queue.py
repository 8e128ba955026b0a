"""Handing work to the workers. A message only carries a number; if it gets lost, the beat sends another."""

import logging
from bisect import bisect_right
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerError

log = logging.getLogger(__name__)


#: Where the next of the four priorities begins, in records and in bytes. Somebody's fifty pictures go before
#: what is left of somebody's million.
RECORDS = (2_000, 20_000, 200_000)
BYTES = (20 << 20, 200 << 20, 2 << 30)
_EACH = 3  # Celery counts from 0, most urgent on Redis, to 9; Redis keeps a list for every third


def priority(size: int, steps: tuple[int, ...]) -> int:
    """Of work on a set of this size: the smaller, the sooner."""
    return _EACH * bisect_right(steps, size)


def send_on_commit(task: str, pk: UUID, *, level: int = 0) -> None:
    """Call a task of `tasks.py` with this id once the row that it is about has been committed."""
    transaction.on_commit(partial(_send, task, pk, level))


def _send(task: str, pk: UUID, level: int) -> None:
    try:
        current_app.send_task(f"atlas.datasets.tasks.{task}", [str(pk)], retry=False, priority=level)
    except BrokerError as error:
        log.warning("%s %s not sent, the beat will: %s", task, pk, error)
