"""The import report: every item that was skipped, why, and remarks about some that were not."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass

from atlas.datasets.cells import harmless
from atlas.datasets.models import Import, SkippedItem

ROWS = 2000


def report_page(job: Import, after: int, limit: int) -> tuple[list[SkippedItem], int | None]:
    """Lines with an id above `after`, at most `limit`, and the `after` of the next page if there is one."""
    lines = list(SkippedItem.objects.filter(job=job, id__gt=after)[: limit + 1])
    return lines[:limit], lines[limit - 1].pk if len(lines) > limit else None


async def report_csv(job: Import) -> AsyncIterator[str]:
    """The whole report, some thousand lines at a time, with the mark by which spreadsheets know UTF-8."""
    yield "\ufeff" + _as_csv([("source", "reason", "detail")])
    after = 0
    lines = SkippedItem.objects.filter(job=job)
    while page := [line async for line in lines.filter(id__gt=after)[:ROWS]]:
        yield _as_csv([(line.source, line.reason, line.detail) for line in page])
        after = page[-1].pk


def _as_csv(rows: list[tuple[str, str, str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


@dataclass(frozen=True)
class ReportLine:
    """A line for people: `words` is its reason in two words."""

    source: str
    reason: str
    words: str
    detail: str


def report_words(item: SkippedItem) -> ReportLine:
    words = item.reason.replace("_", " ").capitalize()
    return ReportLine(item.source, item.reason, words, item.detail)
