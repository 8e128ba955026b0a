"""Bytes to clean text, whatever they were saved by."""

import codecs
import gzip
import io
from typing import BinaryIO, cast

from embeddings.readers.limits import RATIO_FLOOR, Limits
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


class Text(io.TextIOWrapper):
    is_windows = False  # by its first bytes


def open_text(member: Member, limits: Limits) -> Text:
    """A member as text with its line ends kept. Raises ReadError when its first bytes cannot be read; reading
    on may raise it for a gzip that expands too far.
    """
    try:
        stream = _open_bytes(member, limits.ratio)
        try:
            head = read_up_to(stream, _HEAD)
            stream.seek(0)
        except BaseException:
            stream.close()
            raise
    except READ_ERRORS as error:
        raise ReadError(Reason.CORRUPT, f"Its bytes cannot be read: {said(error)}.") from error
    text = Text(stream, encoding=encoding_of(head), errors=_FALLBACK, newline="")
    text.is_windows = is_windows(head)
    return text


def _open_bytes(member: Member, ratio: int) -> BinaryIO:
    """A member's bytes, with a gzip around a single table taken off."""
    stream = member.open()
    if member.suffix != "gz":
        return stream
    return cast(BinaryIO, _Gzip(stream, member.size, ratio))


class _Gzip(gzip.GzipFile):
    """Raises ReadError where it expands to more than `ratio` times its `size`."""

    def __init__(self, stream: BinaryIO, size: int, ratio: int) -> None:
        super().__init__(fileobj=stream)
        self._most, self._ratio = max(RATIO_FLOOR, ratio * size), ratio

    def read(self, size: int | None = -1) -> bytes:
        return self._checked(super().read(size))

    def read1(self, size: int = -1) -> bytes:
        return self._checked(super().read1(size))

    def _checked(self, data: bytes) -> bytes:
        if self.tell() > self._most:
            raise ReadError(Reason.BOMB, f"It expands more than {self._ratio} times.")
        return data


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


def is_windows(head: bytes) -> bool:
    """Whether some of these first bytes are no UTF-8, and so are read as Windows-1252."""
    if not encoding_of(head).startswith("utf-8"):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # a letter may be cut off at the end
    except UnicodeDecodeError:
        return True
    return False


def clean_text(text: str) -> str:
    """Without what a database or a JSON encoder refuses: NUL characters and halves of surrogate pairs."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.strip()
