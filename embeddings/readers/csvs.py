"""Delimited text of every dialect people upload: CSV, TSV, semicolons, pipes, Kaggle's captions.txt.

Ragged rows and quotes that are never closed are mended row by row, so that one of them costs itself and not
the file.
"""

import csv
import io
import math
import re
from collections import Counter, deque
from collections.abc import Iterator
from itertools import islice, pairwise

from embeddings.readers.classes import split_of
from embeddings.readers.decimals import columns_with_decimal_commas, with_point
from embeddings.readers.limits import Limits
from embeddings.readers.members import PICTURE_SUFFIXES, READ_ERRORS, Member, said, suffix_of
from embeddings.readers.reasons import ReadError, Reason, Skipped
from embeddings.readers.tables import Record, Table
from embeddings.readers.text import clean_text, open_text

_DELIMITERS = ",;\t|"
_NO_DELIMITER = "\x1f"  # what no text has in it
_HEADERS_OF_TEXT = frozenset({"caption", "captions", "text", "sentence", "sentences", "description", "title"})
_SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?", re.IGNORECASE)  # Excel's own first line
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_LISTED = re.compile(rf"\S+\.({'|'.join(sorted(PICTURE_SUFFIXES))})[ \t]+\S", re.IGNORECASE)
_SNIFFED_LINES = 200
_SNIFFED_SIZE = 2**20  # characters
_USUAL_LINES = 100  # of a record; a longer one may be a quote that was never closed
_MOST_LINES = 100_000
_LONGEST_NAME = 100
_BLANK_LINES = 100_000  # in a row; a file of a thousand bytes may expand to a million of them

csv.field_size_limit(Limits().line_length)  # process-wide; the default of 128 KiB cannot hold long vectors


Line = tuple[int, str]  # its number, and the text with its end


class DelimitedTable(Table):
    """Raises ReadError when nothing in it can be read or there is no row at all."""

    def __init__(self, member: Member, limits: Limits) -> None:
        super().__init__(member)
        self._limits = limits
        with open_text(member, limits) as text:
            self.is_windows = text.is_windows
            try:
                lines = _first_lines(_Lines(text, limits.line_length))
            except READ_ERRORS as error:
                raise ReadError(Reason.CORRUPT, f"Its bytes cannot be read: {said(error)}.") from error
        texts = [text for _, text in lines]
        told = _SEPARATOR_LINE.fullmatch(texts[0].strip()) if texts else None
        if told:
            lines, texts = lines[1:], texts[1:]
        self.delimiter = told[1] if told else sniff_delimiter(texts, _usual_delimiter(member, texts))
        self._is_list = self.delimiter == _NO_DELIMITER and _begin_with_pictures(texts)
        sample = [self._parted(fields) for _, fields, _ in _sample(lines, self.delimiter) if any(fields)]
        if not sample:
            raise ReadError(Reason.EMPTY, "There is no row in it.")
        first = ["", _what_is_told(member)] if self._is_list else sample[0]
        self._width = len(first)
        self._has_header = is_header(first, sample[1:])
        if self.delimiter == _NO_DELIMITER:
            self._has_header = first[0].strip().casefold() in _HEADERS_OF_TEXT
        self._has_told = told is not None
        self._with_commas = columns_with_decimal_commas(sample[self._has_header :], self.delimiter)
        self.columns_left_out = max(0, len(first) - limits.columns)
        first = [cell_text(cell) for cell in first[: limits.columns]]
        has_names = self._has_header or self._is_list
        self.columns = column_names(first if has_names else [""] * len(first))
        self._surplus = len(self.columns) - 1

    def spread_surplus_into(self, column: str) -> bool:
        before, self._surplus = self._surplus, self.columns.index(column)
        return self._surplus != before

    def records(self) -> Iterator[Record | Skipped]:
        with open_text(self.member, self._limits) as text:
            lines = _Lines(text, self._limits.line_length)
            leading, blank = self._has_header, 0
            source = self.source
            try:
                if self._has_told:
                    next(lines, None)
                for line, fields, mended in _records(lines, self.delimiter):
                    yield from lines.take_skipped(source)
                    if not any(fields):
                        blank += 1
                        if blank > _BLANK_LINES:
                            detail = f"From line {line - blank + 1:,} on it is empty; the rest was not read."
                            yield Skipped(source, Reason.OVER_LIMIT, detail)
                            return
                        continue
                    blank = 0
                    if leading:
                        leading = False
                        continue
                    yield self._record(f"{source}:{line}", self._parted(fields), mended)
                yield from lines.take_skipped(source)
            except ReadError as error:
                yield error.at(source)
            except READ_ERRORS as error:
                yield Skipped(
                    source, Reason.CORRUPT, f"The table is damaged after line {lines.number}: {said(error)}."
                )

    def _parted(self, fields: list[str]) -> list[str]:
        return fields[0].split(maxsplit=1) if self._is_list else fields

    def _record(self, source: str, fields: list[str], mended: bool) -> Record:
        notes: tuple[str, ...] = (
            ("The quotes in this line are broken; it was read as well as could be.",) if mended else ()
        )
        if len(fields) > self._width:
            notes += (
                f"The line has {len(fields)} fields for {self._width} columns; the surplus was joined.",
            )
            extra = len(fields) - self._width
            at = self._surplus
            fields = [
                *fields[:at],
                self.delimiter.join(fields[at : at + extra + 1]),
                *fields[at + extra + 1 :],
            ]
        elif len(fields) < self._width:
            notes += (f"The line has {len(fields)} fields for {self._width} columns; the rest is empty.",)
        for place in self._with_commas:
            if place < len(fields):
                fields[place] = with_point(fields[place])
        cells = {name: cell_text(value) for name, value in zip(self.columns, fields, strict=False)}
        return Record(source, cells, notes)


