"""Every command of docker-compose.yml, run: the parts become a healthy system."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from atlas.services.home import Home
from atlas.services.postgres import find_binaries, postgres_url
from atlas.services.redis import find_binary, redis_url
from atlas.services.users import run_as, service_user
from tests.deploy.compose import read
from tests.embedded import stop
from tests.services.processes import SECONDS, wait_for
from tests.stack import free_port, open_folder

HOST = "atlas.example.org"
PARTS = ("web", "worker", "query", "beat")
SERVICES: dict[str, dict[str, Any]] = read(
    {
        "POSTGRES_PASSWORD": "x",
        "ATLAS_SECRET_KEY": "0123456789" * 6,
        "ATLAS_ALLOWED_HOSTS": HOST,
        "ATLAS_MODEL": "mini",
    }
)["services"]


@cache
def port() -> int:
    """Chosen where it is used: what is free when the tests are collected may be another's by then."""
    return free_port()


def here(words: list[str], data: Path) -> list[str]:
    """The words of a command with the container's programs, port and data folder replaced by ours."""
    own = {
        "python": [sys.executable],
        "celery": [sys.executable, "-m", "celery"],
        "0.0.0.0": ["127.0.0.1"],
        "8000": [str(port())],
    }
    replaced = [
        word.replace("127.0.0.1:8000", f"127.0.0.1:{port()}")
        .replace("/data", str(data))
        .replace("python manage.py", f"'{sys.executable}' manage.py")
        .replace("celery -A", f"'{sys.executable}' -m celery -A")
        for word in words
    ]
    return [new for word in replaced for new in own.get(word, [word])]


def environment(part: str, data: Path) -> dict[str, str]:
    """The container's environment; the servers are those of the test session, as if they ran elsewhere."""
    home = Home(settings.ATLAS_HOME)
    declared = SERVICES[part]["environment"]
    servers = {"DATABASE_URL": postgres_url(home), "REDIS_URL": redis_url(home).replace("db=0", "db=1")}
    own = {"ATLAS_HOME": str(data), "DJANGO_SETTINGS_MODULE": "atlas.settings", "ATLAS_DEBUG": ""}
    return {
        **os.environ,
        **declared,
        **servers,
        **own,
        "HOSTNAME": os.uname().nodename,
    }


def run(words: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False, timeout=SECONDS
    )


@pytest.fixture(scope="module")
def system(live_services: None) -> Iterator[Path]:
    """`prepare` run to its end, then every other part of ours running; yields the data folder."""
    with open_folder() as data:
        prepared = run(here(SERVICES["prepare"]["command"], data), environment("prepare", data))
        assert prepared.returncode == 0, prepared.stderr
        with ExitStack() as running:
            for part in PARTS:
                running.enter_context(running_part(part, data))
            wait_for(lambda: status() == 200, "A good answer from /health")
            yield data


@contextmanager
def running_part(part: str, data: Path) -> Iterator[None]:
    """A part of the system, stopped as its container would be: asked, and killed when it takes too long."""
    with (data / f"{part}.log").open("wb") as log:
        process = subprocess.Popen(
            here(SERVICES[part]["command"], data), cwd=settings.BASE_DIR, env=environment(part, data),
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield
    finally:
        stop(process, signal.Signals[SERVICES[part].get("stop_signal", "SIGTERM")], 10)


def status() -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port()}/health", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return 0


@pytest.mark.slow
@pytest.mark.parametrize("part", ["web", "worker", "query"])
def test_a_running_part_is_healthy(system: Path, part: str) -> None:
    kind, *words = SERVICES[part]["healthcheck"]["test"]
    command = here(words, system)
    checked = run(command if kind == "CMD" else ["sh", "-c", *command], environment(part, system))
    assert checked.returncode == 0, checked.stderr


@pytest.mark.slow
def test_people_behind_the_proxy_get_https_and_nothing_else(system: Path) -> None:
    url = f"http://127.0.0.1:{port()}/accounts/login/"
    behind = urllib.request.Request(url, headers={"Host": HOST, "X-Forwarded-Proto": "https"})
    with urllib.request.urlopen(behind) as answer:  # noqa: S310
        assert answer.status == 200
        assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
    plain = urllib.request.Request(url, headers={"Host": HOST})
    opener = urllib.request.build_opener(NoRedirect)
    with pytest.raises(urllib.error.HTTPError) as refused:
        opener.open(plain)
    assert refused.value.headers["Location"] == f"https://{HOST}/accounts/login/"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def test_the_deployment_checks_find_nothing(tmp_path: Path) -> None:
    env = environment("web", tmp_path)
    checked = run([sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], env)
    assert checked.returncode == 0, checked.stderr


def test_postgres_knows_its_options(live_services: None) -> None:
    program, *options = SERVICES["postgres"]["command"]
    user = service_user(settings.ATLAS_HOME)
    asked = subprocess.run(
        [find_binaries(user) / program, "-D", settings.ATLAS_HOME / "postgres", *options, "-C", "jit"],
        cwd="/", capture_output=True, text=True, check=False, **run_as(user),
    )  # fmt: skip
    assert asked.stderr == ""
    assert asked.stdout.strip() == "off"


def test_postgres_is_asked_for_its_health_in_words_it_knows(live_services: None) -> None:
    _, program, *words = SERVICES["postgres"]["healthcheck"]["test"]
    # The server of the tests listens on its socket only.
    words[words.index("127.0.0.1")] = str(Home(settings.ATLAS_HOME).sockets)
    assert run([str(find_binaries(None) / program), *words], {}).returncode == 0


def test_redis_knows_its_options_and_the_question_for_its_health(tmp_path: Path) -> None:
    _, *options = SERVICES["redis"]["command"]
    _, _, question = SERVICES["redis"]["healthcheck"]["test"]
    socket = tmp_path / "redis.sock"
    server = find_binary(None)
    process = subprocess.Popen(
        [server, *options, "--port", "0", "--unixsocket", socket], cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    try:
        command = [str(server.with_name("redis-cli")), "-s", str(socket), question]
        # Its socket is there a moment before it listens.
        wait_for(lambda: run(command, {}).stdout.strip() == "PONG", "A good answer of Redis")
    finally:
        process.terminate()
        process.wait(SECONDS)
