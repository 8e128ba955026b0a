"""What is done about a database or a Redis that is away, a disk that is full, a worker that is stopped."""

import errno
import logging
import os
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from kombu.exceptions import OperationalError as BrokerError
from psycopg.errors import DiskFull
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

log = logging.getLogger(__name__)

#: What Django raises when the server went away, in the middle or before.
AWAY = (OperationalError, InterfaceError)
#: What is raised when Redis did: by the cache and the limits, or by Celery.
REDIS_AWAY = (RedisConnectionError, RedisTimeoutError, BrokerError)
#: A crashed database first replays its log; whoever waits longer is found by the beat.
SECONDS = 60.0
PAUSE = 0.5
#: Runs that may end with their worker: a restart of the system is no fault of the work.
MAX_DEATHS = 6
STOPPED_TOO_OFTEN = "Its worker was stopped again and again, perhaps for lack of memory."
#: Between the signs of life of who works: a little under a second, for pages are promised one word a second.
BEAT_SECONDS = 0.8
#: A worker that gave none for so long was killed.
SILENCE = timedelta(seconds=15)
#: For a Celery task that lost the database: it goes on once that answers.
LATER: dict[str, Any] = {"autoretry_for": AWAY, "retry_kwargs": {"countdown": 2, "max_retries": 30}}

#: Bytes of the disk that pictures and uploads leave to Postgres and Redis, which refuse every write where it
#: is full; less than `FREE_BYTES_TO_START` of `services.home`, or what starts could take nothing in.
RESERVE = 512 << 20


def once_the_database_answers(write: Callable[[], None]) -> None:
    """Call it, again and again while the database is away. Raises what it raises in the end."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return write()
        except AWAY as error:
            if time.monotonic() > deadline:
                raise
            log.warning("the database does not answer: %s", error)
        connection.close()
        time.sleep(PAUSE)


def is_away(error: BaseException) -> bool:
    """Whether the same may go well later: the database went away or had no connection left, or two
    transactions got in each other's way. Other errors of the same classes, like a value that is too long for
    an index, come again each time."""
    state = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, AWAY) and (state is None or state.startswith(("08", "40", "57P", "53300")))


def require_room(folder: Path) -> None:
    """Raises the OSError of a full disk, some time before it is."""
    if shutil.disk_usage(folder).free < RESERVE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def disk_is_full(error: BaseException) -> bool:
    """Whether a file of ours, or one of the database's or of Redis', found no room."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, ResponseError):
        return os.strerror(errno.ENOSPC) in str(error)
    return isinstance(error.__cause__, DiskFull)
