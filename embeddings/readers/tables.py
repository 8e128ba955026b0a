"""What every kind of table hands out: records, with the place they came from."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from embeddings.readers.members import Member
from embeddings.readers.reasons import Skipped


@dataclass(slots=True)
class Record:
    """One row of a table as it was written: str from text tables, JSON or Arrow values from the others."""

    source: str
    cells: dict[str, Any]
    notes: tuple[str, ...] = ()
    picture: int | None = None  # its picture's place, where the table itself knows


class Table(ABC):
    """A table inside the upload. `records()` may be called again and starts over; it reports what it cannot
    read.
    """

    def __init__(self, member: Member) -> None:
        self.member = member
        self.columns: list[str] = []
        self.row_count: int | None = None
        self.columns_left_out = 0  # over the limit
        self.is_windows = False  # its first letters are no UTF-8
        self.knows_pictures = False  # its records say themselves which picture they are about

    @property
    def source(self) -> str:
        return self.member.source

    @abstractmethod
    def records(self) -> Iterator[Record | Skipped]: ...

    def sample(self) -> Iterator[Record | Skipped]:
        """Records to find out from what the columns hold: the first ones, unless others tell more."""
        return self.records()

    def spread_surplus_into(self, column: str) -> bool:  # noqa: ARG002 - only delimited text has ragged rows
        """Where a row has more fields than columns, `column` is the one that was written without quotes.

        True when records may look different from now on.
        """
        return False
