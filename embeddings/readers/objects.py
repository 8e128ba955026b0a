"""Tables whose records are objects with named values, each with names of its own."""

from abc import abstractmethod
from collections.abc import Iterator
from itertools import islice

from embeddings.readers.csvs import column_names
from embeddings.readers.limits import Limits
from embeddings.readers.reasons import Reason, Skipped
from embeddings.readers.tables import Record, Table
from embeddings.readers.values import is_empty

SAMPLE = 1_000  # records
_MOST_NAMED = 10  # columns, about, that begin too late


class ObjectTable(Table):
    """Its columns are the names that its first records use; later ones are reported."""

    @abstractmethod
    def _raw(self) -> Iterator[Record | Skipped]:
        """The records with the names as they are written."""

    def _raw_sample(self) -> Iterator[Record | Skipped]:
        """Those to find the columns in."""
        return islice(self._raw(), SAMPLE)

    def _find_columns(self, limits: Limits) -> Skipped | None:
        """Set `columns`, none where no record was read; the first problem on the way."""
        self._found: dict[str, None] = {}
        problem: Skipped | None = None
        for item in self._raw_sample():
            if isinstance(item, Record):
                self._found.update(dict.fromkeys(item.cells))
            else:
                problem = problem or item
        self.columns_left_out = max(0, len(self._found) - limits.columns)
        names = column_names(list(self._found))
        self._names = dict(zip(islice(self._found, limits.columns), names, strict=False))
        self.columns = list(self._names.values())
        return problem

    def records(self) -> Iterator[Record | Skipped]:
        late: dict[str, None] = {}
        for item in self._raw():
            if isinstance(item, Record) and len(late) < _MOST_NAMED:
                new = item.cells.keys() - self._found.keys()
                late.update(dict.fromkeys(key for key in sorted(new) if not is_empty(item.cells[key])))
            yield self._named(item)
        if late:
            names = ", ".join(f"“{name[:80]}”" for name in late)
            words = f"columns {names} begin" if len(late) > 1 else f"column {names} begins"
            was = "were" if len(late) > 1 else "was"
            detail = f"The {words} after record {SAMPLE:,} and {was} not read."
            yield Skipped(self.source, Reason.OVER_LIMIT, detail)

    def _named(self, item: Record | Skipped) -> Record | Skipped:
        if isinstance(item, Record):
            item.cells = {self._names[key]: cell for key, cell in item.cells.items() if key in self._names}
        return item
