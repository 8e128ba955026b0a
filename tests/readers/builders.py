"""Tiny uploads for the readers' tests, and what comes out of them."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from PIL import Image

from embeddings.readers import Picture, Row, Skipped, open_dataset

Files = Mapping[str, bytes | str]


@cache
def png(shade: int = 0) -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (4, 4), (shade % 256, shade // 256 % 256, 90)).save(output, "PNG")
    return output.getvalue()


def as_bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def zip_of(path: Path, files: Files, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tar_of(path: Path, files: Files, form: int = tarfile.PAX_FORMAT) -> Path:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(as_bytes(content))
            archive.addfile(info, io.BytesIO(as_bytes(content)))
    data = packed.getvalue()
    path.write_bytes(gzip.compress(data) if path.suffix in {".gz", ".tgz"} else data)
    return path


def workbook(**sheets: Sequence[Sequence[Any]]) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def folder_of(path: Path, files: Files) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(as_bytes(content))
    return path


def file_of(path: Path, content: bytes | str) -> Path:
    path.write_bytes(as_bytes(content))
    return path


def read(path: Path | Sequence[Path], **options: Any) -> tuple[list[Row], list[Skipped]]:
    """Every row, its picture's bytes at hand, and everything skipped."""
    with open_dataset(path, **options) as dataset:
        items = list(dataset)
        rows = [with_bytes(item) for item in items if isinstance(item, Row)]
    assert [row.number for row in rows] == list(range(len(rows)))
    return rows, [item for item in items if isinstance(item, Skipped)]


def with_bytes(row: Row) -> Row:
    """The row with its picture read, so that it outlives the dataset."""
    if row.picture is None:
        return row
    data = row.picture.read()
    return replace(row, picture=Picture(row.picture.name, lambda: data))


def names_of(rows: Sequence[Row]) -> list[str]:
    """File names of the rows' pictures."""
    return [row.picture.name.rpartition("/")[2] if row.picture else "" for row in rows]
