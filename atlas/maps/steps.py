"""One run of a step: claim it, give signs of life while it works, record how it ended.

All times are by the clock of the database: those of two machines are seldom the same.
"""

import logging
import threading
import uuid
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from atlas.datasets.models import State
from atlas.maps import progress
from atlas.maps.build import OPEN
from atlas.maps.models import Build, Step
from atlas.patience import BEAT_SECONDS

log = logging.getLogger(__name__)

T = TypeVar("T")

ITEMS_BETWEEN_CHECKS = 5000


class Stopped(Exception):  # noqa: N818 - an outcome, not an error
    """The build was cancelled, or this run was taken for dead and another one holds the step."""


def claim(step_id: int) -> Step | None:
    """Take a waiting step of an open build; None if it was not there to be taken."""
    # The build is looked up in a query of its own: a join would let two claims at the same moment succeed.
    changed = Step.objects.filter(
        pk=step_id, state=State.QUEUED, build__in=Build.objects.filter(state__in=OPEN)
    ).update(
        state=State.RUNNING,
        claim=uuid.uuid4(),
        attempts=F("attempts") + 1,
        error="",
        started_at=Now(),
        heartbeat_at=Now(),
        finished_at=None,
    )
    if not changed:
        return None
    step = Step.objects.select_related("build__dataset").get(pk=step_id)
    Build.objects.filter(pk=step.build_id, state=State.QUEUED).update(state=State.RUNNING)
    return step


def hold(step: Step) -> None:
    """Inside a transaction: make sure that what it writes is written by the run that holds the step.

    Raises Stopped if that is another one, or the build was cancelled.
    """
    mine = Step.objects.filter(pk=step.pk, claim=step.claim, state=State.RUNNING)
    if mine.select_for_update().first() is None:
        raise Stopped
    if Build.objects.filter(pk=step.build_id, state=State.CANCELLED).exists():
        raise Stopped


def finish(step: Step) -> None:
    """Mark it done, if this run still holds it."""
    with transaction.atomic():
        Step.objects.filter(pk=step.pk, claim=step.claim, state=State.RUNNING).update(
            state=State.DONE, done=F("total"), finished_at=Now()
        )


class Watch:
    """While a step works: writes its progress and sign of life every second, and learns that it shall stop.

    A context manager; `report` and `check` raise Stopped.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._done = (step.done, step.total)
        self._stop = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch-{step.pk}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def check(self) -> None:
        if self.stopped:
            raise Stopped

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """The items, with a check now and then."""
        for number, item in enumerate(items):
            if number % ITEMS_BETWEEN_CHECKS == 0:
                self.check()
            yield item

    def report(self, done: int, total: int) -> None:
        self._done = (done, total)
        self.check()

    def _run(self) -> None:
        try:
            while not self._over.wait(BEAT_SECONDS):
                self._give_sign()
        finally:
            connection.close()  # this thread's own

    def _give_sign(self) -> None:
        step = self._step
        done, total = self._done
        try:
            changed = Step.objects.filter(pk=step.pk, claim=step.claim, state=State.RUNNING).update(
                heartbeat_at=Now(), done=done, total=total
            )
            cancelled = Build.objects.filter(pk=step.build_id, state=State.CANCELLED).exists()
        except DatabaseError as error:
            # A Postgres that restarts: the next sign goes over a new connection.
            log.warning("no sign of life for step %s: %s", step.pk, error)
            connection.close()
            return
        if cancelled or not changed:
            self._stop.set()
        progress.announce(step.build.dataset_id)
