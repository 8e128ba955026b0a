"""JSON tables: a record a line, records over several lines one behind the other, an array of them, or the
objects people wrap around them. Streamed one by one.
"""

import io
from collections import deque
from collections.abc import Iterator
from typing import Any

from embeddings.readers.annotators import annotated, from_fiftyone, has_shapes
from embeddings.readers.coco import Outline, outline_of
from embeddings.readers.json_stream import (
    PIECE,
    SPACE,
    BrokenListError,
    JsonStream,
    Problem,
    TooLongError,
    parse,
)
from embeddings.readers.limits import Limits
from embeddings.readers.members import READ_ERRORS, Member, said
from embeddings.readers.objects import ObjectTable
from embeddings.readers.reasons import ReadError, Reason, Skipped
from embeddings.readers.tables import Record
from embeddings.readers.text import clean_text, open_text
from embeddings.readers.values import is_too_deep

_LARGEST_OBJECT = 128 * 2**20  # characters; of a list the items are counted each by itself

_IIIF = "iiif.io/api/presentation"  # what a manifest calls its context (iiif.io/api/presentation/3.0)
_CONTEXT = 1_000  # characters: it is named first
_NAMED = 5  # lists
_WITH_SHAPES = ('"shape_attributes"', '"bounding_box"')  # VIA's, FiftyOne's
_NO_SHAPES = "The labels of its objects were read, their boxes and shapes were not."
_MANIFEST = (
    "It is a IIIF manifest: its pictures are addresses, and none is fetched. Upload the pictures themselves, "
    "and what is said about them as CSV."
)


class JsonTable(ObjectTable):
    """Raises ReadError when no record can be read among the first ones."""

    def __init__(self, member: Member, limits: Limits) -> None:
        super().__init__(member)
        self._limits = limits
        self._outline: Outline | None = None
        problem = self._find_columns(limits)
        if not self.columns:
            if problem:
                raise ReadError(problem.reason, problem.detail)
            raise ReadError(Reason.EMPTY, "There is no row in it.")

    def _raw(self) -> Iterator[Record | Skipped]:
        with open_text(self.member, self._limits) as text:
            self.is_windows = text.is_windows
            try:
                yield from self._read(text)
            except ReadError as error:
                yield error.at(self.source)
            except READ_ERRORS as error:
                yield Skipped(self.source, Reason.CORRUPT, f"The table is damaged: {said(error)}.")

    def _read(self, text: io.TextIOWrapper) -> Iterator[Record | Skipped]:
        start = text.read(PIECE).lstrip(SPACE)
        text.seek(0)
        if start.startswith("["):
            yield from list_records(JsonStream(text, self._limits.line_length).lists(), self.source)
        elif _IIIF in start[:_CONTEXT]:
            raise ReadError(Reason.UNSUPPORTED, _MANIFEST)
        elif start.startswith("{") and not self._has_a_record_a_line(text):
            yield from self._inside(text)
        else:
            yield from line_records(text, self.source, self._limits.line_length)

    def _inside(self, text: io.TextIOWrapper) -> Iterator[Record | Skipped]:
        """Objects one behind the other are records. Of one alone those of a list come one by one, others when
        all of it was parsed.
        """
        problem: Exception | None = None
        if self._outline is None:
            try:
                self._outline = outline_of(JsonStream(text, _LARGEST_OBJECT))
            except (ValueError, RecursionError) as error:
                problem = error
                text.seek(0)
                if self._is_first_of_several(text):
                    self._outline = Outline(has_others_behind=True)
            text.seek(0)
        if self._outline is not None and self._outline.has_others_behind:
            yield from self._several(text)
        elif self._outline is not None and self._outline.records is not None:
            yield from self._listed(text, self._outline, self._outline.records)
        elif self._outline is not None and len(self._outline.of_objects) > 1:
            names = ", ".join(f"“{name[:80]}”" for name in self._outline.of_objects[:_NAMED])
            detail = (
                f"It holds several lists of records, {names}: upload the one you want as a file of its own."
            )
            raise ReadError(Reason.UNSUPPORTED, detail)
        else:
            whole = text.read(_LARGEST_OBJECT + 1)
            if len(whole) > _LARGEST_OBJECT:
                raise self._too_large(problem)
            yield from object_records(whole, self.source)

    def _is_first_of_several(self, text: io.TextIOWrapper) -> bool:
        """Whether another object can be made out behind a damaged one."""
        try:
            return isinstance(next(JsonStream(text, self._limits.line_length).objects(), None), Problem)
        except BrokenListError:
            return False

    def _several(self, text: io.TextIOWrapper) -> Iterator[Record | Skipped]:
        stream = JsonStream(text, self._limits.line_length)
        try:
            for value in stream.objects():
                yield record_of(f"{self.source}:{stream.line}", value)
        except BrokenListError as error:
            detail = f"It is damaged, and the rest was not read: {said(error)}."
            yield Skipped(f"{self.source}:{stream.line}", Reason.CORRUPT, detail)

    def _listed(self, text: io.TextIOWrapper, outline: Outline, wanted: str) -> Iterator[Record | Skipped]:
        stream = JsonStream(text, _LARGEST_OBJECT)
        for name in stream.names():
            if name == wanted:
                break
            if stream.next() == "[":
                deque(stream.items(), maxlen=0)
            else:
                stream.value()
        with_shapes = False
        for item in list_records(stream.items(), self.source):
            if outline.is_coco and isinstance(item, Record):
                item.cells |= outline.about(str(item.cells.get("id")))
            elif isinstance(item, Record):
                with_shapes = with_shapes or has_shapes(item.cells)
                item.cells = from_fiftyone(item.cells)
            yield item
        if with_shapes:
            yield Skipped(self.source, Reason.NOTE, _NO_SHAPES)
        if outline.is_coco and outline.has_boxes:
            detail = "The categories of its objects were read, their boxes were not."
            yield Skipped(self.source, Reason.NOTE, detail)

    def _too_large(self, problem: Exception | None) -> ReadError:
        if problem is not None and not isinstance(problem, TooLongError):
            return ReadError(Reason.CORRUPT, f"It is damaged or cut short: {said(problem)}.")
        limit = f"{_LARGEST_OBJECT >> 20} million characters"
        detail = f"It is one object of more than {limit}; write its records one a line (JSONL)."
        return ReadError(Reason.OVER_LIMIT, detail)

    def _has_a_record_a_line(self, text: io.TextIOWrapper) -> bool:
        """False for objects over several lines, and for one that is alone in its file and of a shape that
        holds records.
        """
        is_json = self.member.suffix in {"json", "gz"}
        first = text.readline(self._limits.line_length)
        while first and not first.strip(SPACE):
            first = text.readline(self._limits.line_length)
        is_alone = not text.read(PIECE).strip(SPACE)
        text.seek(0)
        if isinstance(parse(first), dict):
            return not (is_json and is_alone)
        if is_json:
            return is_alone
        if first.strip(SPACE) == "{":
            return False
        stream = JsonStream(text, self._limits.line_length)
        try:
            return not isinstance(stream.value(), dict) or stream.next() not in {"", "{"}
        except (ValueError, RecursionError):
            return True
        finally:
            text.seek(0)