def _begin_with_pictures(texts: list[str]) -> bool:
    """Whether nearly all lines are a picture's file and, behind a space, what is said of it."""
    lines = [text for text in texts if text.strip()]
    return sum(_LISTED.match(line) is not None for line in lines) >= 0.9 * len(lines) > 0


def _what_is_told(member: Member) -> str:
    """The column of a list: train.txt and val.txt are of the same kind, identity.txt and sex.txt are not."""
    return "label" if split_of(member.name) else member.stem.rpartition("/")[2]


def _first_lines(lines: Iterator[Line]) -> list[Line]:
    found: list[Line] = []
    size = 0
    for line in islice(lines, _SNIFFED_LINES):
        found.append(line)
        size += len(line[1])
        if size > _SNIFFED_SIZE:
            break
    return found


class _RunawayQuoteError(Exception):
    pass


class _Lines:
    """Physical lines of bounded length with their numbers; overlong ones are dropped and reported."""

    def __init__(self, text: io.TextIOWrapper, limit: int) -> None:
        self._text, self._limit = text, limit
        self._skipped: list[int] = []
        self.number = 0

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        while True:
            line = self._text.readline(self._limit)
            if not line:
                raise StopIteration
            self.number += 1
            if len(line) < self._limit or line.endswith(("\n", "\r")):
                return self.number, line
            while line and not line.endswith(("\n", "\r")):
                line = self._text.readline(self._limit)
            self._skipped.append(self.number)

    def take_skipped(self, source: str) -> Iterator[Skipped]:
        taken, self._skipped = self._skipped, []
        for number in taken:
            detail = f"The line is longer than {self._limit:,} characters."
            yield Skipped(f"{source}:{number}", Reason.OVER_LIMIT, detail)


