"""The import report: every item that was skipped, why, and remarks about some that were not."""

import csv
import io
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import Count, QuerySet

from atlas.connections import let_go
from atlas.datasets.cells import harmless
from atlas.datasets.models import Dataset, Import, Record, SkippedItem
from embeddings.readers import Reason

#: Reasons of lines about records that were imported; all other reasons are those of the readers.
NOTE = Reason.NOTE.value
NOT_EMBEDDED = "not_embedded"

ROWS = 2000

#: What pages call a reason.
WORDS = {
    Reason.CORRUPT: "Damaged",
    Reason.BOMB: "Expands too far",
    Reason.ENCRYPTED: "Locked",
    Reason.UNSUPPORTED: "Not supported",
    Reason.MISSING: "Picture missing",
    Reason.DUPLICATE_ID: "Same id",
    Reason.DUPLICATE_NAME: "Same name",
    Reason.OVER_LIMIT: "Over a limit",
    Reason.UNSAFE: "Not safe",
    Reason.UNREADABLE: "Not understood",
    Reason.EMPTY: "Empty",
    Reason.ALREADY_HERE: "Already here",
    Reason.NOTE: "Remark",
    NOT_EMBEDDED: "Not on the map",
}


def report_page(
    job: Import, after: int, limit: int, reason: str = ""
) -> tuple[list[SkippedItem], int | None]:
    """Lines with an id above `after`, of one `reason` or all, at most `limit`, and the `after` of the next
    page if there is one.
    """
    found = SkippedItem.objects.filter(job=job, id__gt=after)
    lines = list((found.filter(reason=reason) if reason else found)[: limit + 1])
    return lines[:limit], lines[limit - 1].pk if len(lines) > limit else None


def report_reasons(job: Import) -> list[tuple[str, str, int]]:
    """Every reason in the report with its words and number of lines, the most frequent first."""
    counts = SkippedItem.objects.filter(job=job).values_list("reason").annotate(count=Count("id"))
    return [(reason, _words(reason), count) for reason, count in counts.order_by("-count", "reason")]


def report_not_embedded(dataset: Dataset, reasons: Mapping[int, str]) -> None:
    """Say why records have no vector, and so are on no map; each once, however often it is tried.

    Args:
        reasons: by row, a sentence.
    """
    records = {each.row: each for each in Record.objects.filter(dataset=dataset, row__in=reasons)}
    told = SkippedItem.objects.filter(job__dataset=dataset, reason=NOT_EMBEDDED, row__in=reasons)
    known = set(told.values_list("row", flat=True))
    jobs = list(_imports_in_order(dataset))
    ends = list(accumulate(job.imported for job in jobs))
    SkippedItem.objects.bulk_create(
        SkippedItem(
            # Of two imports that ran at the same time it may be the other one.
            job=jobs[min(bisect_right(ends, row), len(jobs) - 1)], row=row, source=records[row].source,
            reason=NOT_EMBEDDED, detail=reason,
        )
        for row, reason in sorted(reasons.items())
        if row not in known
    )  # fmt: skip


def note_column(dataset: Dataset, name: str, remark: str) -> None:
    """Say something about a column in the report of the latest import; once, however often it is found."""
    with transaction.atomic():
        Dataset.objects.select_for_update().get(pk=dataset.pk)  # the maps of a dataset are built side by side
        told = SkippedItem.objects.filter(job__dataset=dataset, reason=NOTE, row__isnull=True, source=name)
        latest = _imports_in_order(dataset).last()
        if latest is not None and not told.exists():
            SkippedItem.objects.create(job=latest, source=name, reason=NOTE, detail=remark)


def _imports_in_order(dataset: Dataset) -> QuerySet[Import]:
    """Those that brought records: rows are given out in this order."""
    return dataset.imports.filter(imported__gt=0).order_by("started_at")


async def report_csv(job: Import) -> AsyncIterator[str]:
    """The whole report, some thousand lines at a time, with the mark by which spreadsheets know UTF-8."""
    yield "\ufeff" + _as_csv([("source", "reason", "detail", "row", "key")])
    after = 0
    while page := await sync_to_async(_lines_after)(job, after):
        text, after = page
        yield text


def _lines_after(job: Import, after: int) -> tuple[str, int] | None:
    """The next lines and the number of the last one. No database connection is held while they are read."""
    lines = list(SkippedItem.objects.filter(job=job, id__gt=after)[:ROWS])
    rows = [line.row for line in lines if line.row is not None]
    records = Record.objects.filter(dataset=job.dataset_id, row__in=rows)
    keys: dict[int | None, str | None] = dict(records.values_list("row", "key"))
    let_go()
    if not lines:
        return None
    cells = [(line.source, line.reason, line.detail, line.row, keys.get(line.row)) for line in lines]
    return _as_csv(cells), lines[-1].pk


def _as_csv(rows: list[tuple[Any, ...]]) -> str:
    """What is None is an empty cell."""
    text = io.StringIO()
    csv.writer(text).writerows(["" if cell is None else harmless(str(cell)) for cell in row] for row in rows)
    return text.getvalue()


@dataclass(frozen=True)
class ReportLine:
    """A line for people: `words` is its reason in two words, `tone` how bad it is."""

    row: int | None
    source: str
    reason: str
    words: str
    tone: str
    detail: str


def report_words(item: SkippedItem) -> ReportLine:
    tone = "" if item.reason in {NOTE, Reason.ALREADY_HERE} else "failed"
    return ReportLine(item.row, item.source, item.reason, _words(item.reason), tone, item.detail)


def _words(reason: str) -> str:
    """Of a reason that is no longer given, the reason itself."""
    return WORDS.get(reason, reason.replace("_", " ").capitalize())
