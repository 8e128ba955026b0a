"""Excel workbooks: a table of typed cells, formulas by the values that were saved with them."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

Line = tuple[int, list[Any]]  # its number in the sheet, and its cells up to the last that is filled


class ExcelTable(Table):
    """The first sheet that is not hidden and has a row. Raises ReadError where none has, and for a workbook
    that is damaged or too large.
    """

    def __init__(self, member: Member, limits: Limits) -> None:
        super().__init__(member)
        self._limits = limits
        try:
            self._titles, sample = self._first_lines()
        except ReadError:
            raise
        except Exception as error:  # openpyxl raises whatever it comes upon
            detail = f"It is no Excel workbook that can be read ({said(error)}); save its table as CSV."
            raise ReadError(Reason.CORRUPT, detail) from error
        if not sample:
            raise ReadError(Reason.EMPTY, "There is no row in it.")
        self._above = _lines_above(sample)
        rows = [cells for _, cells in sample[len(self._above) :]]
        texts = [[_as_text(cell) for cell in cells] for cells in rows]
        self._has_header = is_header(texts[0], texts[1:])
        self._width = max(map(len, rows))
        self.columns_left_out = max(0, self._width - limits.columns)
        names = texts[0] if self._has_header else []
        self.columns = column_names([*names, *[""] * (self._width - len(names))][: limits.columns])

    def records(self) -> Iterator[Record | Skipped]:
        yield from self._notes()
        number = 0
        try:
            with self._opened() as book:
                lines = _lines(book[self._titles[0]])
                for number, cells in islice(lines, len(self._above) + self._has_header, None):
                    yield self._record(number, cells)
        except ReadError as error:
            yield error.at(self.source)
        except Exception as error:  # noqa: BLE001 - openpyxl raises whatever it comes upon
            detail = f"The table is damaged after row {number:,}: {said(error)}."
            yield Skipped(self.source, Reason.CORRUPT, detail)

    def _notes(self) -> Iterator[Skipped]:
        read, *others = self._titles
        if others:
            titles = ", ".join(f"“{title}”" for title in others[:_MOST_NAMED])
            detail = f"Its first sheet “{read}” was read; save others as files of their own: {titles}."
            yield Skipped(self.source, Reason.NOTE, detail)
        for number, cells in self._above:
            text = next(filter(None, map(_as_text, cells)))
            detail = f"It stands above the table and was not read: {text[:200]}"
            yield Skipped(f"{self.source}:{number}", Reason.NOTE, detail)

    def _record(self, number: int, cells: list[Any]) -> Record:
        notes: tuple[str, ...] = ()
        if len(cells) > self._width:
            notes = (f"The row has {len(cells)} cells for {self._width} columns; the surplus was left out.",)
        values = {name: _value(cell) for name, cell in zip(self.columns, cells, strict=False)}
        return Record(f"{self.source}:{number}", values, notes)

    def _first_lines(self) -> tuple[list[str], list[Line]]:
        """The titles of the sheets that have a row, and the first lines of the first of them."""
        with self._opened() as book:
            shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            titles = [sheet.title for sheet in shown if next(_lines(sheet), None)]
            return titles, list(islice(_lines(book[titles[0]]), _SAMPLE)) if titles else []

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
