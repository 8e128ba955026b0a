"""`manage.py up`: the whole system, and what it survives."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
import redis
from django.conf import settings

from atlas.services.home import Home
from atlas.services.postgres import postgres_url
from atlas.services.redis import redis_url
from atlas.services.users import RunAs
from tests.services.processes import SECONDS, child_with, command, descendants, parents, wait_for
from tests.stack import Stack, free_port, open_folder, running_stack, stack_environment


def is_ready(stack: Stack) -> bool:
    try:
        with urllib.request.urlopen(f"{stack.url}/health", timeout=5) as answer:  # noqa: S310 - our own address
            return bool(json.load(answer)["ready"])
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.fixture
def ready(stack: Stack) -> Iterator[Stack]:
    """The system, healthy before the test and again after it."""
    wait_for(lambda: is_ready(stack), "A good answer from /health")
    yield stack
    wait_for(lambda: is_ready(stack), "Recovery", seen=stack.log)


def refused_start(env: dict[str, str]) -> str:
    """What `up` says when it does not start."""
    done = subprocess.run(
        [sys.executable, "manage.py", "up"], cwd=settings.BASE_DIR, env=env,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def test_health_names_every_part(ready: Stack) -> None:
    with urllib.request.urlopen(f"{ready.url}/health") as answer:  # noqa: S310 - our own address
        parts = json.load(answer)["parts"]
    assert parts == dict.fromkeys(("postgres", "redis", "default worker", "query worker", "beat"), "ok")


def test_a_second_start_on_the_same_folder_is_told_who_has_it(ready: Stack) -> None:
    said = refused_start(stack_environment(ready.home, free_port()))
    assert f"pid {ready.process.pid}" in said
    assert ready.url in said
    assert "already running on the data folder" in said


def test_a_start_on_a_port_in_use_is_told_so(ready: Stack) -> None:
    with open_folder() as folder:
        said = refused_start(stack_environment(folder / "home", int(ready.url.rpartition(":")[2])))
    assert "is in use by another program: choose another" in said


def test_a_wrong_setting_is_told_in_a_sentence() -> None:
    with open_folder() as folder:
        env = stack_environment(folder / "home", free_port())
        said = subprocess.run(
            [sys.executable, "manage.py", "up"], cwd=settings.BASE_DIR, env={**env, "ATLAS_PORT": "http"},
            capture_output=True, text=True, check=False,
        ).stderr  # fmt: skip
    assert said.strip() == "ATLAS_PORT must be a whole number from 1 to 65535, and is 'http'."


@pytest.mark.slow
def test_a_killed_postgres_comes_back_with_every_committed_row(ready: Stack) -> None:
    url = postgres_url(Home(ready.home))
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE fault (number int)")
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO fault SELECT generate_series(1, 1000)")
    killed = child_with(ready.process.pid, "bin/postgres")
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: is_new_child(ready, "bin/postgres", killed), "A new Postgres")
    wait_for(lambda: is_ready(ready), "Recovery")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT sum(number) FROM fault").fetchone() == (500500,)
        connection.execute("DROP TABLE fault")


@pytest.mark.slow
def test_a_killed_redis_comes_back_with_its_log(ready: Stack) -> None:
    url = redis_url(Home(ready.home))
    with redis.Redis.from_url(url) as client:
        client.set("fault", "survived")
    time.sleep(1.1)  # the log reaches the kernel with each write, the disk once a second
    killed = child_with(ready.process.pid, "redis-server")
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: is_new_child(ready, "redis-server", killed), "A new Redis")
    wait_for(lambda: is_ready(ready), "Recovery")
    with redis.Redis.from_url(url) as client:
        assert client.getdel("fault") == b"survived"


@pytest.mark.slow
@pytest.mark.parametrize("program", ["uvicorn", "default@", "query@", " beat "])
def test_a_killed_program_is_started_again(ready: Stack, program: str) -> None:
    killed = child_with(ready.process.pid, program)
    started = descendants(killed)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: is_new_child(ready, program, killed), f"A new {program}")
    wait_for(lambda: not started & parents().keys(), "The end of what the killed one had started")


def is_new_child(stack: Stack, text: str, old: int) -> bool:
    """Whether a child whose command line holds `text` runs now that is not the old one."""
    tree = parents()
    return any(tree[pid] == stack.process.pid and pid != old and text in command(pid) for pid in tree)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_can_start_it() -> None:
    nobody = pwd.getpwnam("nobody")
    become: RunAs = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    with open_folder() as folder:
        own = folder / "own"
        own.mkdir(mode=0o700)
        shutil.chown(own, nobody.pw_uid, nobody.pw_gid)
        with running_stack(own, python=python_for(become), run_as=become) as stack:
            assert (stack.home / "postgres").stat().st_uid == nobody.pw_uid
            wait_for(lambda: is_ready(stack), "A good answer from /health")


def python_for(become: RunAs) -> list[str]:
    """A Python with our packages that this user may run; ours may lie below a closed home."""
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for python in ([sys.executable], ["/usr/bin/env", f"PYTHONPATH={sysconfig.get_path('purelib')}", system]):
        with suppress(PermissionError, subprocess.CalledProcessError):
            command = [*python, "-c", "import atlas"]
            if (
                subprocess.run(
                    command, cwd=settings.BASE_DIR, check=False, capture_output=True, **become
                ).returncode
                == 0
            ):
                return python
    pytest.skip("neither this Python nor the system's can be run by another user with our packages")
