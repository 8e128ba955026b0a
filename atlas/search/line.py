"""Searches that come while others are on their way go together, as one message to the query worker.

A message costs both sides as much processor time as half a search, and one pass over a matrix serves eight
queries in two or three times the time of one (see `dots.py`). So it goes as databases commit: who comes while
enough are on their way waits in line, and the next message takes all who wait. Nobody waits for company.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any
from uuid import uuid4

#: Two messages: while the worker is busy with one, the answers of the other are sent out.
MOST_ON_THE_WAY = 2
#: Of one message: the last of them waits for all others.
MOST_TOGETHER = 8


@dataclass(eq=False)
class Turn:
    """One who asks; the answer comes back under `id`."""

    arguments: tuple[Any, ...]
    until: float
    id: str = field(default_factory=lambda: uuid4().hex)
    came: Event = field(default_factory=Event)
    #: Those who go together, where this is the one of them to send the message.
    lot: list["Turn"] = field(default_factory=list)
    #: Why the message could not be sent.
    problem: Exception | None = None

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.until - time.monotonic())


class Line:
    """Of one task, in one process; its threads stand in it."""

    def __init__(self, send: Callable[[list[Turn]], None]) -> None:
        self._send = send
        self._guard = Lock()
        self._on_the_way = 0
        self._waiting: list[Turn] = []

    def ask(self, arguments: tuple[Any, ...], seconds: float, wait: Callable[[str, float], Any]) -> Any:
        """What `wait(id, seconds)` returns for these arguments, once they were sent; None where that takes
        longer than `seconds`. Raises what `send` raises."""
        mine = Turn(arguments, time.monotonic() + seconds)
        if not self._stand(mine):
            return None
        if mine.problem:
            raise mine.problem
        if not mine.lot:
            return wait(mine.id, mine.seconds_left)
        try:
            self._go(mine.lot)
            return wait(mine.id, mine.seconds_left)
        finally:
            self._next()

    def _stand(self, mine: Turn) -> bool:
        """Until the turn has come; False where it does not in time."""
        with self._guard:
            if self._on_the_way < MOST_ON_THE_WAY:
                self._on_the_way += 1
                mine.lot = [mine]
                return True
            self._waiting.append(mine)
        if mine.came.wait(mine.seconds_left):
            return True
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        # It came just now, and others may count on it.
        return mine.came.wait()

    def _go(self, lot: list[Turn]) -> None:
        try:
            self._send(lot)
        except Exception as error:
            for each in lot:
                each.problem = error
            raise
        finally:
            for each in lot:
                each.came.set()

    def _next(self) -> None:
        """The last of those who go sends their message, and sees to the one after it: by then the answers of
        the others have come. Were it the first, the worker would not be half through their message yet, and
        half as many would wait for the next."""
        with self._guard:
            lot, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            if not lot:
                self._on_the_way -= 1
                return
        lot[-1].lot = lot
        lot[-1].came.set()
