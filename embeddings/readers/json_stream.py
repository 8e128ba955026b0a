"""JSON text read value by value: a file of any size, few of its values in memory at a time."""

import io
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from embeddings.readers.members import said

PIECE = 64 * 2**10  # characters
SPACE = " \t\r\n\ufeff"
_BETWEEN_VALUES = re.compile(rf"[{SPACE},]*")
_BETWEEN_ITEMS = re.compile(r"\}\s*,\s*(?=\{)")
_BETWEEN_OBJECTS = re.compile(r"(?:\}\s*|\n)(?=\{)")
_BEHIND_OBJECT = re.compile(rf"[{SPACE}]*(?:\{{|\Z)")
_TRIES = 100  # to find the record after a damaged one


class Problem(str):
    """Why a piece of text is not JSON."""

    __slots__ = ()


class TooLongError(ValueError):
    """A value is longer than may be held."""


class BrokenListError(ValueError):
    """No further value of a list, or of those one behind the other, can be made out."""


def parse(text: str) -> Any:
    """The JSON value, or a sentence (Problem) about why there is none. NaN and infinities become None."""
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        return _problem(error, said(error))


class JsonStream:
    """What comes next in a text is either passed over or taken. No value is longer than `limit` characters,
    but for lists and objects that are taken in parts. `line` is where the last value begins, or the damaged
    one.
    """

    def __init__(self, text: io.TextIOBase, limit: int) -> None:
        self._text, self._limit = text, limit
        self._decoder = json.JSONDecoder(parse_constant=lambda _: None)
        self._buffer, self._at = "", 0
        self.line, self._counted = 1, 0  # line ends in the buffer up to here

    def next(self) -> str:
        """The next character behind blanks and commas; none at the end."""
        while True:
            between = _BETWEEN_VALUES.match(self._buffer, self._at)
            assert between is not None  # it may be empty
            self._at = between.end()
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._read_on():
                return ""

    def take(self, char: str) -> bool:
        """Whether this character comes next; then it is passed."""
        is_next = self.next() == char
        self._at += is_next
        return is_next

    def value(self) -> Any:
        """The value that comes next, whole. Raises ValueError or RecursionError, and then stays before it."""
        self.next()
        self._count_lines()
        while True:
            try:
                value, end = self._value_here()
            except (ValueError, RecursionError):
                if self._read_on():
                    continue
                if len(self._buffer) - self._at >= self._limit:
                    raise TooLongError(f"it is longer than {self._limit:,} characters") from None
                raise
            self._at = end
            return value

    def items(self) -> Iterator[Any]:
        """The values of the list that comes next. A damaged one costs itself: a Problem takes its place.
        Raises BrokenListError.
        """
        self.take("[")
        yield from self._values("]")

    def lists(self) -> Iterator[Any]:
        """The values of all lists to the end of the text, as of `items`."""
        while char := self.next():
            if char != "[":
                raise BrokenListError("there is more behind its end")
            yield from self.items()

    def objects(self) -> Iterator[Any]:
        """The objects one behind the other to the end of the text, as of `items`."""
        yield from self._values("")

    def _values(self, end: str) -> Iterator[Any]:
        """Up to the character that ends them; none is the end of the text."""
        last: Any = None
        while self.next() != end:
            try:
                last = self.value()
            except (ValueError, RecursionError) as error:
                why = error.msg if isinstance(error, json.JSONDecodeError) else said(error)
                if not self._pass_damaged(last, end):
                    raise BrokenListError(why) from error
                yield _problem(error, why)
            else:
                yield last
        self._at += len(end)

    def names(self) -> Iterator[str]:
        """The names in the object that comes next; the value of each is to be taken before the next name.
        Raises ValueError.
        """
        self.take("{")
        while not self.take("}"):
            name = self.value()
            if not isinstance(name, str) or not self.take(":"):
                raise ValueError("an object has a value without a name")
            yield name

    def _value_here(self) -> tuple[Any, int]:
        """Raises ValueError when it is damaged or more text is needed."""
        if self._at == len(self._buffer):
            raise ValueError("it ends too early")
        value, end = self._decoder.raw_decode(self._buffer, self._at)
        if end == len(self._buffer) and not isinstance(value, dict | list | str):
            raise ValueError("it ends inside a value")
        return value, end

    def _read_on(self) -> bool:
        left = len(self._buffer) - self._at
        more = self._text.read(max(PIECE, left)) if left < self._limit else ""
        if more:
            self._count_lines()
            self._buffer, self._at, self._counted = self._buffer[self._at :] + more, 0, 0
        return bool(more)

    def _count_lines(self) -> None:
        self.line += self._buffer.count("\n", self._counted, self._at)
        self._counted = self._at

    def _pass_damaged(self, last: Any, end: str) -> bool:
        """Go to where an object begins after the damaged one. An object in the damaged one itself has other
        names than the `last` one, or something other than an object behind it.
        """
        names = last.keys() if isinstance(last, dict) else None
        between_values = _BETWEEN_ITEMS if end else _BETWEEN_OBJECTS
        for between in islice(between_values.finditer(self._buffer, self._at), _TRIES):
            try:
                value, stop = self._decoder.raw_decode(self._buffer, between.end())
            except (ValueError, RecursionError):
                continue
            if not end and not _BEHIND_OBJECT.match(self._buffer, stop):
                continue
            if names is None or names & value.keys():
                self._at = between.end()
                return True
        return False


def _problem(error: Exception, why: str) -> Problem:
    if isinstance(error, RecursionError):
        return Problem("It is nested too deeply.")
    if isinstance(error, TooLongError):
        return Problem(f"I{why[1:]}.")
    return Problem(f"It is not JSON: {why}.")
