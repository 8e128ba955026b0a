"""Tables whose records are objects with named values, each with names of its own."""

from abc import abstractmethod
from collections.abc import Iterator
from itertools import islice

from embeddings.readers.csvs import column_names
from embeddings.readers.limits import Limits
from embeddings.readers.reasons import Skipped
from embeddings.readers.tables import Record, Table

_SAMPLE = 1_000


class ObjectTable(Table):
    """Its columns are the names that its first records use."""

    @abstractmethod
    def _raw(self) -> Iterator[Record | Skipped]:
        """The records with the names as they are written."""

    def _find_columns(self, limits: Limits) -> Skipped | None:
        """Set `columns`, none where no record was read; the first problem on the way."""
        found: dict[str, None] = {}
        problem: Skipped | None = None
        for item in islice(self._raw(), _SAMPLE):
            if isinstance(item, Record):
                found.update(dict.fromkeys(item.cells))
            else:
                problem = problem or item
        self.columns_left_out = max(0, len(found) - limits.columns)
        self._names = dict(zip(islice(found, limits.columns), column_names(list(found)), strict=False))
        self.columns = list(self._names.values())
        return problem

    def records(self) -> Iterator[Record | Skipped]:
        for item in self._raw():
            if isinstance(item, Record):
                item.cells = {
                    self._names[key]: value for key, value in item.cells.items() if key in self._names
                }
            yield item
