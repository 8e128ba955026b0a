"""Keep a handful of children running: prefixed log lines, restart after a crash, one signal stops them all.

One thread and one `select` loop, because a child dies with the *thread* that forked it.
"""

import logging
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from types import FrameType, TracebackType

from atlas.services.errors import ServiceError
from atlas.services.logbook import Logbook
from atlas.services.process import Child, kill_group, spawn

TICK = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
SECONDS_TO_TRUST = 10.0  # a child that ran this long starts over with the first pause
CHUNK = 65536


class Stopped(Exception):  # noqa: N818 - not an error
    """A signal asked us to stop."""


class Running:
    """A child under supervision: its present process, its unfinished log line and when it may start again."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.pipe = -1
        self.rest = b""
        self.pause = FIRST_PAUSE
        self.started_at = 0.0
        self.start_at = 0.0


class Supervisor:
    """Runs children; a context manager that leaves none behind, however the block ends."""

    def __init__(self, log: Logbook) -> None:
        self.log = log
        self.running: list[Running] = []
        self.selector = selectors.DefaultSelector()
        self.signalled: signal.Signals | None = None

    def __enter__(self) -> "Supervisor":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` asked for SIGHUP to be ignored
                signal.signal(number, self._note_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self.signalled = signal.Signals(number)

    def start(self, child: Child) -> None:
        """Start a child that is to run until we stop; it is started again whenever it ends."""
        running = Running(child)
        self.running.append(running)
        self._spawn(running)

    def run(self, child: Child) -> None:
        """Run a child to its end, while the others go on.

        Raises ServiceError when it fails, Stopped on a signal.
        """
        running = Running(child)
        self._spawn(running)
        process = running.process
        assert process is not None
        try:
            while process.poll() is None:
                self._turn()
        finally:
            self._finish(running)
        if process.returncode != 0:
            raise ServiceError(
                f"{child.name} failed with exit status {process.returncode}; "
                f"its words are above and in {self.log.path}."
            )

    def wait_until(
        self, condition: Callable[[], bool], what: str, seconds: float, pause: float = 0.0
    ) -> None:
        """Serve the children until `condition` holds, asked every `pause` seconds.

        Raises ServiceError after `seconds`, Stopped on a signal.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"{what} did not come within {seconds:.0f} seconds; "
                    f"the reason is above and in {self.log.path}."
                )
            pause_ends = time.monotonic() + pause
            self._turn()
            while time.monotonic() < pause_ends:
                self._turn()

    def serve(self) -> None:
        """Serve the children until a signal comes, then raise Stopped."""
        while True:
            self._turn()

    def _turn(self) -> None:
        if self.signalled:
            raise Stopped(self.signalled.name)
        for key, _ in self.selector.select(TICK):
            self._read(key.data)
        for running in self.running:
            self._revive(running)

    def _spawn(self, running: Running) -> None:
        running.child.prepare()
        running.pipe, write_end = os.pipe()
        os.set_blocking(running.pipe, False)
        try:
            running.process = spawn(running.child, write_end)
        except ServiceError:
            os.close(running.pipe)
            running.pipe = -1
            raise
        finally:
            os.close(write_end)
        running.started_at = time.monotonic()
        self.selector.register(running.pipe, selectors.EVENT_READ, running)

    def _revive(self, running: Running) -> None:
        now = time.monotonic()
        name = running.child.name
        if running.process is None:
            if now >= running.start_at:
                try:
                    self._spawn(running)
                except (ServiceError, OSError) as error:  # a full disk, no more processes: it may pass
                    self._postpone(running, f"{name} could not be started ({error})")
            return
        if running.process.poll() is None:
            return
        if now - running.started_at > SECONDS_TO_TRUST:
            running.pause = FIRST_PAUSE
        status = running.process.returncode
        self._finish(running)
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        self._postpone(running, f"{name} ended with {how}")

    def _postpone(self, running: Running, what: str) -> None:
        self.log.write("atlas", f"{what}; it starts again in {running.pause:g} s", logging.WARNING)
        running.start_at = time.monotonic() + running.pause
        running.pause = min(running.pause * 2, LONGEST_PAUSE)

    def _finish(self, running: Running) -> None:
        """Clear up after a child that ended: its last words, what it had started, its pipe."""
        if running.process is None:
            return
        kill_group(running.process)
        running.process = None
        if running.pipe >= 0:
            self._read(running)
        if running.rest:
            self.log.write(running.child.name, running.rest.decode(errors="replace"))
            running.rest = b""
        if running.pipe >= 0:
            self._close(running)

    def _close(self, running: Running) -> None:
        self.selector.unregister(running.pipe)
        os.close(running.pipe)
        running.pipe = -1

    def _read(self, running: Running) -> None:
        """Log what a child has said by now, whole lines only (or pieces of an endless one)."""
        while True:
            try:
                data = os.read(running.pipe, CHUNK)
            except BlockingIOError:
                return
            if not data:
                self._close(running)
                return
            *lines, running.rest = (running.rest + data).split(b"\n")
            if len(running.rest) > CHUNK:
                lines, running.rest = [*lines, running.rest], b""
            for line in lines:
                self.log.write(running.child.name, line.decode(errors="replace"))

    def stop(self) -> None:
        """Stop every child, the last started first; each is killed when it takes longer than it may."""
        while self.running:
            # One layer at a time: the programs together, then the servers they lean on.
            leaving = [self.running.pop()]
            while self.running and self.running[-1].child.layer == leaving[0].child.layer:
                leaving.append(self.running.pop())
            self._stop_together(leaving)
        self.selector.close()

    def _stop_together(self, leaving: list[Running]) -> None:
        for running in leaving:
            if running.process and running.process.poll() is None:
                running.process.send_signal(running.child.stop_signal)
        deadline = time.monotonic() + max(running.child.stop_seconds for running in leaving)
        while time.monotonic() < deadline and any(
            running.process and running.process.poll() is None for running in leaving
        ):
            for key, _ in self.selector.select(TICK):
                self._read(key.data)
        for running in leaving:
            self._finish(running)
