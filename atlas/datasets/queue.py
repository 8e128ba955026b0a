"""Handing work to the workers. A message only carries a number; if it gets lost, the beat sends another."""

import logging
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerError

log = logging.getLogger(__name__)


def send_on_commit(task: str, pk: UUID) -> None:
    """Call a task of `tasks.py` with this id once the row that it is about has been committed."""
    transaction.on_commit(partial(_send, task, pk))


def _send(task: str, pk: UUID) -> None:
    try:
        current_app.send_task(f"atlas.datasets.tasks.{task}", [str(pk)], retry=False)
    except BrokerError as error:
        log.warning("%s %s not sent, the beat will: %s", task, pk, error)
