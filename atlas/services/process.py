"""Start a child that cannot outlive us."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from atlas.services.errors import ServiceError
from atlas.services.users import ServiceUser, run_as

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Child:
    """One process to run: what it is called in the log, how it starts and how it is asked to stop."""

    name: str
    argv: list[str]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    user: ServiceUser | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    stop_seconds: float = 4.0
    # Neighbours of the same layer stop at the same time.
    layer: str = "program"
    # Puts right what a killed predecessor left behind; called before every start.
    prepare: Callable[[], None] = lambda: None


def spawn(child: Child, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start `child` in a session of its own, its stdout and stderr going to `output`.

    The kernel sends `orphan_signal` when the *thread* that forked ends, hence the main thread only.
    Raises ServiceError when the program is missing or cannot be executed.
    """
    if not sys.platform.startswith("linux"):
        raise ServiceError(
            "Atlas starts its own services on Linux only: elsewhere use the containers of docker-compose.yml."
        )
    assert threading.current_thread() is threading.main_thread()
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()
    number = int(child.orphan_signal)

    def die_with_parent() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    try:
        return subprocess.Popen(
            child.argv,
            cwd=child.cwd,
            env=dict(child.env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A session of its own: Ctrl-C reaches the supervisor alone, which stops everything in order.
            start_new_session=True,
            # Runs after the change of user, which would clear the signal again.
            preexec_fn=die_with_parent,
            **run_as(child.user),
        )
    except OSError as error:
        raise ServiceError(f"{child.name} cannot be started: {child.argv[0]}: {error.strerror}.") from error


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of a child's session, its own children included."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
