"""Postgres and Redis for the length of a `with`, without the supervisor."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from atlas.services.errors import ServiceError
from atlas.services.home import Home
from atlas.services.postgres import Postgres
from atlas.services.process import Child, kill_group, spawn
from atlas.services.redis import Redis

SECONDS_TO_START = 60.0


@contextmanager
def embedded_services(home: Home) -> Iterator[None]:
    """Run the Postgres and the Redis of `home`; both are ready inside the block and gone after it.

    Raises ServiceError when the folder is in use or a server does not start.
    """
    home.create()
    with home.locked({}), ExitStack() as stack:
        redis, postgres = Redis(home), Postgres(home)
        redis.create()
        postgres.create()
        for child in (redis.child(), postgres.child()):
            stack.enter_context(
                _running(home, child, redis.is_ready if child.name == "redis" else postgres.is_ready)
            )
        postgres.create_database()
        yield


@contextmanager
def _running(home: Home, child: Child, is_ready: Callable[[], bool]) -> Iterator[None]:
    child.prepare()
    with (home.logs / f"{child.name}.log").open("ab") as log:
        process = spawn(child, log)
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServiceError(
                    f"{child.name} did not start; its last words are in {home.logs / child.name}.log."
                )
            time.sleep(0.02)
        yield
    finally:
        stop(process, child.stop_signal, child.stop_seconds)


def stop(process: subprocess.Popen[bytes], number: signal.Signals, seconds: float) -> None:
    """Ask a child to leave, and kill what is left of it after `seconds`."""
    if process.poll() is None:
        process.send_signal(number)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    kill_group(process)
