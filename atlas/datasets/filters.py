"""Filters: one JSON shape for "which records", used by selections, tables, tags, exports and searches.

    {"all": [Filter, …]} | {"any": [Filter, …]} | {"not": Filter}
    {"column": "artist", "in": ["Monet", null]}      null: has no value
    {"column": "year", "from": 1900, "to": 1950}     numbers, dates as ISO text; inclusive; one end is enough
    {"column": "notes", "contains": "red"}           any case
    {"caption": "red"}                               one of the captions contains it, any case
    {"has": "caption" | "image"}
    {"tag": "<id>"} | {"tags": "any" | "several"}
    {"rows": [1, 2, 3]}

A filter is parsed against a dataset's columns, then evaluated to a mask: a bool for every row. Rooms above
add leaves of their own (see `Leaves`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import numpy as np
from django.core.cache import cache
from django.db import connection
from numpy.typing import NDArray

from atlas.datasets.models import Dataset, RemovedRecord
from atlas.text import storable

Mask = NDArray[np.bool_]

MOST_NODES = 200
DEEPEST = 32
MOST_ROWS = 100_000
MOST_VALUES = 1000
LONGEST_TEXT = 1000
#: Imported values only change when a column turns out to be text, of which other SQL is asked: so only memory
#: says for how long.
_CACHE_SECONDS = 600
_TAGGED = (
    "SELECT tagged.row FROM datasets_taggedrecord tagged JOIN datasets_tag tag ON tag.id = tagged.tag_id"
    " WHERE tag.dataset_id = %s AND tagged.row < %s"
)


#: NULL where it is no number: a column that was partly text may hold both. Takes the column's name twice.
AS_NUMBER = (
    """CASE WHEN jsonb_typeof("values" -> %s) = 'number' THEN ("values" ->> %s)::double precision END"""
)


class FilterError(Exception):
    """A filter that makes no sense: a sentence that says what is wrong with it."""


class Node(Protocol):
    def mask(self, dataset: Dataset, row_count: int) -> Mask:
        """(row_count,) whether each row matches."""
        ...


class Leaf(NamedTuple):
    """What makes a node of a part of a filter, and the keys that may stand in it beside the one that names
    it."""

    node: Callable[[dict[str, Any]], Node]
    beside: Sequence[str] = ()


#: By the key that names each.
Leaves = Mapping[str, Leaf]


@dataclass(frozen=True)
class Every:
    parts: Sequence[Node]

    def mask(self, dataset: Dataset, row_count: int) -> Mask:
        found = np.ones(row_count, bool)
        for part in self.parts:
            found &= part.mask(dataset, row_count)
        return found


@dataclass(frozen=True)
class Existing:
    """What “not”, a region or a list of rows finds of rows whose records were removed is nothing."""

    def mask(self, dataset: Dataset, row_count: int) -> Mask:
        return existing_rows(dataset, row_count)


@dataclass(frozen=True)
class Some:
    parts: Sequence[Node]

    def mask(self, dataset: Dataset, row_count: int) -> Mask:
        found = np.zeros(row_count, bool)
        for part in self.parts:
            found |= part.mask(dataset, row_count)
        return found


@dataclass(frozen=True)
class Not:
    part: Node

    def mask(self, dataset: Dataset, row_count: int) -> Mask:
        return ~self.part.mask(dataset, row_count)


@dataclass(frozen=True)
class Rows:
    rows: tuple[int, ...]

    def mask(self, dataset: Dataset, row_count: int) -> Mask:  # noqa: ARG002  # as every node
        found = np.zeros(row_count, bool)
        rows = np.array(self.rows, np.int64)
        found[rows[rows < row_count]] = True
        return found


@dataclass(frozen=True)
class Sql:
    """A condition on a record's row in Postgres; `text` is ours, what users said is in `values`."""

    text: str
    values: tuple[Any, ...] = ()

    def mask(self, dataset: Dataset, row_count: int) -> Mask:
        records = f"{row_count}:{dataset.removed_count}"
        key = f"filter:{dataset.pk}:{records}:{len(dataset.columns)}:{hash_of(self)}"
        packed = cache.get(key)
        if packed is None:
            packed = np.packbits(self._found(dataset, row_count)).tobytes()
            cache.set(key, packed, _CACHE_SECONDS)
        return np.unpackbits(np.frombuffer(packed, np.uint8), count=row_count).astype(bool)

    def _found(self, dataset: Dataset, row_count: int) -> Mask:
        sql = f"SELECT row FROM datasets_record WHERE dataset_id = %s AND row < %s AND ({self.text})"  # noqa: S608
        return _mask_of(sql, [dataset.pk, row_count, *self.values], row_count)


