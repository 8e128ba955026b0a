"""Members of an archive or folder: labels and byte streams. A member's name never becomes a path on disk."""

import io
import tempfile
import unicodedata
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast
from zipfile import BadZipFile

from embeddings.readers.reasons import ReadError, Reason, Skipped

PICTURE_SUFFIXES = frozenset(
    [
        "jpg",
        "jpeg",
        "jpe",
        "jfif",
        "png",
        "webp",
        "gif",
        "bmp",
        "dib",
        "tif",
        "tiff",
        "avif",
        "avifs",
        "svg",
        "svgz",
        "heic",
        "heif",
        "jp2",
        "jxl",
        "ico",
        "psd",
        "raw",
        "cr2",
        "nef",
        "dng",
    ]
)
EXCEL_SUFFIXES = frozenset(["xlsx", "xlsm"])
ARROW_SUFFIXES = frozenset(["arrow", "feather", "ipc"])
TABLE_SUFFIXES = (
    EXCEL_SUFFIXES | ARROW_SUFFIXES | {"csv", "tsv", "tab", "jsonl", "ndjson", "json", "parquet", "pq"}
)
SIDECAR_SUFFIXES = frozenset(["txt", "caption", "json"])
JUNK_NAMES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"})

# What Python's readers raise for damaged bytes; each is turned into an ReadError where the stream is read.
READ_ERRORS = (OSError, EOFError, zlib.error, BadZipFile, NotImplementedError, RuntimeError, ValueError)

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside a container: its name there ('/' between folders), its size in bytes, and where it
    starts.
    """

    container: "Container"
    name: str
    size: int
    place: int

    @property
    def source(self) -> str:
        return self.container.label(self.name)

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def stem(self) -> str:
        """The name without its last suffix, folders kept."""
        folder, slash, base = self.name.rpartition("/")
        return folder + slash + (base.rpartition(".")[0] or base)

    @property
    def suffix(self) -> str:
        return suffix_of(self.name)

    def open(self) -> BinaryIO:
        return self.container.open(self)

    def read(self, limit: int) -> bytes:
        """All bytes. Raises ReadError when there are more than `limit`, fewer than announced, or damaged
        ones.
        """
        if self.size > limit:
            raise ReadError(Reason.OVER_LIMIT, f"It holds {self.size:,} bytes; the limit is {limit:,}.")
        try:
            data = self.container.fetch(self, limit + 1)
        except READ_ERRORS as error:
            raise ReadError(Reason.CORRUPT, f"Its bytes cannot be read: {said(error)}.") from error
        if len(data) > limit:
            raise ReadError(Reason.OVER_LIMIT, f"It holds more than {limit:,} bytes.")
        if len(data) < self.size:
            raise ReadError(
                Reason.CORRUPT, f"It is cut short: {len(data):,} of {self.size:,} bytes are there."
            )
        return data


class Container(ABC):
    """An archive, a folder or a handful of loose files, indexed once; every stream it opens is independent.

    `members` is in reading order, `skipped` says what was left out of it and why; `packs` is True where a
    member's bytes can only be reached from their start.
    """

    packs = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: list[Member] = []
        self.skipped: list[Skipped] = []
        self._names: set[str] = set()

    @abstractmethod
    def open(self, member: Member) -> BinaryIO: ...

    def fetch(self, member: Member, limit: int) -> bytes:
        """At most `limit` bytes from a member's start; may be called from several threads."""
        with self.open(member) as stream:
            return read_up_to(stream, limit)

    def label(self, name: str) -> str:
        return f"{self.name}/{name}"

    def close(self) -> None:  # noqa: B027 - files on disk are only open while they are read
        """Let go of open files. Members cannot be read afterwards."""

    def take(self, raw_name: str, size: int, place: int, problem: ReadError | None = None) -> None:
        """Add a file to the members; junk is ignored, and what has a `problem` or a bad name is skipped."""
        try:
            name = clean_name(raw_name)
        except ReadError as error:
            self.skip(raw_name, error)
            return
        if is_junk(name):
            return
        if problem is None and name in self._names:
            problem = ReadError(Reason.DUPLICATE_NAME, "An earlier file beside it has the same name.")
        if problem is not None:
            self.skip(raw_name, problem)
            return
        self._names.add(name)
        self.members.append(Member(self, name, size, place))

    def skip(self, name: str, error: ReadError) -> None:
        shown = name[:300].replace("\0", "").encode("utf-8", "replace").decode("utf-8")
        self.skipped.append(error.at(self.label(shown)))


def read_up_to(stream: BinaryIO, limit: int) -> bytes:
    """At most `limit` bytes, in pieces: what a stream claims to hold never decides how much memory is
    taken.
    """
    pieces = io.BytesIO()
    while pieces.tell() < limit:
        piece = stream.read(min(_CHUNK, limit - pieces.tell()))
        if not piece:
            break
        pieces.write(piece)
    return pieces.getvalue()


@contextmanager
def seekable(member: Member) -> Iterator[BinaryIO]:
    """Its bytes for who reads them to and fro: those in an archive are first copied to a nameless temporary
    file.
    """
    with member.open() as stream:
        if member.container.packs:
            with _copied(stream, member.size) as copy:
                yield copy
        else:
            yield stream


@contextmanager
def file_of(member: Member) -> Iterator[BinaryIO]:
    """A file on disk that holds its bytes and nothing else: its own, or a nameless temporary one."""
    with member.open() as stream:
        if isinstance(getattr(stream, "raw", None), io.FileIO):
            yield stream
        else:
            with _copied(stream, member.size) as copy:
                yield copy


@contextmanager
def _copied(stream: BinaryIO, size: int) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as copy:
        while size and (piece := stream.read(min(size, _CHUNK))):
            copy.write(piece)
            size -= len(piece)
        copy.seek(0)
        yield cast(BinaryIO, copy)


def said(error: BaseException) -> str:
    """An error's own words, short enough for a report."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words[:200].rstrip(".")


def suffix_of(name: str) -> str:
    base = name.rpartition("/")[2]
    return base.rpartition(".")[2].casefold() if "." in base.lstrip(".") else ""


def is_junk(name: str) -> bool:
    """True for what systems leave in archives without the user knowing: ignored without a word."""
    parts = name.split("/")
    return (
        "__MACOSX" in parts
        or any(part.startswith(".") and part not in {".", ".."} for part in parts)
        or parts[-1].casefold() in JUNK_NAMES
    )


def clean_name(raw: str) -> str:
    """A member's name as '/'-separated NFC text without '.' parts. Raises ReadError when it points
    elsewhere.
    """
    name = unicodedata.normalize("NFC", raw.replace("\\", "/").encode("utf-8", "replace").decode("utf-8"))
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or (len(name) > 1 and name[1] == ":") or "\0" in name:
        raise ReadError(Reason.UNSAFE, "Its name points outside the upload.")
    if len(name) > 4096:
        raise ReadError(Reason.UNSAFE, "Its name is longer than 4,096 characters.")
    cleaned = "/".join(part for part in parts if part not in {"", "."})
    if not cleaned:
        raise ReadError(Reason.UNSAFE, "It has no name.")
    return cleaned
