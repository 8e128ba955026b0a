"""An upload read as one dataset: pictures, words and columns brought together row by row."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Self

from embeddings.readers.agreeing import disagreeing, turned
from embeddings.readers.classes import SPLIT, folder_columns, table_splits
from embeddings.readers.drafts import Draft, DraftMaker
from embeddings.readers.joining import Later, drafts, joined_by_id, read_ahead
from embeddings.readers.limits import Limits
from embeddings.readers.lookup import PictureIndex
from embeddings.readers.members import Container
from embeddings.readers.opening import open_containers
from embeddings.readers.reasons import DatasetError, Reason, Skipped
from embeddings.readers.roles import Plan, plan_table, sample_of
from embeddings.readers.rows import (
    Choices,
    Column,
    ColumnType,
    Description,
    Form,
    Layout,
    Part,
    Row,
)
from embeddings.readers.sidecars import SidecarTable
from embeddings.readers.sorting import Sorted, sort_members
from embeddings.readers.tables import Table
from embeddings.readers.values import fits

_HEAD = 10
_LOOKED_AT = 1_000  # items, to find the first rows
_TOLD = 3  # reasons why nothing can be read
_ADDRESSES = (
    "The pictures of the column “{}” are addresses, and none was fetched. Upload the pictures together with "
    "the table: they are found by the names at the ends of the addresses."
)
_WINDOWS = (
    "Not all of it is UTF-8; the rest was read as Windows-1252. If its letters look wrong, save it as UTF-8 "
    "and upload it again."
)


def open_dataset(
    path: Path | Sequence[Path],
    *,
    names: Mapping[Path, str] | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    choices: Choices | None = None,
    types: Mapping[str, ColumnType] | None = None,
) -> "Dataset":
    """Index an upload: archives, folders, tables and loose pictures, in any mixture.

    `names` gives files the names they were uploaded under, folders included ("cats/1.jpg"), when they are
    stored under others. `types` are those of columns that the rows will join, kept where the cells fit: a few
    rows tell little. Nothing is unpacked to disk. Raises DatasetError, one sentence, when there is nothing to
    read, or when `choices` names a column that is in no table.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    opened, skipped = open_containers(paths, names or {}, limits)
    try:
        return Dataset(opened, skipped, limits, choices or Choices(), types or {})
    except BaseException:
        for _, container in opened:
            container.close()
        raise


