"""An upload read as one dataset: pictures, words and columns brought together row by row."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Self, cast

from embeddings.readers.classes import folder_columns
from embeddings.readers.limits import Limits
from embeddings.readers.lookup import PictureIndex
from embeddings.readers.members import Container, Member
from embeddings.readers.opening import open_containers
from embeddings.readers.reasons import DatasetError, ReadError, Reason, Skipped
from embeddings.readers.roles import Plan, plan_table, sample_of
from embeddings.readers.rows import (
    Choices,
    Column,
    ColumnType,
    Description,
    Form,
    Layout,
    Part,
    Picture,
    Row,
    Value,
    Vector,
)
from embeddings.readers.sidecars import SidecarTable
from embeddings.readers.sorting import Sorted, sort_members
from embeddings.readers.tables import Record, Table
from embeddings.readers.values import as_text, is_empty, to_value, to_vector

_HEAD = 10
_LOOKED_AT = 1_000  # items, to find the first rows


def open_dataset(
    path: Path | Sequence[Path],
    *,
    names: Mapping[Path, str] | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    choices: Choices | None = None,
) -> "Dataset":
    """Index an upload: archives, folders, tables and loose pictures, in any mixture.

    `names` gives files the names they were uploaded under, folders included ("cats/1.jpg"), when they are
    stored under others. Nothing is unpacked to disk. Raises DatasetError, one sentence, when there is
    nothing to read, or when `choices` names a column that is in no table.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    opened, skipped = open_containers(paths, names or {}, limits)
    try:
        return Dataset(opened, skipped, limits, choices or Choices())
    except BaseException:
        for _, container in opened:
            container.close()
        raise


@dataclass(slots=True)
class _Draft:
    """A row in the making: what one or several records say about one picture."""

    source: str
    id: str | None = None
    picture: Picture | None = None
    place: int | None = None
    captions: list[str] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    vector: Vector | None = None
    notes: list[str] = field(default_factory=list)
    plan: Plan | None = None

    def add_captions(self, texts: list[str]) -> None:
        """Captions of one more column: those that another column gave already are not repeated."""
        had = Counter(self.captions)
        for text in texts:
            if had[text]:
                had[text] -= 1
            else:
                self.captions.append(text)

    def add(self, other: "_Draft") -> None:
        """Take over what a later record about the same picture adds; what is there already stays."""
        if other.plan is self.plan:
            self.captions.extend(other.captions)
        else:
            self.add_captions(other.captions)
        for name, value in other.values.items():
            self.values.setdefault(name, value)
        self.id = self.id if self.id is not None else other.id
        self.vector = self.vector if self.vector is not None else other.vector
        self.notes.extend(other.notes)


