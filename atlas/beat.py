"""What sends the tasks that come again and again."""

from typing import Any

import redis
from celery.beat import PersistentScheduler

from atlas.celery import leave_sign_of


class Scheduler(PersistentScheduler):
    """Celery's sends a task when its last run is so long ago. After the clock was put back that run lies in
    the future: it would send nothing until then, nor would the next one, by its file."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        for entry in self.schedule.values():
            now = entry.default_now()
            if entry.last_run_at and entry.last_run_at > now:
                entry.last_run_at = now
                self._heap = None  # in the order of their times
        try:
            leave_sign_of("beat")
        except redis.RedisError:
            self.logger.warning("no sign of life from the beat: Redis does not answer")
        return float(super().tick(*args, **kwargs))
