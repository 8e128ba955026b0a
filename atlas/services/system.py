"""The whole system on one machine: which processes it is made of, and the order they start in."""

import hashlib
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGQUIT

from atlas.cores import cores
from atlas.services.errors import ServiceError
from atlas.services.home import Home
from atlas.services.logbook import Logbook
from atlas.services.ports import check_port
from atlas.services.postgres import Postgres
from atlas.services.process import Child
from atlas.services.redis import Redis
from atlas.services.supervisor import Supervisor

HOST = "127.0.0.1"
WORKER_QUEUES = ("ingest", "embed", "build")
QUERY_QUEUES = ("query",)
#: Searches at a time. Threads of one process, which share the towers and matrices: their scans free the lock
#: of the interpreter, and those of one matrix go through it together.
QUERY_THREADS = 4
SECONDS_FOR_SERVERS = 120.0
SECONDS_FOR_READY = 300.0  # on a machine that is busy with other things


@dataclass(frozen=True)
class Plan:
    """What to run, read from the settings by the caller."""

    home: Home
    project: Path
    port: int
    workers: int
    own_postgres: bool
    own_redis: bool
    # What the gathered static files are made from: when these change, they are gathered again.
    static_inputs: tuple[Path, ...]
    # A management command to run once all is ready.
    after_ready: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


def run_system(plan: Plan) -> None:
    """Start everything, say when it is ready and serve until a signal comes.

    Raises ServiceError when something cannot start, Stopped when a signal ended it.
    """
    plan.home.create()
    with plan.home.locked({"url": plan.url}):
        check_port(HOST, plan.port)
        log = Logbook(plan.home.logs / "atlas.log")
        with Supervisor(log) as supervisor:
            start_servers(plan, supervisor)
            supervisor.run(_manage(plan, "migrate", "migrate", "--noinput"))
            collect_static(plan, supervisor)
            for child in programs(plan):
                supervisor.start(child)
            supervisor.wait_until(
                lambda: is_ready(plan.url), "A good answer from /health", SECONDS_FOR_READY, pause=0.5
            )
            log.say(f"ready: {plan.url}")
            if plan.after_ready:
                supervisor.run(_manage(plan, plan.after_ready[0], *plan.after_ready))
            supervisor.serve()


def start_servers(plan: Plan, supervisor: Supervisor) -> None:
    """Postgres and Redis, unless they run elsewhere."""
    if plan.own_redis:
        redis = Redis(plan.home)
        redis.create()
        supervisor.start(redis.child())
    if plan.own_postgres:
        postgres = Postgres(plan.home)
        postgres.create()
        link = plan.home.path / "postgres"
        if link.is_symlink():  # the services' user cannot enter the folder
            supervisor.log.write("atlas", f"{link} is a link: a backup needs {postgres.data} too")
        supervisor.start(postgres.child())
        wait_for(postgres, supervisor)
        postgres.create_database()
    if plan.own_redis:
        supervisor.wait_until(redis.is_ready, "The start of Redis", SECONDS_FOR_SERVERS)


def wait_for(postgres: Postgres, supervisor: Supervisor) -> None:
    """After a crash it first replays its log, as long as that takes. Raises what `wait_until` does."""
    while True:
        try:
            return supervisor.wait_until(postgres.is_ready, "The start of Postgres", SECONDS_FOR_SERVERS)
        except ServiceError:
            if not postgres.is_recovering():
                raise
        supervisor.log.write("atlas", "Postgres still replays its log, as after a crash: waiting on")


def programs(plan: Plan) -> list[Child]:
    """The web server and the workers."""
    threads = max(1, cores() // plan.workers)
    return [
        _python(
            plan, "web", "-m", "uvicorn", "atlas.asgi:application", "--host", HOST, "--port", str(plan.port),
            "--timeout-graceful-shutdown", "3", "--no-access-log", "--log-level", "warning",
        ),
        worker(plan, "default", WORKER_QUEUES, env={"OMP_NUM_THREADS": str(threads)}),
        worker(plan, "query", QUERY_QUEUES, "--pool", "threads", "--concurrency", str(QUERY_THREADS)),
        _python(
            plan, "beat", "-m", "celery", "-A", "atlas", "--quiet", "beat", "--loglevel", "warning",
            "--pidfile=", "--schedule", str(plan.home.path / "beat-schedule"),
        ),
    ]  # fmt: skip


def worker(
    plan: Plan, part: str, queues: tuple[str, ...], *options: str, env: Mapping[str, str] | None = None
) -> Child:
    """A Celery worker, of ATLAS_WORKERS processes unless `options` say otherwise; asked to stop it drops its
    tasks at once, the next start takes them up again."""
    child = _python(
        plan, "worker" if part == "default" else part, "-m", "celery", "-A", "atlas", "--quiet", "worker",
        "--loglevel", "warning", "--hostname", f"{part}@%h", "--queues", ",".join(queues),
        *options, "--without-mingle", "--without-gossip",
    )  # fmt: skip
    return replace(child, stop_signal=SIGQUIT, env={**child.env, **(env or {})})


def collect_static(plan: Plan, supervisor: Supervisor) -> None:
    """Gather the static files, when the built frontend or the installed packages have changed."""
    digest = hashlib.sha256()
    for path in plan.static_inputs:
        digest.update(path.read_bytes() if path.exists() else b"")
    stamp = plan.home.path / "static.stamp"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    supervisor.run(_manage(plan, "static", "collectstatic", "--noinput", "--clear", "--verbosity", "0"))
    stamp.write_text(digest.hexdigest())


# Without the proxy of `http_proxy`: it knows nothing of this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_ready(url: str) -> bool:
    """Whether `/health` answers that everything is."""
    try:
        with _OPENER.open(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _manage(plan: Plan, name: str, *arguments: str) -> Child:
    return _python(plan, name, "manage.py", *arguments)


def _python(plan: Plan, name: str, *arguments: str) -> Child:
    return Child(
        name=name,
        argv=[sys.executable, *arguments],
        cwd=plan.project,
        # Lines reach the log when they are said.
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
