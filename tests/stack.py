"""Start `manage.py up` for a test and stop it again."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from atlas.services.users import RunAs

SECONDS_TO_START = 300.0
SECONDS_TO_STOP = 60.0


@dataclass(frozen=True)
class Stack:
    """A running system."""

    url: str
    home: Path
    env: Mapping[str, str]
    process: subprocess.Popen[bytes]

    def manage(self, *arguments: str) -> str:
        """Run a management command on this system; returns what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def log(self) -> str:
        """All that its processes have said so far."""
        return (self.home / "logs" / "atlas.log").read_text()


@contextmanager
def open_folder() -> Iterator[Path]:
    """A new folder that every user may walk through, as the services of root do; pytest's are closed."""
    with tempfile.TemporaryDirectory(prefix="atlas-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def free_port() -> int:
    """A TCP port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stack_environment(home: Path, port: int) -> dict[str, str]:
    """What `manage.py up` is to see: the data folder, the port, the small model, one worker process."""
    env = {**os.environ, "ATLAS_HOME": str(home), "ATLAS_PORT": str(port), "ATLAS_MODEL": "mini"}
    return {**env, "ATLAS_WORKERS": "1", "DJANGO_SETTINGS_MODULE": "atlas.settings"}


@contextmanager
def running_stack(
    folder: Path, *arguments: str, python: Sequence[str] = (sys.executable,), run_as: RunAs | None = None
) -> Iterator[Stack]:
    """`manage.py up`, ready inside the block: data in `folder`/home, what it prints in `folder`/output."""
    port = free_port()
    env = stack_environment(folder / "home", port)
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*python, "manage.py", "up", *arguments], cwd=settings.BASE_DIR, env=env,
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, preexec_fn=heed_ctrl_c,
            **(run_as or {}),
        )  # fmt: skip
    try:
        wait_for_line(process, output, "ready: ")
        yield Stack(f"http://127.0.0.1:{port}", folder / "home", env, process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def heed_ctrl_c() -> None:
    """A shell that runs the tests in the background lets all of their children ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_line(process: subprocess.Popen[bytes], output: Path, text: str) -> None:
    """Until a line of `output` begins with `text`; fails with the output when the process ends first."""
    deadline = time.monotonic() + SECONDS_TO_START
    while not any(line.startswith(text) for line in output.read_text().splitlines()):
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.05)
