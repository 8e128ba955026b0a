"""Why something was not read: stable machine words, each with a sentence for people."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why an item of an upload did not become a row. The values are kept in import reports: never rename
    one.
    """

    CORRUPT = "corrupt"
    BOMB = "bomb"
    ENCRYPTED = "encrypted"
    UNSUPPORTED = "unsupported"
    MISSING = "missing"
    DUPLICATE_ID = "duplicate_id"
    DUPLICATE_NAME = "duplicate_name"
    OVER_LIMIT = "over_limit"
    UNSAFE = "unsafe"
    UNREADABLE = "unreadable"
    EMPTY = "empty"
    ALREADY_HERE = "already_here"
    NOTE = "note"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    Reason.CORRUPT: "The file is damaged or cut short.",
    Reason.BOMB: "It would expand to far more data than its size allows.",
    Reason.ENCRYPTED: "It is locked with a password.",
    Reason.UNSUPPORTED: "This kind of file is not supported.",
    Reason.MISSING: "The table names a picture that is not there.",
    Reason.DUPLICATE_ID: "An earlier row has the same id.",
    Reason.DUPLICATE_NAME: "An earlier file has the same name.",
    Reason.OVER_LIMIT: "It is over a limit of this installation.",
    Reason.UNSAFE: "It is a link or device, or its name points outside the upload.",
    Reason.UNREADABLE: "The row could not be understood.",
    Reason.ALREADY_HERE: "The dataset has this record already.",
    Reason.EMPTY: "There is no picture, caption or vector in it.",
    Reason.NOTE: "A remark about how it was read.",
}


@dataclass(frozen=True, slots=True)
class Skipped:
    """One item that did not become a row: `source` is where it was, `detail` a sentence about this very
    item. A note is about many rows.
    """

    source: str
    reason: Reason
    detail: str


class DatasetError(Exception):
    """Nothing of the upload can be read; the message is one sentence for the person who uploaded it."""


class ReadError(Exception):
    """One item cannot be read; the rest of the upload can."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

    def at(self, source: str) -> Skipped:
        return Skipped(source, self.reason, self.detail)
