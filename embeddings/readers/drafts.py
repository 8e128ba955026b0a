"""Records to rows in the making."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from embeddings.readers.limits import Limits
from embeddings.readers.lookup import Guesses, PictureIndex
from embeddings.readers.members import Member
from embeddings.readers.reasons import ReadError, Reason
from embeddings.readers.roles import Plan, first_of
from embeddings.readers.rows import Column, ColumnType, Picture, Value, Vector
from embeddings.readers.tables import Record
from embeddings.readers.values import as_text, is_empty, texts_in, to_value, to_vector

_LONGEST_ID = 2_000  # bytes: ids are indexed, and an entry of an index has at most 2,704
_OF_WORDS = frozenset({ColumnType.CATEGORY, ColumnType.TEXT})

Key = int | str  # what a record is about: a picture's place, or an id by which tables are joined


@dataclass(slots=True)
class Draft:
    """A row in the making: what one or several records say about one picture, or under one id."""

    source: str
    id: str | None = None
    picture: Picture | None = None
    key: Key | None = None
    captions: list[str] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    vector: Vector | None = None
    notes: list[str] = field(default_factory=list)
    plan: Plan | None = None
    items: dict[str, dict[str, None]] = field(default_factory=dict)  # of lists that several records add to
    left_out: dict[tuple[str, str], None] = field(default_factory=dict)  # (table, column) that says more

    def add_captions(self, texts: list[str]) -> None:
        """Captions of one more column: those that another column gave already are not repeated."""
        had = Counter(self.captions)
        for text in texts:
            if had[text]:
                had[text] -= 1
            else:
                self.captions.append(text)

    def add(self, other: "Draft") -> None:
        """Take over what a later record about the same picture adds: captions, items of lists, and values
        where there are none yet.
        """
        if other.plan is self.plan:
            self.captions.extend(other.captions)
        else:
            self.add_captions(other.captions)
        for name, value in other.values.items():
            mine = self.values.setdefault(name, value)
            if isinstance(mine, list) and isinstance(value, list):
                self.items.setdefault(name, dict.fromkeys(mine)).update(dict.fromkeys(value))
            elif mine != value:
                self._leave_out(other, name)
        if self.id is None:
            self.id = other.id
        elif other.id not in {None, self.id}:
            self._leave_out(other, other.plan.id if other.plan else None)
        if self.vector is None:
            self.vector = other.vector
        elif other.vector is not None and not np.array_equal(other.vector, self.vector):
            self._leave_out(other, other.plan.vector if other.plan else None)
        self.notes.extend(other.notes)

    def _leave_out(self, other: "Draft", column: str | None) -> None:
        if other.plan is not None and column is not None:
            self.left_out[other.plan.table.source, column] = None


class DraftMaker:
    """Makes drafts by a table's plan; `columns` and `dimensions` are those of the whole dataset."""

    def __init__(
        self, index: PictureIndex, columns: Mapping[str, Column], dimensions: int | None, limits: Limits
    ) -> None:
        self._index, self._columns, self._dimensions, self._limits = index, columns, dimensions, limits
        self.guesses = Guesses(index.pictures)

    def key(self, plan: Plan, record: Record) -> Key | None:
        """What the record is about; None: only itself. Raises ReadError when its picture is missing."""
        if record.picture is not None:
            return record.picture
        if plan.joins_by_id and plan.id is not None:
            return None if is_empty(cell := record.cells.get(plan.id)) else _id_of(cell)
        if plan.picture is None or is_empty(cell := first_of(record.cells.get(plan.picture))):
            return None
        name = _path_of(cell) if plan.embedded or isinstance(cell, dict) else as_text(cell)
        if not name:
            return None
        place = self._index.find(name, plan.table.member)
        if place is None:
            raise ReadError(
                Reason.MISSING, f"It names the picture “{name[:200]}”, which is not in the upload."
            )
        self.guesses.check(name, place)
        return place

    def make(self, plan: Plan, record: Record, key: Key | None) -> Draft:
        """Raises ReadError when the record's vector or picture cannot be taken."""
        draft = Draft(record.source, notes=list(record.notes), plan=plan, key=key)
        pictures = None if plan.picture is None else record.cells.get(plan.picture)
        if isinstance(key, int):
            draft.picture = self.picture(self._index.pictures[key])
        elif plan.embedded:
            draft.picture = self._embedded(draft.source, first_of(pictures))
        if isinstance(pictures, list) and len(pictures) > 1:
            draft.notes.append(f"Of its {len(pictures):,} pictures the first was kept.")
        if plan.id is not None and not is_empty(cell := record.cells.get(plan.id)):
            draft.id = _id_of(cell)
        for name in plan.captions:
            self._add_captions(draft, record.cells.get(name))
        if plan.vector is not None and not is_empty(cell := record.cells.get(plan.vector)):
            draft.vector = self._vector(cell)
        for name in plan.columns:
            cell = record.cells.get(name)
            in_words = isinstance(cell, list) or self._columns[name].type in _OF_WORDS
            if not (is_empty(cell, plan.nothing) if in_words else is_empty(cell)):
                self.add_value(draft, name, cell)
        return draft

    def picture(self, member: Member) -> Picture:
        """A member as a picture, read when it is asked for."""
        return Picture(member.source, partial(member.read, self._limits.picture_bytes))

    def _embedded(self, source: str, cell: Any) -> Picture | None:
        """A picture whose bytes lie in the table itself."""
        data, path = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, None)
        if not isinstance(data, bytes) or not data:
            return None
        if len(data) > self._limits.picture_bytes:
            limit = f"{self._limits.picture_bytes:,}"
            raise ReadError(
                Reason.OVER_LIMIT, f"Its picture holds {len(data):,} bytes; the limit is {limit}."
            )
        return Picture(as_text(path) if isinstance(path, str) and path else source, lambda: data)

    def _add_captions(self, draft: Draft, cell: Any) -> None:
        if is_empty(cell := texts_in(cell)):
            return
        texts = (
            [as_text(item) for item in cell if not is_empty(item)]
            if isinstance(cell, list)
            else [as_text(cell)]
        )
        longest = self._limits.caption_length
        for text in texts:
            if len(text) > longest:
                draft.notes.append(f"A caption of {len(text):,} characters was cut to {longest:,}.")
        draft.add_captions([text[:longest] for text in texts if text])

    def _vector(self, cell: Any) -> Vector:
        vector = to_vector(cell, self._limits.dimensions)
        if vector is None:
            raise ReadError(
                Reason.UNREADABLE, "Its vector is not a list of finite numbers (NaN and infinity are none)."
            )
        if len(vector) != self._dimensions:
            raise ReadError(
                Reason.UNREADABLE,
                f"Its vector has {len(vector)} numbers; the others have {self._dimensions}.",
            )
        if not vector.any():
            raise ReadError(
                Reason.UNREADABLE, "Its vector is zero: it has no direction, so no place on a map."
            )
        return vector

    def add_value(self, draft: Draft, name: str, cell: Any) -> None:
        """One cell in its column's type, or a note on the draft that it does not fit."""
        kind = self._columns[name].type
        value = to_value(cell, kind)
        if value is None:
            draft.notes.append(f"{name}: “{as_text(cell)[:80]}” is not a {kind}; it was left empty.")
            return
        longest = self._limits.value_length
        if isinstance(value, str) and len(value) > longest:
            draft.notes.append(f"{name}: a text of {len(value):,} characters was cut to {longest:,}.")
            value = value[:longest]
        most = self._limits.list_items
        if isinstance(value, list):
            if len(value) > most:
                draft.notes.append(f"{name}: of {len(value):,} items the first {most:,} were kept.")
            value = [item[:longest] for item in value[:most]]
        draft.values[name] = value


def _id_of(cell: Any) -> str:
    return as_text(cell).encode()[:_LONGEST_ID].decode(errors="ignore")


def _path_of(cell: Any) -> str | None:
    """Hugging Face's {bytes, path} where it holds no bytes: the picture lies beside the table."""
    if not isinstance(cell, dict) or cell.get("bytes") is not None or not isinstance(cell.get("path"), str):
        return None
    return as_text(cell["path"])