def line_records(text: io.TextIOWrapper, source: str, limit: int) -> Iterator[Record | Skipped]:
    number = 0
    while line := text.readline(limit):
        number += 1
        place = f"{source}:{number}"
        if len(line) >= limit and not line.endswith(("\n", "\r")):
            while line and not line.endswith(("\n", "\r")):
                line = text.readline(limit)
            yield Skipped(place, Reason.OVER_LIMIT, f"The line is longer than {limit:,} characters.")
        elif line.strip(SPACE + "\0"):
            yield record_of(place, parse(line.strip(SPACE + "\0")))


def list_records(values: Iterator[Any], source: str) -> Iterator[Record | Skipped]:
    """Records of lists. A damaged one costs itself, and the rest where no further one can be made out."""
    number = 0
    try:
        for number, value in enumerate(values, start=1):
            yield record_of(f"{source}:{number}", value)
    except BrokenListError as error:
        detail = f"The array is damaged after record {number}: {said(error)}."
        yield Skipped(source, Reason.CORRUPT, detail)


def object_records(text: str, source: str) -> Iterator[Record | Skipped]:
    """Records of an object in other forms than one list of them: what annotation tools write, and pandas'
    `to_json` (by column, or split), {name: record}, {name: caption}.
    """
    value = parse(text)
    if not isinstance(value, dict):
        detail = value if isinstance(value, Problem) else "It is not an object."
        yield Skipped(source, Reason.UNREADABLE, detail)
        return
    records = annotated(value)
    for number, record in enumerate(records or _inner_records(value), start=1):
        yield record_of(f"{source}:{number}", record)
    if records is not None and any(mark in text for mark in _WITH_SHAPES):
        yield Skipped(source, Reason.NOTE, _NO_SHAPES)


def _inner_records(value: dict[str, Any]) -> Iterator[Any]:
    names, rows = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        yield from (dict(zip(map(str, names), row, strict=False)) for row in rows)
        return
    if _is_by_column(value):
        rows = next(iter(value.values()))
        yield from ({name: column[row] for name, column in value.items()} for row in rows)
        return
    if value and all(isinstance(inner, dict) for inner in value.values()):
        yield from ({"key": key, **inner} for key, inner in value.items())
    elif value and all(isinstance(inner, str | list) for inner in value.values()):
        yield from ({"key": key, "caption": inner} for key, inner in value.items())
    else:
        yield value


def _is_by_column(value: dict[str, Any]) -> bool:
    """{column: {"0": cell, "1": cell}}: every column has the same numbered rows."""
    columns = list(value.values())
    if not columns or not all(isinstance(column, dict) and column for column in columns):
        return False
    rows = columns[0].keys()
    return all(row.isdigit() for row in rows) and all(column.keys() == rows for column in columns)


def record_of(place: str, value: Any) -> Record | Skipped:
    if isinstance(value, dict):
        if is_too_deep(value):
            return Skipped(place, Reason.UNREADABLE, "It is nested too deeply.")
        return Record(place, {clean_text(str(key)): inner for key, inner in value.items()})
    detail = value if isinstance(value, Problem) else "It is not an object with named values."
    return Skipped(place, Reason.UNREADABLE, detail)
