"""JSON tables: a record a line, an array of records, or the objects people wrap around them. Streamed one by
one.
"""

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from embeddings.readers.limits import Limits
from embeddings.readers.members import READ_ERRORS, Member, said
from embeddings.readers.objects import ObjectTable
from embeddings.readers.reasons import ReadError, Reason, Skipped
from embeddings.readers.tables import Record
from embeddings.readers.text import clean_text, open_text
from embeddings.readers.values import is_too_deep

_PIECE = 64 * 2**10
_LARGEST_OBJECT = 128 * 2**20  # characters of a file that is one object: it must be parsed whole
_SPACE = " \t\r\n\ufeff"
_BETWEEN_VALUES = re.compile(rf"[{_SPACE},]*")
_BETWEEN_OBJECTS = re.compile(r"\}\s*,\s*(?=\{)")
_TRIES = 100  # to find the record after a damaged one


class JsonTable(ObjectTable):
    """Raises ReadError when no record can be read among the first ones."""

    def __init__(self, member: Member, limits: Limits) -> None:
        super().__init__(member)
        self._limits = limits
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
        start = text.read(_PIECE).lstrip(_SPACE)
        text.seek(0)
        if start.startswith("["):
            yield from array_records(text, self.source, self._limits.line_length)
        elif self._is_one_object(start, text):
            whole = text.read(_LARGEST_OBJECT + 1)
            if len(whole) > _LARGEST_OBJECT:
                limit = f"{_LARGEST_OBJECT >> 20} million characters"
                detail = f"It is one object of more than {limit}; write its records one a line (JSONL)."
                raise ReadError(Reason.OVER_LIMIT, detail)
            yield from object_records(whole, self.source)
        else:
            yield from line_records(text, self.source, self._limits.line_length)

    def _is_one_object(self, start: str, text: io.TextIOWrapper) -> bool:
        """An object that does not end on its first line, or is alone in its file and of a shape that holds
        records.
        """
        if self.member.suffix not in {"json", "gz"} or not start.startswith("{"):
            return False
        first = text.readline(self._limits.line_length)
        while first and not first.strip(_SPACE):
            first = text.readline(self._limits.line_length)
        second = text.read(_PIECE).strip(_SPACE)
        text.seek(0)
        if isinstance(parse(first), dict):
            return not second
        return bool(second)


def parse(text: str) -> Any:
    """The JSON value, or a sentence (str subclass) about why there is none. NaN and infinities become
    None.
    """
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        return Problem("It is nested too deeply.")
    except ValueError as error:
        return Problem(f"It is not JSON: {said(error)}.")


class Problem(str):
    """Why a piece of text is not JSON."""

    __slots__ = ()


def line_records(text: io.TextIOWrapper, source: str, limit: int) -> Iterator[Record | Skipped]:
    number = 0
    while line := text.readline(limit):
        number += 1
        place = f"{source}:{number}"
        if len(line) >= limit and not line.endswith(("\n", "\r")):
            while line and not line.endswith(("\n", "\r")):
                line = text.readline(limit)
            yield Skipped(place, Reason.OVER_LIMIT, f"The line is longer than {limit:,} characters.")
        elif line.strip(_SPACE + "\0"):
            yield _record(place, parse(line.strip(_SPACE + "\0")))


def array_records(text: io.TextIOWrapper, source: str, limit: int) -> Iterator[Record | Skipped]:
    """Records of one JSON array, holding few of them in memory at a time. A damaged one costs itself, and
    the rest where no further one can be made out.
    """
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    buffer, at = text.read(_PIECE).lstrip(_SPACE), 1
    number = 0
    last: Any = None
    while True:
        at = _ahead(buffer, at)
        if buffer.startswith("]", at):
            return
        try:
            value, end = _value_at(decoder, buffer, at)
        except RecursionError:
            yield Skipped(f"{source}:{number + 1}", Reason.UNREADABLE, "It is nested too deeply.")
            return
        except ValueError as error:
            left = len(buffer) - at
            if left < limit and (more := text.read(max(_PIECE, left))):
                buffer, at = buffer[at:] + more, 0
                continue
            following = _next_record(decoder, buffer, at, last)
            if following is None:
                detail = f"The array is damaged after record {number}: {said(error)}."
                yield Skipped(source, Reason.CORRUPT, detail)
                return
            number, at = number + 1, following
            yield Skipped(f"{source}:{number}", Reason.UNREADABLE, f"It is not JSON: {said(error)}.")
            continue
        number, at, last = number + 1, end, value
        yield _record(f"{source}:{number}", value)


