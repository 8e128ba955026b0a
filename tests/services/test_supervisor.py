"""The supervisor, over small shell scripts."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from atlas.services import system
from atlas.services.errors import ServiceError
from atlas.services.home import Home
from atlas.services.logbook import Logbook
from atlas.services.postgres import Postgres
from atlas.services.process import Child
from atlas.services.supervisor import Stopped, Supervisor
from tests.services.processes import SECONDS, command, wait_for


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with Supervisor(Logbook(tmp_path / "log")) as supervisor:
        yield supervisor
    for number, handler in handlers.items():
        signal.signal(number, handler)


def shell(name: str, script: str) -> Child:
    return Child(name=name, argv=["/bin/sh", "-c", script], cwd=Path("/"), stop_seconds=0.5)


def log(supervisor: Supervisor) -> str:
    return supervisor.log.path.read_text()


def test_it_writes_what_each_child_says_behind_its_name(
    supervisor: Supervisor, capfd: pytest.CaptureFixture[str]
) -> None:
    supervisor.run(shell("one", "echo hello; echo trouble >&2; printf unfinished"))
    for line in ("one      | hello", "one      | trouble", "one      | unfinished"):
        assert line in capfd.readouterr().out + log(supervisor)


def test_it_cuts_a_line_that_never_ends(supervisor: Supervisor) -> None:
    supervisor.run(shell("one", "head -c 300000 /dev/zero | tr '\\0' x"))
    lines = log(supervisor).splitlines()
    assert len(lines) > 2
    assert sum(line.count("x") for line in lines) == 300000


def test_a_full_disk_takes_lines_but_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").symlink_to("/dev/full")
    with open("/dev/full", "w") as terminal, Supervisor(Logbook(tmp_path / "log")) as supervisor:
        monkeypatch.setattr("sys.stdout", terminal)
        supervisor.run(shell("one", f"echo lost; echo done >{tmp_path}/reached"))
        monkeypatch.undo()
        with suppress(OSError):
            terminal.close()
    assert (tmp_path / "reached").exists()
    assert "Traceback" not in capfd.readouterr().err


def test_it_says_which_child_failed(supervisor: Supervisor) -> None:
    with pytest.raises(ServiceError, match="one failed with exit status 3"):
        supervisor.run(shell("one", "exit 3"))


def test_it_says_which_program_is_missing(supervisor: Supervisor) -> None:
    with pytest.raises(
        ServiceError, match=r"one cannot be started: /no/such/program: No such file or directory\."
    ):
        supervisor.run(replace(shell("one", ""), argv=["/no/such/program"]))


def test_it_starts_a_crashed_child_again_and_prepares_it_each_time(supervisor: Supervisor) -> None:
    prepared: list[None] = []
    child = replace(shell("one", "echo here; exit 1"), prepare=lambda: prepared.append(None))
    supervisor.start(child)
    supervisor.wait_until(lambda: len(prepared) == 3, "The third start", SECONDS)
    assert "one ended with exit status 1; it starts again in 0.5 s" in log(supervisor)
    assert "one ended with exit status 1; it starts again in 1 s" in log(supervisor)


def test_it_names_what_it_waited_for_in_vain(supervisor: Supervisor) -> None:
    with pytest.raises(ServiceError, match="A miracle did not come within 0 seconds"):
        supervisor.wait_until(lambda: False, "A miracle", 0.2)


def test_it_waits_on_while_the_database_replays_its_log(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([True, True, False])
    monkeypatch.setattr(system, "SECONDS_FOR_SERVERS", 0.2)
    monkeypatch.setattr(Postgres, "is_ready", lambda _: False)
    monkeypatch.setattr(Postgres, "is_recovering", lambda _: next(answers))
    with pytest.raises(ServiceError, match="The start of Postgres did not come"):
        system.wait_for(Postgres(Home(supervisor.log.path.parent)), supervisor)
    assert log(supervisor).count("still replays its log") == 2


def test_a_start_that_fails_later_is_put_off_and_the_others_go_on(supervisor: Supervisor) -> None:
    starts: list[None] = []

    def prepare() -> None:
        starts.append(None)
        if len(starts) == 2:
            raise ServiceError("No room.")

    supervisor.start(replace(shell("one", "exit 1"), prepare=prepare))
    supervisor.start(shell("other", "sleep 60"))
    supervisor.wait_until(lambda: len(starts) == 3, "The third start", SECONDS)
    assert "one could not be started (No room.); it starts again in 1 s" in log(supervisor)
    assert "other ended" not in log(supervisor)


def test_a_terminal_that_hangs_up_stops_nothing(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, terminal = os.openpty()
    with open(terminal, "w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        os.close(window)
        supervisor.run(shell("one", "echo unheard; echo unheard too"))
        monkeypatch.undo()
    assert "one      | unheard too" in log(supervisor)


def test_a_signal_ends_the_wait(supervisor: Supervisor) -> None:
    supervisor.start(shell("one", "sleep 60"))
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(Stopped, match="SIGTERM"):
        supervisor.serve()


def test_it_stops_programs_before_the_servers_they_lean_on(supervisor: Supervisor, tmp_path: Path) -> None:
    def leaving(name: str) -> str:
        return f'trap "echo {name} >>{tmp_path}/left; exit" TERM; echo up; while :; do sleep 0.05; done'

    server, program = (
        replace(shell(name, leaving(name)), stop_seconds=SECONDS) for name in ("server", "program")
    )
    supervisor.start(replace(server, layer="server"))
    supervisor.start(program)
    supervisor.wait_until(lambda: log(supervisor).count("| up") == 2, "The start", SECONDS)
    supervisor.stop()
    assert (tmp_path / "left").read_text().split() == ["program", "server"]


def test_it_kills_a_child_that_will_not_leave_and_what_that_has_started(supervisor: Supervisor) -> None:
    supervisor.start(shell("one", 'trap "" TERM; sleep 61 & echo $!; while :; do sleep 0.1; done'))
    supervisor.wait_until(lambda: "one      | " in log(supervisor), "The start", SECONDS)
    grandchild = int(log(supervisor).split("| ")[1])
    assert "sleep 61" in command(grandchild)
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 30
    wait_for(lambda: "sleep 61" not in command(grandchild), "The end of the grandchild")