@dataclass(frozen=True)
class Tagged:
    """Never cached: tags change at any moment."""

    tag: UUID

    def mask(self, dataset: Dataset, row_count: int) -> Mask:
        sql = f"{_TAGGED} AND tag.id = %s"
        return _mask_of(sql, [dataset.pk, row_count, self.tag], row_count)


@dataclass(frozen=True)
class TaggedOften:
    """With so many tags or more; never cached either."""

    least: int

    def mask(self, dataset: Dataset, row_count: int) -> Mask:
        sql = f"{_TAGGED} GROUP BY tagged.row HAVING count(*) >= %s"
        return _mask_of(sql, [dataset.pk, row_count, self.least], row_count)


def _mask_of(sql: str, values: Sequence[Any], row_count: int) -> Mask:
    """Of the rows that the statement selects, all below `row_count`."""
    found = np.zeros(row_count, bool)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found[[row for (row,) in cursor.fetchall()]] = True
    return found


def hash_of(sql: Sql) -> str:
    return sha256(repr((sql.text, sql.values)).encode()).hexdigest()


def parse_filter(dataset: Dataset, content: Any, leaves: Leaves | None = None) -> Node:
    """The filter as a node that can be asked for its mask. Raises FilterError."""
    return Every((Existing(), _Parser(dataset, leaves or {}).node(content, 1)))


def existing_rows(dataset: Dataset, row_count: int) -> Mask:
    """(row_count,) whether each row still has its record."""
    found = np.ones(row_count, bool)
    if dataset.removed_count:
        removed = RemovedRecord.objects.filter(dataset=dataset, row__lt=row_count)
        found[np.fromiter(removed.values_list("row", flat=True), np.int64)] = False
    return found


def reads_captions(content: Any) -> bool:
    """Whether a filter asks for the words of captions: those may be hidden from the asker."""
    if isinstance(content, dict):
        return "caption" in content or any(reads_captions(part) for part in content.values())
    return isinstance(content, list) and any(reads_captions(part) for part in content)


class _Parser:
    def __init__(self, dataset: Dataset, leaves: Leaves) -> None:
        self.types = {column["name"]: str(column["type"]) for column in dataset.columns}
        self.leaves = leaves
        self.nodes = 0

    def node(self, content: Any, depth: int) -> Node:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise FilterError(f"A filter has at most {MOST_NODES} parts.")
        if depth > DEEPEST:
            raise FilterError(f"A filter is at most {DEEPEST} levels deep.")
        if not isinstance(content, dict):
            raise FilterError(f'A filter is an object such as {{"has": "image"}}, not {_short(content)}.')
        kinds: Leaves = {
            "all": Leaf(lambda part: Every(self._list(part, "all", depth))),
            "any": Leaf(lambda part: Some(self._list(part, "any", depth))),
            "not": Leaf(lambda part: Not(self.node(part["not"], depth + 1))),
            "column": Leaf(self._column, ("in", "from", "to", "contains")),
            "caption": Leaf(lambda part: _in_captions(_text(part["caption"], "caption"))),
            "has": Leaf(_has),
            "tag": Leaf(lambda part: Tagged(_uuid(part["tag"], "tag"))),
            "tags": Leaf(_tagged),
            "rows": Leaf(_rows),
            **self.leaves,
        }
        named = [kind for kind in kinds if kind in content]
        if len(named) != 1:
            raise FilterError(f"A filter has exactly one of {', '.join(kinds)}: {_short(content)}.")
        kind, leaf = named[0], kinds[named[0]]
        strange = set(content) - {kind, *leaf.beside}
        if strange:
            raise FilterError(f"A filter by “{kind}” knows no {', '.join(sorted(map(str, strange)))}.")
        return leaf.node(content)

    def _list(self, content: dict[str, Any], kind: str, depth: int) -> list[Node]:
        if not isinstance(content[kind], list):
            raise FilterError(f"“{kind}” is a list of filters, not {_short(content[kind])}.")
        return [self.node(part, depth + 1) for part in content[kind]]

    def _column(self, content: dict[str, Any]) -> Node:
        said = content.keys() - {"column"}
        if not said or (said & {"in", "contains"} and len(said) > 1):
            raise FilterError("A filter by column says “in”, “contains”, or “from” and “to”.")
        name = _text(content["column"], "column")
        kind = self.types.get(name)
        if kind is None:
            raise FilterError(f"There is no column “{name}” in this dataset.")
        if "in" in content:
            return _one_of(name, kind, content["in"])
        if "contains" in content:
            return _contains(name, kind, _text(content["contains"], "contains"))
        return _between(name, kind, content.get("from"), content.get("to"))


