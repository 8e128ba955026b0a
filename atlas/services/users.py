"""Who runs the services. Postgres refuses to run as root, so root hands them to an ordinary user."""

import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from atlas.services.errors import ServiceError

# A place every user can walk to, for what lies below somebody's closed home folder.
OPEN_FOLDER = Path("/var/lib/atlas")


class RunAs(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class ServiceUser:
    """The ordinary user that root starts the services as."""

    name: str
    uid: int
    gid: int

    def run_as(self) -> RunAs:
        """Arguments for `subprocess`; root's supplementary groups are dropped too."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def service_user(home: Path) -> ServiceUser | None:
    """The user who runs the services of the data folder `home`; None when we are an ordinary user.

    Root starts them as the folder's owner, so that the owner can go on without root later.
    Raises ServiceError when root has nobody to hand over to.
    """
    if os.geteuid() != 0:
        return None
    owner = home.stat().st_uid
    known = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    for wanted in (owner, "postgres", "nobody"):
        for entry in known:
            if wanted in (entry.pw_uid, entry.pw_name):
                return ServiceUser(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise ServiceError(
        "Postgres does not run as root, and this machine has neither a user `postgres` nor `nobody`: "
        "start Atlas as an ordinary user."
    )


def run_as(user: ServiceUser | None) -> RunAs:
    """Arguments for `subprocess` that start a program as `user` (None: as ourselves)."""
    return user.run_as() if user else {}


def can_run(program: Path, user: ServiceUser | None) -> bool:
    """Whether `user` can reach and execute `program`, tried rather than computed."""
    probe = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(program)], cwd="/", check=False, **run_as(user)
    )
    return probe.returncode == 0


def reachable_copy(root: Path, parts: list[str], name: str) -> Path:
    """Copy `parts` of the folder `root` to where every user may read them, once; returns the copy's root.

    `name` carries the version, so copies of different versions stand side by side.
    """
    target = OPEN_FOLDER / name
    if target.exists():
        return target
    OPEN_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = OPEN_FOLDER / f".{name}.{secrets.token_hex(4)}"
    for part in parts:
        shutil.copytree(root / part, fresh / part, symlinks=True)
    for path in [fresh, *fresh.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    try:
        fresh.rename(target)
    except OSError:  # another start made it a moment ago
        shutil.rmtree(fresh)
    return target


def data_folder(wanted: Path, user: ServiceUser | None) -> Path:
    """The folder of a service's data: `wanted`, or, where `user` cannot reach that, what a link there names.

    Makes nothing at the place itself. The link names a folder of its own, so that removing the data folder
    and starting again never picks up the old data.
    """
    if wanted.is_symlink() or wanted.exists() or can_run(wanted.parent, user):
        return wanted.resolve()
    OPEN_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    elsewhere = OPEN_FOLDER / f"{wanted.name}-{secrets.token_hex(8)}"
    wanted.symlink_to(elsewhere)
    return elsewhere
