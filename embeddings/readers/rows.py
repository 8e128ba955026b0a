"""What a reader hands out: rows, and the description of a dataset before any of it is imported."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from embeddings.readers.reasons import Skipped

Vector = NDArray[np.float32]
Value = str | int | float | datetime | list[str]


class ColumnType(StrEnum):
    """What a column holds. Values are, in this order: str, int or float, datetime in UTC, str, list of
    str.
    """

    CATEGORY = "category"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"
    LIST = "list"


class Form(StrEnum):
    """How one uploaded file is packed."""

    ZIP = "zip"
    TAR = "tar"
    TAR_GZ = "tar.gz"
    FOLDER = "folder"
    FILES = "files"


class Layout(StrEnum):
    """How pictures and words are brought together."""

    PICTURES = "pictures"  # no words at all
    CLASS_FOLDERS = "class folders"  # the folder's name is the class
    TABLE = "pictures and table"  # captions.csv, metadata.csv, styles.csv, Kaggle's captions.txt …
    IMAGE_FOLDER = "imagefolder"  # Hugging Face: metadata.jsonl or metadata.csv beside the pictures
    WEBDATASET = "webdataset"  # 000.jpg + 000.txt + 000.json
    PICTURE_TABLE = "table of pictures"  # Parquet with the pictures' bytes inside
    TEXT_TABLE = "table"  # no pictures
    TEXT_FILES = "text files"  # 000.txt + 000.json without pictures


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's bytes, still packed and not yet looked at. `name` is its label in the upload, never a
    path.
    """

    name: str
    _read: Callable[[], bytes] = field(repr=False, compare=False)

    def read(self) -> bytes:
        """The original bytes. Raises ReadError (corrupt, bomb, over a limit); may be called from any
        thread.
        """
        return self._read()


@dataclass(frozen=True, slots=True)
class Row:
    """One record-to-be.

    `number` counts rows from 0 without gaps. `captions` holds the main caption first. `values` leaves out
    empty cells. `vector` is (D,), the same D in every row. `notes` are sentences about what was cut or left
    empty.
    """

    number: int
    id: str | None
    picture: Picture | None
    captions: list[str]
    values: dict[str, Value]
    vector: Vector | None
    source: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column beside the caption, id, picture and vector: its type, and a few of its values as text."""

    name: str
    type: ColumnType
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One uploaded file or folder and what it holds."""

    name: str
    form: Form
    pictures: int
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """Corrections to what was understood. None keeps the suggestion; an empty string or tuple means "no such
    column".

    `types` and `leave_out` speak of the other columns by name. What is left out is suggested as no caption,
    id or vector.
    """

    picture: str | None = None
    captions: tuple[str, ...] | None = None
    id: str | None = None
    vector: str | None = None
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    leave_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Description:
    """What was understood before the import.

    `rows` is None while unknown: a table without pictures is not counted before it is read. `all_columns`
    are the names a person may choose from. `head` holds the first rows as they would be imported.
    """

    layout: Layout
    parts: tuple[Part, ...]
    pictures: int
    rows: int | None
    picture: str | None
    captions: tuple[str, ...]
    id: str | None
    vector: str | None
    dimensions: int | None
    columns: tuple[Column, ...]
    all_columns: tuple[str, ...]
    head: tuple[Row, ...]
    skipped: tuple[Skipped, ...]
