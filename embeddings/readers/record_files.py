"""A folder of many JSON files, a record in each, as collections and crawlers write them."""

from collections.abc import Iterator, Sequence

from embeddings.readers.json_stream import parse
from embeddings.readers.jsons import record_of
from embeddings.readers.limits import Limits
from embeddings.readers.members import Member
from embeddings.readers.objects import ObjectTable
from embeddings.readers.reasons import ReadError, Reason, Skipped
from embeddings.readers.tables import Record
from embeddings.readers.text import encoding_of, is_windows


class RecordFilesTable(ObjectTable):
    """One table of all. Some may hold a list of records. Raises ReadError when the first ones hold none."""

    def __init__(self, members: Sequence[Member], limits: Limits) -> None:
        super().__init__(members[0])
        self._members, self._limits = members, limits
        problem = self._find_columns(limits)
        if not self.columns:
            problem = problem or Skipped(self.source, Reason.EMPTY, "There is no row in them.")
            raise ReadError(problem.reason, problem.detail)

    @property
    def source(self) -> str:
        return files_beside(self.member)

    def _raw(self) -> Iterator[Record | Skipped]:
        for member in self._members:
            try:
                data = member.read(self._limits.line_length)
            except ReadError as error:
                yield error.at(member.source)
                continue
            self.is_windows = self.is_windows or is_windows(data[:65_536])
            text = data.decode(encoding_of(data[:65_536]), errors="embeddings.windows")
            value = parse(text.lstrip("\ufeff"))
            if isinstance(value, list):
                for number, each in enumerate(value, start=1):
                    yield record_of(f"{member.source}:{number}", each)
            else:
                yield record_of(member.source, value)


def files_beside(member: Member) -> str:
    """What the JSON files of its folder are called together."""
    folder, slash, _ = member.name.rpartition("/")
    return member.container.label(f"{folder}{slash}*.json")
