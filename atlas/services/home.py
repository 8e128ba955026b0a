"""The data folder: where everything lives that one running Atlas owns."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atlas.services.errors import ServiceError
from atlas.services.users import ServiceUser

FREE_BYTES_TO_START = 1 << 30
OTHER_DISK = "free some space, or set ATLAS_HOME to a folder on another disk"


class Home:
    """One data folder, `ATLAS_HOME`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"

    def create(self) -> None:
        """Make the folder and check that there is room in it.

        Raises ServiceError when it cannot be made or written, or when the disk is nearly full.
        """
        try:
            # As root the services run as another user, who must be able to walk through.
            self.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ServiceError(self.explain(error)) from error
        free = shutil.disk_usage(self.path).free
        if free < FREE_BYTES_TO_START:
            raise ServiceError(
                f"Only {free >> 20} MB are free on the disk of {self.path}, and Atlas needs at least "
                f"{FREE_BYTES_TO_START >> 20} MB to start: {OTHER_DISK}."
            )

    def explain(self, error: OSError) -> str:
        """Why the folder cannot be used, and what to do."""
        if error.errno == errno.ENOSPC:
            return f"No space is left on the disk of {self.path}: {OTHER_DISK}."
        reason = f"The data folder {self.path} cannot be used ({error.strerror})"
        return f"{reason}: set ATLAS_HOME to a folder you may write to."

    @property
    def sockets(self) -> Path:
        """The folder of the unix sockets.

        Not in the data folder: a socket's path holds 107 bytes, travels in URLs, and must be open to the
        services' user where the data folder lies below root's closed home.
        """
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(f"/tmp/atlas-{name}")  # noqa: S108 - `private_folder` checks whose it is

    def create_sockets(self, user: ServiceUser | None) -> None:
        private_folder(self.sockets, user)

    def remove_sockets(self) -> None:
        shutil.rmtree(self.sockets, ignore_errors=True)

    @contextmanager
    def locked(self, owner: dict[str, str | int]) -> Iterator[None]:
        """Hold the folder for this process; `owner` is what a second instance is told about us.

        The lock belongs to the open file, so it ends with the process however that dies.
        Raises ServiceError when another process holds it.
        """
        try:
            lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise ServiceError(self.explain(error)) from error
        with lock as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise ServiceError(self._name_holder(file.read())) from error
            file.truncate(0)
            file.write(json.dumps({"pid": os.getpid(), **owner}))
            file.flush()
            try:
                yield
            finally:
                self.remove_sockets()

    def _name_holder(self, text: str) -> str:
        # The holder writes its line just after taking the lock, so for an instant there is none.
        holder = json.loads(text) if text else {}
        known = ", ".join(f"{key} {value}" for key, value in holder.items())
        who = f"Another Atlas ({known})" if known else "Another Atlas"
        return (
            f"{who} is already running on the data folder {self.path}: stop it first, or set ATLAS_HOME "
            "and ATLAS_PORT to run a second one beside it."
        )


def private_folder(path: Path, user: ServiceUser | None) -> None:
    """Make a folder that only `user` (None: ourselves) may open.

    Raises ServiceError when it cannot be made, or a stranger made it first.
    """
    try:
        path.mkdir(mode=0o700)
        if user:
            os.chown(path, user.uid, user.gid)
    except FileExistsError:
        pass
    except OSError as error:
        raise ServiceError(
            f"{path} cannot be made ({error.strerror}), and the sockets of Postgres and Redis lie in it: "
            f"let this user write to {path.parent}."
        ) from error
    found = path.lstat()
    owner = user.uid if user else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
        raise ServiceError(
            f"{path} belongs to someone else (user id {found.st_uid}): remove it and start again."
        )
    if user and found.st_uid != owner:
        os.chown(path, user.uid, user.gid)
    path.chmod(0o700)
