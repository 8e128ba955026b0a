"""Uploads on disk: made, written to, expired and removed. The protocol around them is `tus.py`.

How many bytes are safely here is the length of the file; the row follows it. So a server that is killed in
the middle of a request loses nothing that reached the disk. The one exception are requests that promise a
checksum: until it is verified the row's `offset` counts and the bytes after it are cut off.
"""

import fcntl
import math
import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from atlas.datasets.models import Import, ImportState, Upload
from atlas.patience import RESERVE
from atlas.teams.models import Team, User

#: An upload that got something so lately will get the rest.
UNDER_WAY = timedelta(hours=1)
#: An import in one of these still needs its files.
NEEDS_FILES = (ImportState.DESCRIBING, ImportState.QUEUED, ImportState.RUNNING)


class UploadError(Exception):
    """Something about an upload that its sender can understand: one sentence."""


class UploadTooLargeError(UploadError):
    pass


class DiskFullError(UploadError):
    pass


class UploadBusyError(UploadError):
    pass


def create_upload(
    user: User, filename: str, size: int, *, relative_path: str = "", team: Team | None = None
) -> Upload:
    """`team`: that of the API key with which it comes. Raises UploadTooLargeError, DiskFullError."""
    if size > settings.ATLAS_UPLOAD_BYTES:
        limit = settings.ATLAS_UPLOAD_BYTES / 2**30
        raise UploadTooLargeError(f"The file is larger than this server takes ({limit:,.0f} GiB).")
    folder = Path(settings.ATLAS_HOME) / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free - RESERVE < size + _promised():
        raise DiskFullError("The server's disk has no room for this file.")
    upload = Upload(
        user=user,
        team=team,
        filename=filename,
        relative_path=relative_path,
        size=size,
        expires_at=_expiry(),
    )
    upload.path.touch()
    upload.save()
    return upload


def _promised() -> int:
    """Bytes that uploads which are under way still lack. Those that were left lying hold no room."""
    under_way = Upload.objects.filter(expires_at__gt=_expiry() - UNDER_WAY)
    return under_way.aggregate(lacking=Sum(F("size") - F("offset")))["lacking"] or 0


def open_end(upload: Upload) -> BinaryIO:
    """The upload's file, positioned at its end, for this one writer among all processes until it is closed.

    Brings `upload.offset` up to date. Raises UploadBusyError while another holds it, FileNotFoundError when
    the upload was removed meanwhile.
    """
    file = upload.path.open("r+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Read under the lock: the writer before us may have changed it after we looked.
        upload.refresh_from_db()
        if upload.unchecked:
            file.truncate(upload.offset)
            Upload.objects.filter(pk=upload.pk).update(unchecked=False)
        upload.offset = file.seek(0, os.SEEK_END)
    except BlockingIOError:
        file.close()
        raise UploadBusyError("Another request is writing to this upload.") from None
    except Upload.DoesNotExist:
        file.close()
        raise FileNotFoundError(upload.path) from None
    return file


def measure(upload: Upload) -> int:
    """Bytes safely here, also while somebody writes and after a server was killed; the row then follows."""
    if not upload.unchecked:
        settle(upload, upload.path.stat().st_size)
    return upload.offset


def settle(upload: Upload, offset: int) -> None:
    """Note how far it is, and that somebody still cares about it."""
    upload.offset, upload.unchecked, upload.expires_at = offset, False, _expiry()
    Upload.objects.filter(pk=upload.pk).update(offset=offset, unchecked=False, expires_at=upload.expires_at)


def remove_upload(upload: Upload) -> None:
    """Row first: a file without a row is found and removed by `remove_expired`."""
    path = upload.path
    upload.delete()
    path.unlink(missing_ok=True)


def discard(upload: Upload) -> bool:
    """Remove it unless an import reads it; whether it was removed."""
    return _remove_if_still(upload, Upload.objects.filter(imports__isnull=True))


def _remove_if_still(upload: Upload, wanted: QuerySet[Upload]) -> bool:
    """Remove it if it is among these once no import can take it any more; see `imports.append`."""
    with transaction.atomic():
        here = Upload.objects.select_for_update().filter(pk=upload.pk).first()
        # Asked when it is locked: what was read before may be out of date.
        if here is None or not wanted.filter(pk=upload.pk).exists():
            return False
        here.delete()
    upload.path.unlink(missing_ok=True)
    return True


def remove_expired() -> int:
    """Remove what nobody came back for, and files that lost their row; returns how many."""
    imports = Import.objects.filter(uploads=OuterRef("pk"))
    expired = Upload.objects.filter(
        Q(expires_at__lt=timezone.now()) & ~Exists(imports.filter(state__in=NEEDS_FILES))
        | Exists(imports.filter(state=ImportState.DONE))  # of a worker that was killed before it tidied up
    )
    removed = sum(_remove_if_still(upload, expired) for upload in expired.iterator())
    return removed + _remove_strays()


def _remove_strays() -> int:
    folder = Path(settings.ATLAS_HOME) / "uploads"
    # The youngest are left alone: between making the row and the file there is no lock.
    old = timezone.now().timestamp() - 3600
    files = [path for path in folder.glob("*") if _changed_at(path) < old]
    known = {str(pk) for pk in Upload.objects.values_list("pk", flat=True)}
    strays = [path for path in files if path.name not in known]
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def _changed_at(path: Path) -> float:
    """What was removed since the folder was read is for ever young."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _expiry() -> datetime:
    return timezone.now() + timedelta(days=settings.ATLAS_UPLOAD_DAYS)
