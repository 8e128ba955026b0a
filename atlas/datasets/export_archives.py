"""An export with its pictures: a ZIP with a table beside them, or a tar as webdataset has it."""

import logging
import re
import tarfile
import time
from collections.abc import Generator, Iterator
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO

from django.core.files.storage import default_storage

from atlas.datasets.cells import harmless
from atlas.datasets.export import Export
from atlas.datasets.export_tables import MARK, csv_lines, csv_row, json_object
from atlas.datasets.models import Record
from atlas.datasets.zip_stream import ZipStream

log = logging.getLogger(__name__)

_IN_MEMORY = 8 * 2**20
#: What is neither a letter of some language nor a digit; no path, no dot, no control character gets through.
_UNSAFE = re.compile(r"[^\w-]+")
_LONGEST_STEM = 60
_SUFFIXES = {"JPEG": "jpg", "JPEG2000": "jp2", "TIFF": "tif"}


def zip_pieces(export: Export, *, originals: bool) -> Generator[bytes]:
    """`pictures/…` and, as the last member, `metadata.csv`, whose `file_name` says which picture is whose.

    Pictures as uploaded, or their thumbnails. The table waits in a temporary file, so that records are read
    once and pictures flow from the start.
    """
    with ZipStream() as archive, SpooledTemporaryFile(_IN_MEMORY) as table:
        table.write((MARK + csv_lines([_headings(export)])).encode())
        for batch in export.batches():
            for record, cells in batch:
                name = ""
                if (picture := _picture(record, originals)) is not None:
                    name = f"pictures/{record.row:07}-{_stem(record)}.{_suffix(record, originals)}"
                    yield from archive.member(name, picture)
                table.write(csv_lines([[name, *csv_row(cells)]]).encode())
        yield from archive.member_from("metadata.csv", table)
        yield from archive.end()


def webdataset_pieces(export: Export, *, captions: bool, originals: bool) -> Generator[bytes]:
    """For each record the members 000000012.jpg (its picture), .txt (a caption per line), .json (all else).

    A line break within a caption becomes a space.
    """
    columns = export.columns
    for batch in export.batches():
        for record, cells in batch:
            key = f"{record.row:09}"
            if (picture := _picture(record, originals)) is not None:
                yield from _tar_member(f"{key}.{_suffix(record, originals)}", picture)
            if captions and record.captions:
                lines = "\n".join(" ".join(caption.splitlines()) for caption in record.captions)
                yield from _tar_member(f"{key}.txt", lines.encode())
            yield from _tar_member(f"{key}.json", json_object(columns, cells).encode())
    yield bytes(2 * tarfile.BLOCKSIZE)


def _headings(export: Export) -> list[str]:
    """By `file_name` readers find the pictures: an uploaded column of that name becomes `own_file_name`."""
    names = [column.name for column in export.columns]
    taken = {name.casefold() for name in names} - {"file_name"}
    for place, name in enumerate(names):
        if name.casefold() == "file_name":
            while (name := f"own_{name}").casefold() in taken:
                pass
            taken.add(name.casefold())
            names[place] = name
    return ["file_name", *map(harmless, names)]


def _tar_member(name: str, content: bytes) -> Iterator[bytes]:
    """By hand: `TarFile` remembers every member."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(content), int(time.time())
    yield info.tobuf()
    yield content
    yield bytes(-len(content) % tarfile.BLOCKSIZE)


def _stem(record: Record) -> str:
    """A name that people know again; it is the row that makes it the only one."""
    return _UNSAFE.sub("_", PurePosixPath(record.source).stem)[:_LONGEST_STEM].strip("_") or "picture"


def _suffix(record: Record, originals: bool) -> str:
    kind = record.format or ""
    return _SUFFIXES.get(kind, kind.lower()) if originals else "webp"


def _picture(record: Record, originals: bool) -> bytes | None:
    """None also where its file is gone: nobody loses all others for one picture, midway in a download."""
    name = record.original if originals else record.thumbnail
    if name is None:
        return None
    file: IO[bytes]
    try:
        with default_storage.open(name) as file:
            content: bytes = file.read()
    except FileNotFoundError:
        log.warning("%s is not in the export: the file is gone", name)
        return None
    return content
