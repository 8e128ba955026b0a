"""One clock for all machines, that of Redis, for what one of them says and another compares with its own."""

import logging
import time

import redis
from django.conf import settings

log = logging.getLogger(__name__)

#: So long ours counts on from what it said.
_SECONDS = 30.0
_read_at = -_SECONDS
#: Of its clock before our counter.
_ahead: float | None = None


def now() -> float:
    """Seconds since 1970. While Redis is away as far as is known, else by this machine's clock."""
    global _ahead, _read_at
    if time.monotonic() - _read_at > _SECONDS:
        _read_at = time.monotonic()
        try:
            _ahead = _asked() - time.monotonic()
        except redis.RedisError as error:
            log.warning("the clock of Redis is not known: %s", error)
    return time.time() if _ahead is None else time.monotonic() + _ahead


def _asked() -> float:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        seconds, microseconds = client.time()
    return float(seconds + microseconds / 1e6)