class Dataset:
    """Iterating yields Row and Skipped in reading order and may be repeated; use as a context manager to
    close files.

    Memory holds the list of contents (about 300 bytes an entry), never pictures or whole tables; only rows
    that repeat a picture away from its first row are kept until that picture comes up.
    """

    def __init__(
        self, opened: list[tuple[Form, Container]], skipped: list[Skipped], limits: Limits, choices: Choices
    ) -> None:
        self._opened, self._limits, self._choices = opened, limits, choices
        self._sorted: Sorted = sort_members([container for _, container in opened], limits)
        self._skipped = [
            *skipped,
            *chain.from_iterable(one.skipped for _, one in opened),
            *self._sorted.skipped,
        ]
        self._index = PictureIndex(self._sorted.pictures)
        self._plans = self._plan(self._sorted.tables)
        self._check_choices()
        self._folder_values = (
            [] if self._plans else folder_columns([picture.name for picture in self._sorted.pictures])
        )
        self._columns = self._merged_columns()
        self._dimensions = next((plan.dimensions for plan in self._plans if plan.dimensions), None)
        if not self._sorted.pictures and not self._plans:
            raise DatasetError(self._nothing())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        for _, container in self._opened:
            container.close()

    def describe(self) -> Description:
        """What was understood; reads the first rows only."""
        plans = self._plans
        return Description(
            layout=self._layout(),
            parts=tuple(self._part(form, container) for form, container in self._opened),
            pictures=len(self._sorted.pictures)
            + sum(plan.table.row_count or 0 for plan in plans if plan.embedded),
            rows=self._known_rows(),
            picture=next((plan.picture for plan in plans if plan.picture), None),
            captions=tuple(dict.fromkeys(name for plan in plans for name in plan.captions)),
            id=next((plan.id for plan in plans if plan.id), None),
            vector=next((plan.vector for plan in plans if plan.vector), None),
            dimensions=self._dimensions,
            columns=tuple(self._columns.values()),
            all_columns=tuple(dict.fromkeys(name for plan in plans for name in plan.table.columns)),
            head=tuple(self._first_rows()),
            skipped=tuple(self._skipped),
        )

    def __iter__(self) -> Iterator[Row | Skipped]:
        yield from self._skipped
        yield from self._items(self._drafts(self._later_records()))

    def _first_rows(self) -> Iterator[Row]:
        """Without reading the tables ahead, as iterating must: captions that come far below are left out."""
        items = islice(self._items(self._drafts({})), _LOOKED_AT)
        return islice((item for item in items if isinstance(item, Row)), _HEAD)

    def _items(self, drafts: Iterator[_Draft | Skipped]) -> Iterator[Row | Skipped]:
        number = 0
        ids: set[str] = set()
        for item in drafts:
            if isinstance(item, _Draft):
                problem = self._problem_with(item, ids)
                if problem is None:
                    if number >= self._limits.rows:
                        detail = f"The limit is {self._limits.rows:,} rows; the rest was not read."
                        yield Skipped(item.source, Reason.OVER_LIMIT, detail)
                        return
                    yield self._row(number, item)
                    number += 1
                    continue
                item = problem
            yield item

    # --- planning ---

    def _plan(self, tables: Sequence[Table]) -> list[Plan]:
        plans: list[Plan] = []
        for table in tables:
            plan = self._plan_one(table)
            if plan.captions and table.spread_surplus_into(plan.captions[0]):
                plan = self._plan_one(table)
            if problem := self._useless(plan):
                self._skipped.append(Skipped(table.source, Reason.UNSUPPORTED, problem))
            else:
                plans.append(plan)
        # The first table about a picture decides its place: prefer one that has captions.
        return sorted(plans, key=lambda plan: not plan.captions)

    def _plan_one(self, table: Table) -> Plan:
        return plan_table(table, sample_of(table), self._index, self._choices, self._limits)

    def _useless(self, plan: Plan) -> str | None:
        """Why a table has nothing to give, or None."""
        if isinstance(plan.table, SidecarTable):
            return None
        if self._sorted.pictures and plan.picture is None:
            return "No column of this table names a picture of the upload."
        if plan.picture is None and not plan.captions and plan.vector is None:
            return "No column of this table holds pictures, captions or vectors."
        return None

    def _check_choices(self) -> None:
        choices = self._choices
        known = {name for table in self._sorted.tables for name in table.columns}
        for name in (choices.picture, choices.id, choices.vector, *(choices.captions or ()), *choices.types):
            if name and name not in known:
                raise DatasetError(f"No table of the upload has a column called “{name}”.")

    def _merged_columns(self) -> dict[str, Column]:
        columns = {
            name: Column(name, ColumnType.CATEGORY, tuple(dict.fromkeys(values))[:3])
            for name, values in self._folder_columns().items()
        }
        for plan in self._plans:
            for name, column in plan.columns.items():
                other = columns.setdefault(name, column)
                if other.type is not column.type:
                    columns[name] = Column(name, ColumnType.TEXT, other.examples)
        return columns

    def _folder_columns(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for values in self._folder_values:
            for name, value in values.items():
                found.setdefault(name, []).append(value)
        return {name: values for name, values in found.items() if name not in self._choices.leave_out}

    def _layout(self) -> Layout:
        pictures, plans = self._sorted.pictures, self._plans
        if not plans:
            return Layout.CLASS_FOLDERS if self._folder_values else Layout.PICTURES
        if any(isinstance(plan.table, SidecarTable) for plan in plans):
            return Layout.WEBDATASET if pictures else Layout.TEXT_FILES
        if any(plan.embedded for plan in plans):
            return Layout.PICTURE_TABLE
        if not pictures:
            return Layout.TEXT_TABLE
        named = {plan.table.member.name.rpartition("/")[2].partition(".")[0] for plan in plans}
        return Layout.IMAGE_FOLDER if named == {"metadata"} else Layout.TABLE

    def _part(self, form: Form, container: Container) -> Part:
        pictures = sum(picture.container is container for picture in self._sorted.pictures)
        tables = tuple(plan.table.source for plan in self._plans if plan.table.member.container is container)
        name = container.name
        if form is Form.FILES:
            count = len(container.members)
            name = container.members[0].name if count == 1 else f"{count:,} files"
        return Part(name, form, pictures, tables)

    def _known_rows(self) -> int | None:
        if not self._plans or all(plan.picture and not plan.embedded for plan in self._plans):
            return len(self._sorted.pictures)
        counts = [plan.table.row_count for plan in self._plans]
        return None if None in counts else sum(count or 0 for count in counts)

    def _nothing(self) -> str:
        if self._skipped:
            first = self._skipped[0]
            return f"Nothing in the upload can be read. {first.source}: {first.detail}"
        return "The upload holds no pictures and no table."

    # --- reading ---

    def _drafts(self, later: dict[int, list[_Draft]]) -> Iterator[_Draft | Skipped]:
        """Rows of the tables in order, then the pictures no table speaks of."""
        claimed = bytearray(len(self._sorted.pictures))
        for plan in self._plans:
            yield from self._table_drafts(plan, claimed, later)
        for place, picture in enumerate(self._sorted.pictures):
            if not claimed[place]:
                values: dict[str, Value] = {}
                if self._folder_values:
                    values.update(
                        (name, value)
                        for name, value in self._folder_values[place].items()
                        if name in self._columns
                    )
                yield _Draft(picture.source, None, self._picture(picture), place, values=values)

    def _table_drafts(
        self, plan: Plan, claimed: bytearray, later: dict[int, list[_Draft]]
    ) -> Iterator[_Draft | Skipped]:
        current: _Draft | None = None
        for item in plan.table.records():
            if isinstance(item, Skipped):
                if current is not None:
                    yield current
                    current = None
                yield item
                continue
            made = self._try_draft(plan, item)
            place = made.place if isinstance(made, _Draft) else None
            if place is not None and current is not None and current.place == place:
                current.add(cast(_Draft, made))
                continue
            if current is not None:
                yield current
                current = None
            if place is not None and claimed[place]:
                continue  # its words went to the picture's first row, by way of `later`
            if place is None:
                yield made
            else:
                claimed[place] = 1
                current = cast(_Draft, made)
                for extra in later.pop(place, ()):
                    current.add(extra)
        if current is not None:
            yield current

    def _try_draft(self, plan: Plan, record: Record) -> _Draft | Skipped:
        try:
            return self._draft(plan, record)
        except ReadError as error:
            return error.at(record.source)

    def _later_records(self) -> dict[int, list[_Draft]]:
        """What is said about a picture away from its first row: captions sorted by number, a second table's
        columns.

        Reads the tables once ahead.
        """
        seen = bytearray(len(self._sorted.pictures))
        later: dict[int, list[_Draft]] = {}
        for plan in self._plans:
            if plan.picture is None or plan.embedded:
                continue
            previous: int | None = None
            for item in plan.table.records():
                if isinstance(item, Skipped):
                    continue
                try:
                    place = self._place(plan, item)
                    if place is not None and place != previous and seen[place]:
                        later.setdefault(place, []).append(self._draft(plan, item))
                except ReadError:
                    continue  # reported when its row comes up
                if place is not None:
                    previous = place
                    seen[place] = 1
        return later

    def _place(self, plan: Plan, record: Record) -> int | None:
        """The place of the picture a record names, or None when its cell is empty."""
        if record.picture is not None:
            return record.picture
        if plan.picture is None or plan.embedded or is_empty(cell := record.cells.get(plan.picture)):
            return None
        name = as_text(cell)
        place = self._index.find(name, plan.table.member)
        if place is None:
            raise ReadError(
                Reason.MISSING, f"It names the picture “{name[:200]}”, which is not in the upload."
            )
        return place

    def _draft(self, plan: Plan, record: Record) -> _Draft:
        draft = _Draft(record.source, notes=list(record.notes), plan=plan)
        draft.place = self._place(plan, record)
        if draft.place is not None:
            draft.picture = self._picture(self._sorted.pictures[draft.place])
        elif plan.embedded and plan.picture is not None:
            self._embed(draft, plan, record.cells.get(plan.picture))
        if plan.id is not None and not is_empty(cell := record.cells.get(plan.id)):
            draft.id = as_text(cell)[:1_000]
        for name in plan.captions:
            self._add_captions(draft, record.cells.get(name))
        if plan.vector is not None and not is_empty(cell := record.cells.get(plan.vector)):
            draft.vector = self._vector(cell)
        for name in plan.columns:
            if not is_empty(cell := record.cells.get(name)):
                self._add_value(draft, name, cell)
        return draft

    def _picture(self, member: Member) -> Picture:
        return Picture(member.source, partial(member.read, self._limits.picture_bytes))

    def _embed(self, draft: _Draft, plan: Plan, cell: Any) -> None:
        """A picture whose bytes lie in the table; Hugging Face leaves them out where it only knows a path."""
        if is_empty(cell):
            return
        data, path = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, None)
        if data is None and isinstance(path, str) and path:
            draft.place = self._index.find(path, plan.table.member)
            if draft.place is None:
                raise ReadError(
                    Reason.MISSING, f"It names the picture “{path[:200]}”, which is not in the upload."
                )
            draft.picture = self._picture(self._sorted.pictures[draft.place])
        elif isinstance(data, bytes) and data:
            if len(data) > self._limits.picture_bytes:
                limit = f"{self._limits.picture_bytes:,}"
                raise ReadError(
                    Reason.OVER_LIMIT, f"Its picture holds {len(data):,} bytes; the limit is {limit}."
                )
            name = path if isinstance(path, str) and path else draft.source
            draft.picture = Picture(name, lambda: data)

    def _add_captions(self, draft: _Draft, cell: Any) -> None:
        if is_empty(cell):
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
            raise ReadError(Reason.UNREADABLE, "Its vector is not a list of finite numbers.")
        if len(vector) != self._dimensions:
            raise ReadError(
                Reason.UNREADABLE,
                f"Its vector has {len(vector)} numbers; the others have {self._dimensions}.",
            )
        return vector

    def _add_value(self, draft: _Draft, name: str, cell: Any) -> None:
        kind = self._columns[name].type
        value = to_value(cell, kind)
        if value is None:
            draft.notes.append(f"{name}: “{as_text(cell)[:80]}” is not a {kind}; it was left empty.")
            return
        longest = self._limits.value_length
        if isinstance(value, str) and len(value) > longest:
            draft.notes.append(f"{name}: a text of {len(value):,} characters was cut to {longest:,}.")
            value = value[:longest]
        draft.values[name] = value

    def _problem_with(self, draft: _Draft, ids: set[str]) -> Skipped | None:
        """Why a whole draft cannot become a row. Remembers its id otherwise."""
        if draft.place is not None:
            size = self._sorted.pictures[draft.place].size
            if size > self._limits.picture_bytes:
                limit = f"{self._limits.picture_bytes:,}"
                detail = f"Its picture holds {size:,} bytes; the limit is {limit}."
                return Skipped(draft.source, Reason.OVER_LIMIT, detail)
        elif draft.picture is None and not draft.captions and draft.vector is None:
            return Skipped(draft.source, Reason.EMPTY, Reason.EMPTY.sentence)
        if draft.id is not None:
            if draft.id in ids:
                return Skipped(
                    draft.source, Reason.DUPLICATE_ID, f"An earlier row has the id “{draft.id[:200]}”."
                )
            ids.add(draft.id)
        return None

    def _row(self, number: int, draft: _Draft) -> Row:
        most = self._limits.captions
        if len(draft.captions) > most:
            draft.notes.append(f"Of {len(draft.captions)} captions the first {most} were kept.")
        return Row(
            number,
            draft.id,
            draft.picture,
            draft.captions[:most],
            draft.values,
            draft.vector,
            draft.source,
            tuple(draft.notes),
        )