def _ahead(buffer: str, at: int) -> int:
    """The place of what follows the blanks and commas at `at`."""
    between = _BETWEEN_VALUES.match(buffer, at)
    assert between is not None  # it may be empty
    return between.end()


def _value_at(decoder: json.JSONDecoder, buffer: str, at: int) -> tuple[Any, int]:
    """The value at a place and where it ends. Raises ValueError when more text is needed."""
    if at == len(buffer):
        raise ValueError("the array is never closed")
    value, end = decoder.raw_decode(buffer, at)
    if end == len(buffer) and not isinstance(value, dict | list):
        raise ValueError("it ends inside a value")
    return value, end


def _next_record(decoder: json.JSONDecoder, buffer: str, at: int, last: Any) -> int | None:
    """Where a record begins after the damaged one at `at`. An object in the damaged record itself has other
    names than the `last` record.
    """
    names = last.keys() if isinstance(last, dict) else None
    for between in islice(_BETWEEN_OBJECTS.finditer(buffer, at), _TRIES):
        try:
            value, _ = decoder.raw_decode(buffer, between.end())
        except (ValueError, RecursionError):
            continue
        if names is None or names & value.keys():
            return between.end()
    return None


def object_records(text: str, source: str) -> Iterator[Record | Skipped]:
    """Records of a file that is one object: COCO's, {"data": [records]}, what pandas' `to_json` writes
    (by column, or split), {name: record}, {name: caption}.
    """
    value = parse(text)
    if not isinstance(value, dict):
        detail = value if isinstance(value, Problem) else "It is not an object."
        yield Skipped(source, Reason.UNREADABLE, detail)
        return
    for number, record in enumerate(_inner_records(value), start=1):
        yield _record(f"{source}:{number}", record)
    if _has_boxes(value):
        yield Skipped(source, Reason.NOTE, "The categories of its objects were read, their boxes were not.")


def _inner_records(value: dict[str, Any]) -> Iterator[Any]:
    images, annotations = value.get("images"), value.get("annotations")
    if isinstance(images, list) and isinstance(annotations, list):
        yield from _coco_records(images, annotations, value.get("categories"))
        return
    names, rows = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        yield from (dict(zip(map(str, names), row, strict=False)) for row in rows)
        return
    if _is_by_column(value):
        rows = next(iter(value.values()))
        yield from ({name: column[row] for name, column in value.items()} for row in rows)
        return
    lists = [
        inner for inner in value.values() if isinstance(inner, list) and inner and isinstance(inner[0], dict)
    ]
    if len(lists) == 1:
        yield from lists[0]
    elif value and all(isinstance(inner, dict) for inner in value.values()):
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


def _coco_records(images: list[Any], annotations: list[Any], categories: Any) -> Iterator[Any]:
    """COCO's files of captions and of objects (cocodataset.org/#format-data): annotations point at images
    and categories by id.
    """
    categories = categories if isinstance(categories, list) else []
    names = {str(each.get("id")): each.get("name") for each in categories if isinstance(each, dict)}
    captions: dict[str, list[str]] = {}
    objects: dict[str, dict[str, None]] = {}
    for annotation in annotations:
        if not isinstance(annotation, dict):
            continue
        image = str(annotation.get("image_id"))
        if isinstance(annotation.get("caption"), str):
            captions.setdefault(image, []).append(annotation["caption"])
        if (category := annotation.get("category_id")) is not None:
            objects.setdefault(image, {})[str(names.get(str(category)) or category)] = None
    told: dict[str, Mapping[str, Iterable[str]]] = {"caption": captions, "categories": objects}
    for each in images:
        if isinstance(each, dict):
            image = str(each.get("id"))
            yield {**each, **{name: list(found.get(image, ())) for name, found in told.items() if found}}
        else:
            yield each


def _has_boxes(value: dict[str, Any]) -> bool:
    images, annotations = value.get("images"), value.get("annotations")
    if not isinstance(images, list) or not isinstance(annotations, list):
        return False
    return any(
        isinstance(annotation, dict) and (annotation.get("bbox") or annotation.get("segmentation"))
        for annotation in annotations
    )


def _record(place: str, value: Any) -> Record | Skipped:
    if isinstance(value, dict):
        if is_too_deep(value):
            return Skipped(place, Reason.UNREADABLE, "It is nested too deeply.")
        return Record(place, {clean_text(str(key)): inner for key, inner in value.items()})
    detail = value if isinstance(value, Problem) else "It is not an object with named values."
    return Skipped(place, Reason.UNREADABLE, detail)
