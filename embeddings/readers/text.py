"""Bytes to clean text, whatever they were saved by."""

import codecs
import gzip
import io
from typing import BinaryIO, cast

from embeddings.readers.members import READ_ERRORS, Member, read_up_to, said
from embeddings.readers.reasons import ReadError, Reason

_HEAD = 64 * 2**10
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FALLBACK = "embeddings.windows"


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8 are read as Windows-1252, which spreadsheets save by default."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return bad.decode("cp1252", "replace") if error.encoding == "utf-8" else "\ufffd", error.end


codecs.register_error(_FALLBACK, _as_windows)


def open_text(member: Member) -> io.TextIOWrapper:
    """A member as text with its line ends kept. Raises ReadError when its first bytes cannot be read."""
    try:
        stream = open_bytes(member)
        try:
            head = read_up_to(stream, _HEAD)
            stream.seek(0)
        except BaseException:
            stream.close()
            raise
    except READ_ERRORS as error:
        raise ReadError(Reason.CORRUPT, f"Its bytes cannot be read: {said(error)}.") from error
    return io.TextIOWrapper(stream, encoding=encoding_of(head), errors=_FALLBACK, newline="")


def open_bytes(member: Member) -> BinaryIO:
    """A member's bytes, with a gzip around a single table taken off."""
    stream = member.open()
    if member.suffix != "gz":
        return stream
    return cast(BinaryIO, gzip.GzipFile(fileobj=stream))


def encoding_of(head: bytes) -> str:
    """By byte-order mark; without one, UTF-16 when every other byte is zero, else UTF-8."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    pairs = max(1, len(head) // 2)
    if head[1::2].count(0) > pairs * 0.4:
        return "utf-16-le"
    if head[::2].count(0) > pairs * 0.4:
        return "utf-16-be"
    return "utf-8"


def clean_text(text: str) -> str:
    """Without what a database or a JSON encoder refuses: NUL characters and halves of surrogate pairs."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.strip()
