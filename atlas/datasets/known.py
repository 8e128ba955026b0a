"""Records that are in the dataset already, where the files give them no id.

Names are none: the shards of a webdataset all count from 000000. A record is the same as one of an earlier
import if its picture, its captions and its columns are. Repetitions inside one import stay, and so do texts
without a picture: "good" may be the answer of two people.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from atlas.datasets.models import Dataset, Record
from atlas.datasets.stored import Stored, text_columns, values_of
from embeddings.readers import Reason, Row, Skipped

_CHUNK = 10_000
_LOT = 64  # rows asked for at a time; where pictures come in pages of a table they hold memory
_ALIKE = 100  # records of one picture that are looked at: a placeholder may be in thousands


class KnownPictures:
    """Of the records before `first_row` that have a picture but no id, the pictures: 12 bytes for each."""

    def __init__(self, dataset_id: UUID, first_row: int) -> None:
        without_id = Record.objects.filter(
            dataset=dataset_id, row__lt=first_row, key__isnull=True, sha256__isnull=False
        )
        stored = without_id.values_list("row", "sha256").iterator(_CHUNK) if first_row else iter(())
        pairs = ((row, _mark(sha256)) for row, sha256 in stored if sha256)
        found = np.fromiter(pairs, np.dtype([("row", np.uint32), ("mark", np.uint64)]))
        found = found[np.argsort(found["mark"], kind="stable")]
        self._rows: NDArray[np.uint32] = found["row"].copy()
        self._marks: NDArray[np.uint64] = found["mark"].copy()

    def same(self, dataset: Dataset, stored: Mapping[int, Stored]) -> dict[int, int]:
        """Of rows by place those that are there already: by place, the record's row."""
        near = {place: rows for place, each in stored.items() if (rows := self._with(each.sha256))}
        if not near:
            return {}
        wanted = {row for rows in near.values() for row in rows}
        records = Record.objects.filter(dataset=dataset, row__in=wanted)
        known = {each.row: (each.sha256, each.captions, each.values) for each in records}
        texts = text_columns(dataset)
        found: dict[int, int] = {}
        for place, rows in near.items():
            each = stored[place]
            new = (each.sha256, each.row.captions, values_of(each.row, texts))
            alike = [row for row in rows if known.get(row) == new]
            if alike:
                found[place] = alike[0]
        return found

    def _with(self, sha256: str | None) -> list[int]:
        if sha256 is None:
            return []
        first, last = (np.searchsorted(self._marks, _mark(sha256), side) for side in ("left", "right"))
        rows: list[int] = self._rows[first:last][:_ALIKE].tolist()
        return rows


def _mark(sha256: str) -> np.uint64:
    """Eight bytes of it; whoever has the same is compared in full."""
    return np.uint64(int(sha256[:16], 16))


def without_known_ids(dataset_id: UUID, items: Iterable[Row | Skipped]) -> Iterator[Row | Skipped]:
    """The items, rows whose id a record has already as skipped ones: before their pictures are stored, for a
    stored picture without a record would stay for ever, seen by nobody."""
    rest = iter(items)
    while lot := list(islice(rest, _LOT)):
        taken = _taken(dataset_id, [item.id for item in lot if isinstance(item, Row) and item.id is not None])
        for item in lot:
            yield _with_known_id(item) if isinstance(item, Row) and item.id in taken else item


def without_duplicates(
    dataset: Dataset, batch: list[Stored | Skipped], known: KnownPictures
) -> tuple[list[Stored], list[Skipped]]:
    """The rows to import and the items to report: what an earlier import brought, by its id or, where it has
    none, all of it."""
    keys = [item.row.id for item in batch if isinstance(item, Stored) and item.row.id is not None]
    taken = _taken(dataset.pk, keys)
    nameless = {
        place: item for place, item in enumerate(batch) if isinstance(item, Stored) and item.row.id is None
    }
    here = known.same(dataset, nameless)
    stored: list[Stored] = []
    skipped: list[Skipped] = []
    for place, item in enumerate(batch):
        if isinstance(item, Skipped):
            skipped.append(item)
        elif item.row.id in taken:
            skipped.append(_with_known_id(item.row))
        elif place in here:
            detail = f"The dataset has this picture with these words already, as record {here[place]}."
            skipped.append(Skipped(item.row.source, Reason.ALREADY_HERE, detail))
        else:
            stored.append(item)
    return stored, skipped


def _taken(dataset_id: UUID, keys: list[str]) -> set[str | None]:
    return set(Record.objects.filter(dataset=dataset_id, key__in=keys).values_list("key", flat=True))


def _with_known_id(row: Row) -> Skipped:
    return Skipped(
        row.source, Reason.DUPLICATE_ID, f"The dataset has a record with the id “{row.id}” already."
    )