class _Feed:
    """Lines for one csv.reader, remembered until the record they belong to is whole, so that they can be
    given back.
    """

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._returned: deque[Line] = deque()
        self.taken: list[Line] = []
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _MOST_LINES:
            raise _RunawayQuoteError
        line = self._returned.popleft() if self._returned else next(self._lines, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self.taken.append(line)
        return line[1]

    def begin(self) -> None:
        self.taken = []

    def give_back_all_but_first(self) -> str:
        (_, first), *rest = self.taken
        self._returned.extendleft(reversed(rest))
        return first


def _sample(lines: list[Line], delimiter: str) -> Iterator[tuple[int, list[str], bool]]:
    """The records of a table's first lines, without a long last one that goes on below them."""
    return _records(iter(lines), delimiter, are_first=len(lines) > _USUAL_LINES)


def _records(
    lines: Iterator[Line], delimiter: str, *, are_first: bool = False
) -> Iterator[tuple[int, list[str], bool]]:
    """(line of its start, fields, whether its quotes had to be mended) of every record."""
    feed = _Feed(lines)
    width = 0
    while True:
        reader = csv.reader(feed, delimiter=delimiter, strict=True)
        feed.begin()
        try:
            fields = next(reader)
            broken = len(feed.taken) > _USUAL_LINES and _is_torn(feed.taken, fields, delimiter, width)
        except StopIteration:
            return
        except (csv.Error, _RunawayQuoteError):
            broken = True
            if are_first and feed.ended and width and not _are_records(feed.taken, delimiter, width):
                return
        if broken:
            fields = _mended(feed.give_back_all_but_first(), delimiter)
        width = width or len(fields)
        yield feed.taken[0][0], fields, broken


def _is_torn(lines: list[Line], fields: list[str], delimiter: str, width: int) -> bool:
    """Whether a long record is several, run together by a quote that was never closed: it has not the table's
    width, or most lines inside of it have.
    """
    return len(fields) != width or (width > 1 and _are_records(lines, delimiter, width))


def _are_records(lines: list[Line], delimiter: str, width: int) -> bool:
    """Whether most lines after the first look like records of this width."""
    return 2 * sum(line.count(delimiter) == width - 1 for _, line in lines[1:]) >= len(lines)


def _mended(line: str, delimiter: str) -> list[str]:
    """One line whose quotes are broken, as fields: leniently when they come in pairs, else without them."""
    line = line.rstrip("\r\n")
    if line.count('"') % 2 == 0:
        try:
            return next(csv.reader([line], delimiter=delimiter))
        except (csv.Error, StopIteration):
            pass
    return [part.strip('"') for part in line.split(delimiter)]


def _usual_delimiter(member: Member, lines: list[str]) -> str:
    """By the name's suffix; a .txt file may also be plain lines, unless its first one reads like
    image,caption.
    """
    if member.suffix in {"tsv", "tab"}:
        return "\t"
    first = lines[0] if lines else ""
    if member.suffix != "txt" or (
        "," in first and len(first) < 100 and " " not in first.replace(", ", ",").strip()
    ):
        return ","
    return _NO_DELIMITER


def sniff_delimiter(lines: list[str], preferred: str) -> str:
    """The delimiter under which most lines have the same number of fields, more than one; else
    `preferred`.
    """
    best, best_score = preferred, (0.0, 0)
    others = "\t|" if preferred == _NO_DELIMITER else _DELIMITERS
    for delimiter in dict.fromkeys(preferred + others):
        widths = [
            len(fields) for _, fields, _ in _sample(list(enumerate(lines, start=1)), delimiter) if any(fields)
        ]
        if not widths or widths[0] < 2:
            continue
        agreeing = round(sum(width == widths[0] for width in widths) / len(widths), 1)
        score = (agreeing, 2 if delimiter == preferred else 1)
        if score > best_score and (agreeing >= 0.5 or delimiter == preferred):
            best, best_score = delimiter, score
    return best


def is_header(first: list[str], below: list[list[str]]) -> bool:
    """A first row is a header unless one of its cells can only be a value: a long text, a picture's file or
    an address above others, a number. Numbers are names where a word stands above other numbers, and where
    they count.
    """
    if not any(first) or any(len(cell) > 200 for cell in first):
        return False
    columns = [
        [row[place] for row in below if place < len(row) and row[place].strip()]
        for place in range(len(first))
    ]
    for cell, column in zip(first, columns, strict=True):
        if _is_place(cell) and 2 * sum(map(_is_place, column)) >= len(column):
            return False
    numbers = [place for place, cell in enumerate(first) if is_number(cell)]
    if not numbers:
        return True
    if not all(first[place].strip().isdecimal() for place in numbers):
        return False
    has_word_above_numbers = any(
        any(map(str.isalpha, cell)) and len(column) > 1 and all(map(is_number, column))
        for cell, column in zip(first, columns, strict=True)
    )
    if has_word_above_numbers:
        return True
    counting = sum(_counts(row, numbers) for row in below)
    return bool(below) and _counts(first, numbers) and 2 * counting <= len(below)


def _is_place(cell: str) -> bool:
    """Whether it is an address, or a picture's file."""
    text = cell.partition("#")[0].strip()
    return text.startswith(("http://", "https://")) or suffix_of(text) in PICTURE_SUFFIXES


def _counts(row: list[str], places: list[int]) -> bool:
    """Whether its cells there are whole numbers at equal steps, 1990 2000 2010, two of them one apart."""
    cells = [row[place].strip() for place in places if place < len(row)]
    if len(cells) < max(2, len(places)) or not all(cell.isdecimal() and len(cell) < 10 for cell in cells):
        return False
    steps = {int(after) - int(before) for before, after in pairwise(cells)}
    return len(steps) == 1 and min(steps) > 0 and (len(cells) > 2 or steps == {1})


def cell_text(raw: str) -> str:
    """Without the quote that careful writers, Atlas among them, put before what a spreadsheet would run as a
    formula.
    """
    text = clean_text(raw)
    return text[1:] if _GUARDED.match(text) else text


def is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False


def column_names(raw: list[str]) -> list[str]:
    """Distinct, non-empty names: empty ones are numbered, repeated ones get a number behind them."""
    names: list[str] = []
    used: Counter[str] = Counter()
    for place, cell in enumerate(raw, start=1):
        name = re.sub(r"\s+", " ", clean_text(cell))[:_LONGEST_NAME] or f"column_{place}"
        used[name] += 1
        while used[name] > 1:
            name = f"{name}_{used[name]}"
            used[name] += 1
        names.append(name)
    return names
