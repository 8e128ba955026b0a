"""Excel workbooks: a table of typed cells, formulas by the values that were saved with them."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from typing import Any
from zipfile import ZipFile

from openpyxl import load_workbook
from openpyxl.cell.cell import ERROR_CODES

from embeddings.readers.csvs import cell_text, column_names, is_header
from embeddings.readers.limits import RATIO_FLOOR, Limits
from embeddings.readers.members import Member, said, seekable
from embeddings.readers.reasons import ReadError, Reason, Skipped
from embeddings.readers.tables import Record, Table

#: Unpacked. A sheet is read row by row, and so much is a million of them. All else is read whole, such as the
#: texts of its cells, which Excel keeps in a list of their own.
MOST_SHEET_BYTES, MOST_OTHER_BYTES = 512 * 2**20, 128 * 2**20
_SHEETS = "xl/worksheets/"
_SAMPLE = 200  # rows
_BLANK_ROWS = 100_000  # one after the other: a coloured cell far down has a million of them above it
_MOST_NAMED = 10  # sheets
_SHEET = "sheet"  # the column of their titles

Line = tuple[int, list[Any]]  # its number in the sheet, and its cells up to the last that is filled


@dataclass(frozen=True, slots=True)
class Sheet:
    """The lines `above` its table, and the `head` of it, empty where there is none."""

    title: str
    above: list[Line]
    head: list[str]
    width: int


class ExcelTable(Table):
    """The first sheet that is not hidden and has a row, and those with the same head: a sheet a year, say.
    Raises ReadError where there is none, and for a workbook that is damaged or too large.
    """

    def __init__(self, member: Member, limits: Limits) -> None:
        super().__init__(member)
        self._limits = limits
        try:
            sheets = self._sheets()
        except ReadError:
            raise
        except Exception as error:  # openpyxl raises whatever it comes upon
            detail = f"It is no Excel workbook that can be read ({said(error)}); save its table as CSV."
            raise ReadError(Reason.CORRUPT, detail) from error
        if not sheets:
            raise ReadError(Reason.EMPTY, "There is no row in it.")
        first, *others = sheets
        self._read = [first, *(each for each in others if first.head and each.head == first.head)]
        self._others = [each.title for each in others if each not in self._read]
        self._width = first.width
        self.columns_left_out = max(0, first.width - limits.columns)
        names = [*first.head, *[""] * (first.width - len(first.head))]
        self.columns = column_names(names[: limits.columns])
        self._tells_sheet = len(self._read) > 1 and _SHEET not in self.columns
        if self._tells_sheet:
            self.columns.append(_SHEET)

    def records(self) -> Iterator[Record | Skipped]:
        yield from self._notes()
        try:
            with self._opened() as book:
                for sheet in self._read:
                    yield from self._records_of(sheet, book[sheet.title])
        except ReadError as error:
            yield error.at(self.source)

    def _records_of(self, sheet: Sheet, opened: Any) -> Iterator[Record | Skipped]:
        number = 0
        try:
            for number, cells in islice(_lines(opened), len(sheet.above) + bool(sheet.head), None):
                yield self._record(sheet, number, cells)
        except Exception as error:  # noqa: BLE001 - openpyxl raises whatever it comes upon
            detail = f"The table is damaged after row {number:,}: {said(error)}."
            yield Skipped(self._place(sheet), Reason.CORRUPT, detail)

    def _notes(self) -> Iterator[Skipped]:
        several = len(self._read) > 1
        if several or self._others:
            read = _quoted([sheet.title for sheet in self._read])
            detail = f"Its sheets {read} have the same columns, and all were read" if several else ""
            detail = detail or f"Its first sheet {read} was read"
            if self._others:
                detail += f"; save others as files of their own: {_quoted(self._others)}"
            yield Skipped(self.source, Reason.NOTE, f"{detail}.")
        for sheet in self._read:
            for number, cells in sheet.above:
                text = next(filter(None, map(_as_text, cells)))
                detail = f"It stands above the table and was not read: {text[:200]}"
                yield Skipped(self._place(sheet, number), Reason.NOTE, detail)

    def _record(self, sheet: Sheet, number: int, cells: list[Any]) -> Record:
        notes: tuple[str, ...] = ()
        if len(cells) > self._width:
            notes = (f"The row has {len(cells)} cells for {self._width} columns; the surplus was left out.",)
        values = {name: _value(cell) for name, cell in zip(self.columns, cells, strict=False)}
        if self._tells_sheet:
            values[_SHEET] = sheet.title
        return Record(self._place(sheet, number), values, notes)

    def _place(self, sheet: Sheet, *number: int) -> str:
        title = [sheet.title] if len(self._read) > 1 else []
        return ":".join(map(str, [self.source, *title, *number]))

    def _sheets(self) -> list[Sheet]:
        """Those that are not hidden and have a row."""
        with self._opened() as book:
            shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            samples = ((sheet.title, _sample(sheet)) for sheet in shown)
            return [_sheet(title, sample) for title, sample in samples if sample]

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with seekable(self.member) as stream:
            self._check(ZipFile(stream))
            with warnings.catch_warnings(action="ignore"):  # of what a table does not need
                book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            try:
                yield book
            finally:
                book.close()

    def _check(self, packed: ZipFile) -> None:
        """Raises ReadError for what would take too much memory or time."""
        ratio = self._limits.ratio
        for info in packed.infolist():
            if info.file_size > max(RATIO_FLOOR, ratio * info.compress_size):
                raise ReadError(Reason.BOMB, f"It expands more than {ratio} times.")
            if info.file_size > (MOST_SHEET_BYTES if info.filename.startswith(_SHEETS) else MOST_OTHER_BYTES):
                raise ReadError(Reason.OVER_LIMIT, "It is too large for a workbook; save its table as CSV.")


def _sample(sheet: Any) -> list[Line]:
    """Up to where it is damaged, which is told when all is read. Raises what openpyxl does where no line is
    before that."""
    lines: list[Line] = []
    try:
        lines.extend(islice(_lines(sheet), _SAMPLE))
    except Exception:
        if not lines:
            raise
    return lines


def _sheet(title: str, sample: Sequence[Line]) -> Sheet:
    above = _lines_above(sample)
    rows = [cells for _, cells in sample[len(above) :]]
    texts = [[_as_text(cell) for cell in cells] for cells in rows]
    head = texts[0] if is_header(texts[0], texts[1:]) else []
    return Sheet(title, above, head, max(map(len, rows)))


def _quoted(titles: Sequence[str]) -> str:
    return ", ".join(f"“{title}”" for title in titles[:_MOST_NAMED])


def _lines(sheet: Any) -> Iterator[Line]:
    """Those with a filled cell."""
    sheet.reset_dimensions()  # a workbook may claim thousands of columns, and each row gets as many cells
    blank = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = list(row)
        while cells and _is_blank(cells[-1]):
            cells.pop()
        if cells:
            blank = 0
            yield number, cells
        elif (blank := blank + 1) > _BLANK_ROWS:
            return


def _lines_above(sample: Sequence[Line]) -> list[Line]:
    """The titles of a table: first lines of one cell, where most lines have several."""
    if 2 * sum(map(_has_one, sample)) >= len(sample):
        return []
    return list(takewhile(_has_one, sample))


def _has_one(line: Line) -> bool:
    return sum(not _is_blank(cell) for cell in line[1]) == 1


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _as_text(cell: Any) -> str:
    return "" if cell is None else cell_text(str(cell))


def _value(cell: Any) -> Any:
    """As the values of other tables; None for a formula that failed."""
    if cell is None or cell in ERROR_CODES:
        return None
    return cell if isinstance(cell, bool | int | float | datetime) else _as_text(cell)