def _one_of(name: str, kind: str, values: Any) -> Node:
    if not isinstance(values, list) or len(values) > MOST_VALUES:
        raise FilterError(f"“in” is a list of at most {MOST_VALUES} values.")
    given = [value for value in values if value is not None]
    nodes: list[Node] = []
    if len(given) < len(values):
        nodes.append(Sql("""coalesce("values" -> %s, 'null') = 'null'""", (name,)))
    if given and kind == "number":
        numbers = [finite_number(value, "in") for value in given]
        nodes.append(Sql(f"{AS_NUMBER} = ANY(%s)", (name, name, numbers)))
    elif given and kind == "list":
        nodes.append(Sql('("values" -> %s) ?| %s', (name, [_text(value, "in") for value in given])))
    elif given:
        nodes.append(Sql('"values" ->> %s = ANY(%s)', (name, [_text(value, "in") for value in given])))
    return Some(nodes)


def _between(name: str, kind: str, low: Any, high: Any) -> Node:
    if low is None and high is None:
        raise FilterError("A range says “from”, “to” or both.")
    nodes: list[Node] = []
    if kind == "number":
        if low is not None:
            nodes.append(Sql(f"{AS_NUMBER} >= %s", (name, name, finite_number(low, "from"))))
        if high is not None:
            nodes.append(Sql(f"{AS_NUMBER} <= %s", (name, name, finite_number(high, "to"))))
    elif kind == "date":
        if low is not None:
            nodes.append(Sql('"values" ->> %s >= %s', (name, _text(low, "from"))))
        if high is not None:
            # "to 2020" takes in all of 2020: as much of the date is compared as was said.
            said = _text(high, "to")
            nodes.append(Sql('left("values" ->> %s, %s) <= %s', (name, len(said), said)))
    else:
        raise FilterError(f"The column “{name}” holds no numbers or dates: it has no range.")
    return Every(nodes)


def _contains(name: str, kind: str, text: str) -> Node:
    if kind == "list":
        return Sql(
            "EXISTS (SELECT FROM jsonb_array_elements_text("
            """CASE WHEN jsonb_typeof("values" -> %s) = 'array' THEN "values" -> %s ELSE '[]' END"""
            ") each WHERE each ILIKE %s)",
            (name, name, _pattern(text)),
        )
    return Sql('"values" ->> %s ILIKE %s', (name, _pattern(text)))


def _in_captions(text: str) -> Node:
    return Sql(
        "EXISTS (SELECT FROM jsonb_array_elements_text(captions) each WHERE each ILIKE %s)", (_pattern(text),)
    )


def _has(content: dict[str, Any]) -> Node:
    conditions = {"caption": "caption <> ''", "image": "sha256 IS NOT NULL"}
    what = content["has"]
    if not isinstance(what, str) or what not in conditions:
        raise FilterError(f"“has” is “caption” or “image”, not {_short(what)}.")
    return Sql(conditions[what])


def _tagged(content: dict[str, Any]) -> Node:
    counts = {"any": 1, "several": 2}
    how = content["tags"]
    if not isinstance(how, str) or how not in counts:
        raise FilterError(f"“tags” is “any” or “several”, not {_short(how)}.")
    return TaggedOften(counts[how])


def _rows(content: dict[str, Any]) -> Node:
    rows = content["rows"]
    if not isinstance(rows, list) or len(rows) > MOST_ROWS:
        raise FilterError(f"“rows” is a list of at most {MOST_ROWS:,} row numbers.")
    if not all(type(row) is int and 0 <= row < 2**31 for row in rows):
        raise FilterError("“rows” holds row numbers, whole and not negative.")
    return Rows(tuple(rows))


def _pattern(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise FilterError(f"“{what}” is a text of at most {LONGEST_TEXT:,} characters.")
    try:
        return storable(value)
    except ValueError as error:
        raise FilterError(f"“{what}”: {error}") from error


def finite_number(value: Any, what: str) -> float:
    """Raises FilterError for what is none; `what` names it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FilterError(f"“{what}” is a number here, not {_short(value)}.")
    try:
        number = float(value)
    except OverflowError as error:
        raise FilterError(f"“{what}” is too large a number.") from error
    if not math.isfinite(number):
        raise FilterError(f"“{what}” is a number here, not {_short(value)}.")
    return number


def _uuid(value: Any, what: str) -> UUID:
    try:
        return UUID(_text(value, what))
    except ValueError as error:
        raise FilterError(f"“{what}” is an id, not {_short(value)}.") from error


def _short(value: Any) -> str:
    said = repr(value).encode("ascii", "backslashreplace").decode()
    return said if len(said) <= 60 else f"{said[:57]}…"