class Dataset:
    """Iterating yields Row and Skipped in reading order and may be repeated; use as a context manager to
    close files.

    Memory holds the list of contents (about 1.3 KB an entry of a zip, 0.5 KB of a tar), never pictures or
    whole tables; only records that repeat a picture away from its first ones are kept until it comes up.
    """

    def __init__(
        self,
        opened: list[tuple[Form, Container]],
        skipped: list[Skipped],
        limits: Limits,
        choices: Choices,
        types: Mapping[str, ColumnType],
    ) -> None:
        self._opened, self._limits, self._choices, self._types = opened, limits, choices, types
        self._sorted: Sorted = sort_members([container for _, container in opened], limits)
        self._skipped = [
            *skipped,
            *chain.from_iterable(one.skipped for _, one in opened),
            *self._sorted.skipped,
        ]
        self._index = PictureIndex(self._sorted.pictures)
        self._plans = self._plan(self._sorted.tables)
        self._agree_on_types()
        self._folder_values = folder_columns([picture.name for picture in self._sorted.pictures])
        self._splits = self._splits_of_tables()
        self._of_folders = self._folder_columns()
        self._columns = self._merged_columns()
        self._note_turned()
        self._check_choices()
        self._dimensions = next((plan.dimensions for plan in self._plans if plan.dimensions), None)
        self._maker = DraftMaker(self._index, self._columns, self._dimensions, limits)
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
        yield from self._items(self._drafts(read_ahead(self._plans, self._maker)))

    def _first_rows(self) -> Iterator[Row]:
        """Without reading the tables ahead, as iterating must: captions that come far below are left out."""
        items = islice(self._items(self._drafts({})), _LOOKED_AT)
        return islice((item for item in items if isinstance(item, Row)), _HEAD)

    def _drafts(self, later: Later) -> Iterator[Draft | Skipped]:
        pictures = self._sorted.pictures
        for item in drafts(self._plans, self._maker, pictures, later):
            if isinstance(item, Draft):
                for name, value in self._told_by_place(item).items():
                    if name in self._of_folders:
                        self._maker.add_value(item, name, value)
            yield item

    def _told_by_place(self, draft: Draft) -> Mapping[str, str]:
        if self._folder_values and isinstance(draft.key, int):
            return self._folder_values[draft.key]
        split = self._splits.get(draft.plan.table.source) if draft.plan else None
        return {} if split is None else {SPLIT: split}

    def _items(self, found: Iterator[Draft | Skipped]) -> Iterator[Row | Skipped]:
        number = 0
        ids: set[str] = set()
        left_out: Counter[tuple[str, str]] = Counter()
        for item in found:
            if isinstance(item, Draft):
                problem = self._problem_with(item, ids)
                if problem is None:
                    if number >= self._limits.rows:
                        detail = f"The limit is {self._limits.rows:,} rows; the rest was not read."
                        yield Skipped(item.source, Reason.OVER_LIMIT, detail)
                        break
                    left_out.update(item.left_out.keys())
                    yield self._row(number, item)
                    number += 1
                    continue
                item = problem
            yield item
        for (table, column), count in left_out.items():
            yield _first_kept(table, column, count)

    # --- planning ---

    def _plan(self, tables: Sequence[Table]) -> list[Plan]:
        plans: list[Plan] = []
        for table in tables:
            plan = self._plan_one(table)
            if plan.captions and table.spread_surplus_into(plan.captions[0]):
                plan = self._plan_one(table)
            if plan.table.columns_left_out:
                self._skipped.append(_columns_left_out(plan.table))
            if plan.further_vectors:
                names = ", ".join(plan.further_vectors)
                why = "A record has one vector" if plan.vector else "No vectors were chosen"
                detail = f"{why}; those of the columns {names} were not read."
                self._skipped.append(Skipped(table.source, Reason.OVER_LIMIT, detail))
            if problem := self._useless(plan):
                self._skipped.append(Skipped(table.source, Reason.UNSUPPORTED, problem))
            else:
                plans.append(plan)
                if plan.table.is_windows:
                    self._skipped.append(Skipped(plan.table.source, Reason.NOTE, _WINDOWS))
                if plan.addresses is not None:
                    detail = _ADDRESSES.format(plan.addresses)
                    self._skipped.append(Skipped(plan.table.source, Reason.NOTE, detail))
        by_id = joined_by_id(plans)
        for plan in plans:
            plan.joins_by_id = by_id
        # The first table about a picture decides its place: prefer one that has captions.
        return sorted(plans, key=lambda plan: not plan.captions)

    def _plan_one(self, table: Table) -> Plan:
        return plan_table(table, sample_of(table), self._index, self._choices, self._limits, self._types)

    def _agree_on_types(self) -> None:
        """A column has the type that is known of it, else that of the table that tells most about it, in all
        tables whose cells fit it.
        """
        told = [
            (plan.filled[name], name, column.type)
            for plan in reversed(self._plans)
            for name, column in plan.columns.items()
        ]
        told.sort(key=lambda each: each[0])
        types = {name: kind for _, name, kind in told} | dict(self._types) | dict(self._choices.types)
        for plan in self._plans:
            others = [
                column
                for name, column in plan.columns.items()
                if types[name] not in {column.type, ColumnType.TEXT}
            ]
            sample = sample_of(plan.table) if others else []
            for column in others:
                if fits([record.cells.get(column.name) for record in sample], types[column.name]):
                    plan.columns[column.name] = replace(column, type=types[column.name])

    def _useless(self, plan: Plan) -> str | None:
        """Why a table has nothing to give, or None."""
        if isinstance(plan.table, SidecarTable):
            return None
        if self._sorted.pictures and plan.picture is None:
            return "No column of this table names a picture of the upload."
        if plan.picture is None and not plan.captions and plan.vector is None:
            if plan.addresses is not None:
                return _ADDRESSES.format(plan.addresses)
            return "No column of this table holds pictures, captions or vectors."
        return None

    def _check_choices(self) -> None:
        choices = self._choices
        known = {name for table in self._sorted.tables for name in table.columns}
        unknown = [name for name in choices.types if name not in known | set(self._columns)]
        for name in (choices.picture, choices.id, choices.vector, *(choices.captions or ()), *unknown):
            if name and name not in known:
                raise DatasetError(f"No table of the upload has a column called “{name}”.")

    def _merged_columns(self) -> dict[str, Column]:
        columns: dict[str, Column] = {}
        for plan in self._plans:
            for name, column in plan.columns.items():
                other = columns.setdefault(name, column)
                if other.type is not column.type:
                    columns[name] = Column(name, ColumnType.TEXT, other.examples)
        return columns | self._of_folders

    def _note_turned(self) -> None:
        """Say which columns become text because their types disagree, unless that was chosen."""
        for name, column in self._columns.items():
            plans = [plan for plan in self._plans if name in plan.columns]
            if not plans or self._choices.types.get(name) is ColumnType.TEXT:
                continue
            kind = self._types.get(name)
            detail = disagreeing(name, plans) if kind is None else turned(name, kind, column.type, plans)
            if detail:
                self._skipped.append(Skipped(plans[-1].table.source, Reason.NOTE, detail))

    def _splits_of_tables(self) -> dict[str, str]:
        """By table, where folders tell nothing of pictures."""
        tables = [plan.table for plan in self._plans if not plan.table.knows_pictures]
        if self._folder_values or len(tables) < len(self._plans):
            return {}
        splits = table_splits([table.member.name for table in tables])
        return {table.source: split for table, split in zip(tables, splits, strict=False)}

    def _folder_columns(self) -> dict[str, Column]:
        """Without those that a table has under the same name."""
        found: dict[str, list[str]] = {}
        for values in self._folder_values or [{SPLIT: split} for split in self._splits.values()]:
            for name, value in values.items():
                found.setdefault(name, []).append(value)
        others = self._choices.leave_out.union(*(plan.table.columns for plan in self._plans))
        return {
            name: Column(
                name,
                self._choices.types.get(name, ColumnType.CATEGORY),
                tuple(islice(dict.fromkeys(values), 3)),
            )
            for name, values in found.items()
            if name not in others
        }

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
        if not self._skipped:
            return "The upload holds no pictures and no table."
        firsts: dict[str, str] = {}
        for each in self._skipped:
            firsts.setdefault(each.detail, f"{each.source}: {each.detail}")
        told = list(islice(firsts.values(), _TOLD))
        others = len(self._skipped) - len(told)
        more = [f"And {others:,} more."] if others else []
        return " ".join(["Nothing in the upload can be read.", *told, *more])

    def _problem_with(self, draft: Draft, ids: set[str]) -> Skipped | None:
        """Why a whole draft cannot become a row. Remembers its id otherwise."""
        if isinstance(draft.key, int):
            size = self._sorted.pictures[draft.key].size
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

    def _row(self, number: int, draft: Draft) -> Row:
        most = self._limits.captions
        if len(draft.captions) > most:
            draft.notes.append(f"Of {len(draft.captions)} captions the first {most} were kept.")
        for name, items in draft.items.items():
            self._maker.add_value(draft, name, list(items))
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


def _first_kept(table: str, column: str, count: int) -> Skipped:
    records = "1 record has" if count == 1 else f"{count:,} records have"
    detail = f"{records} several rows that differ in the column “{column}”; what the first row says was kept."
    return Skipped(table, Reason.OVER_LIMIT, detail)


def _columns_left_out(table: Table) -> Skipped:
    read, left_out = len(table.columns), table.columns_left_out
    detail = f"It has {read + left_out:,} columns; the first {read:,} were read."
    return Skipped(table.source, Reason.OVER_LIMIT, detail)
