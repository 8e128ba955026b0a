"""From uploaded files to containers. What a file is, its first bytes decide; its name only helps with
tables.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from embeddings.readers.folders import FileContainer, files_below
from embeddings.readers.gzips import GzipCursor, GzipFile
from embeddings.readers.limits import Limits
from embeddings.readers.members import EXCEL_SUFFIXES, READ_ERRORS, Container, read_up_to, suffix_of
from embeddings.readers.reasons import DatasetError, ReadError, Reason, Skipped
from embeddings.readers.rows import Form
from embeddings.readers.tars import BLOCK, TarContainer, looks_like_tar
from embeddings.readers.text import clean_text
from embeddings.readers.zips import ZipContainer, is_last_of_several

_ZIP_STARTS = (b"PK\3\4", b"PK\5\6", b"PK\7\10")
_LONGEST_NAME = 1_000
_GZIP_START = b"\x1f\x8b"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
OFFICE = (b"[Content_Types].xml", b"mimetypeapplication/vnd.oasis", _OLD_OFFICE)
OFFICE_SUFFIXES = frozenset(["xls", "xlsb", "ods", "docx", "doc", "odt", "pptx", "ppt", "odp", "numbers"])
_IN_OFFICE = "[Content_Types].xml"  # Excel begins with it, others have it further down
_IS_OFFICE = "{} is an office document; save its table as CSV or XLSX and upload that."
_PART_NAME = re.compile(r"\.(z\d\d|(zip|7z|tar|gz|tgz)\.(\d{2,3}|a[a-z]|part\w{0,3}))$", re.IGNORECASE)
_IS_PART = (
    "{} is one part of an archive that was split into several files. Unpack all of them together, and upload "
    "the folder, or a zip that is not split."
)
_OTHER_ARCHIVES = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
}


def open_containers(
    paths: Sequence[Path], names: Mapping[Path, str], limits: Limits
) -> tuple[list[tuple[Form, Container]], list[Skipped]]:
    """A container per archive and folder, and one for all loose files, in the order given.

    A file that cannot be opened is reported beside the others. Raises DatasetError when none can.
    """
    opened: list[tuple[Form, Container]] = []
    skipped: list[Skipped] = []
    loose: list[tuple[str, Path]] = []
    for path in paths:
        name = clean_text(names.get(path, path.name))[:_LONGEST_NAME]
        try:
            container = _open(path, name, limits)
        except DatasetError as error:
            skipped.append(Skipped(name, Reason.CORRUPT, str(error)))
        except ReadError as error:
            skipped.append(error.at(name))
        else:
            if container is None:
                loose.append((name, path))
            else:
                opened.append(container)
    if loose:
        opened.append((Form.FILES, FileContainer("", loose, limits)))
    if not opened:
        raise DatasetError(skipped[0].detail if skipped else "Nothing was uploaded.")
    return opened, skipped


def _open(path: Path, name: str, limits: Limits) -> tuple[Form, Container] | None:
    """The container at `path`, or None for a file that is no archive."""
    if path.is_symlink():
        raise ReadError(Reason.UNSAFE, f"{name} is a link, not a file.")
    if path.is_dir():
        return Form.FOLDER, FileContainer(name, files_below(path), limits)
    start = _start_of(path, name)
    if _PART_NAME.search(name) or (suffix_of(name) == "zip" and is_last_of_several(path)):
        raise ReadError(Reason.UNSUPPORTED, _IS_PART.format(name))
    if start.startswith(_OLD_OFFICE):
        raise ReadError(Reason.UNSUPPORTED, _IS_OFFICE.format(name))
    if start.startswith(_ZIP_STARTS):
        if suffix_of(name) in EXCEL_SUFFIXES:
            return None
        if suffix_of(name) in OFFICE_SUFFIXES or any(mark in start for mark in OFFICE):
            raise ReadError(Reason.UNSUPPORTED, _IS_OFFICE.format(name))
        return Form.ZIP, _zip(path, name, limits)
    if start.startswith(_GZIP_START):
        if _expanded_start_is_tar(path):
            return Form.TAR_GZ, TarContainer(path, name, limits, gzipped=True)
        if name.casefold().endswith((".tar.gz", ".tgz")):
            raise DatasetError(f"{name} is damaged, or not an archive at all. Upload it again.")
        return None
    if looks_like_tar(start):
        return Form.TAR, TarContainer(path, name, limits, gzipped=False)
    for mark, packer in _OTHER_ARCHIVES.items():
        if start.startswith(mark):
            detail = f"{name} is packed with {packer}; unpack it, and upload the folder or the files in it."
            raise ReadError(Reason.UNSUPPORTED, detail)
    if suffix_of(name) in {"zip", "tar", "tgz"}:
        raise DatasetError(f"{name} is damaged, or not an archive at all. Upload it again.")
    return None


def _zip(path: Path, name: str, limits: Limits) -> ZipContainer:
    """Raises ReadError for an office document whose first bytes do not tell."""
    container = ZipContainer(path, name, limits)
    if any(member.name == _IN_OFFICE for member in container.members):
        container.close()
        raise ReadError(Reason.UNSUPPORTED, _IS_OFFICE.format(name))
    return container


def _start_of(path: Path, name: str) -> bytes:
    try:
        if not path.is_file():
            raise DatasetError(f"{name} is not a file.")
        with path.open("rb") as file:
            return file.read(BLOCK)
    except OSError as error:
        raise DatasetError(f"{name} cannot be opened: {error.strerror}.") from error


def _expanded_start_is_tar(path: Path) -> bool:
    try:
        with GzipCursor(GzipFile(path, ratio=2**30)) as cursor:
            return looks_like_tar(read_up_to(cast(BinaryIO, cursor), BLOCK))
    except READ_ERRORS:
        return False
