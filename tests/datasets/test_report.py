"""The import report: page by page, and as a CSV file"""

import asyncio
import csv
import io

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from atlas.datasets.cells import harmless
from atlas.datasets.models import Dataset, SkippedItem
from atlas.datasets.report import NOT_EMBEDDED, WORDS, report_csv, report_not_embedded
from embeddings.readers import Reason
from tests.people import Cast, client_of


def test_it_comes_in_pages(cast: Cast, fruit: Dataset) -> None:
    job = fruit.imports.get()
    SkippedItem.objects.bulk_create(
        SkippedItem(job=job, source=f"{n}.jpg", reason="corrupt", detail="Broken.") for n in range(4)
    )
    address = f"/api/datasets/{fruit.pk}/imports/{job.pk}/skipped"
    client, after, sources, pages = client_of(cast.alice), 0, [], 0
    while after is not None:
        page = client.get(address, {"after": after, "limit": 2}).json()
        assert page["total"] == 5
        sources += [item["source"] for item in page["items"]]
        after, pages = page["next"], pages + 1
    assert sources == ["fruit.zip/captions.csv:5", "0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert pages == 3


@pytest.mark.parametrize(
    "query", ["after=-1", "limit=0", "limit=100000", "after=x", "after=99999999999999999999"]
)
def test_it_refuses_nonsense(cast: Cast, fruit: Dataset, query: str) -> None:
    address = f"/api/datasets/{fruit.pk}/imports/{fruit.imports.get().pk}/skipped?{query}"
    assert client_of(cast.alice).get(address).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_the_file_holds_every_line_and_no_formula(cast: Cast, fruit: Dataset) -> None:
    job = fruit.imports.get()
    SkippedItem.objects.create(job=job, source="=1+1.jpg", reason="corrupt", detail='He said "no".\nTwice.')
    SkippedItem.objects.create(job=job, row=1, source="2.png", reason="not_embedded", detail="Damaged.")

    async def whole() -> str:
        text = "".join([part async for part in report_csv(job)])
        await sync_to_async(lambda: connection.close())()  # that of the thread which the queries ran in
        return text

    text = asyncio.run(whole())
    assert text.startswith("\ufeffsource,reason,detail,row,key")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row[0] for row in rows] == ["source", "fruit.zip/captions.csv:5", "'=1+1.jpg", "2.png"]
    assert rows[2][2:] == ['He said "no".\nTwice.', "", ""]
    assert rows[3][3:] == ["1", "a-2"]


def test_what_was_not_embedded_takes_no_query_for_each_record(cast: Cast, fruit: Dataset) -> None:
    with CaptureQueriesContext(connection) as asked:
        report_not_embedded(fruit, dict.fromkeys(range(3), "It is damaged."))
    assert sum('FROM "datasets_import"' in each["sql"] for each in asked) == 1
    job = fruit.imports.get()
    found = job.skipped_items.filter(reason="not_embedded").values_list("row", flat=True)
    assert set(found) == {0, 1, 2}


def test_every_reason_has_words() -> None:
    assert WORDS.keys() == {*Reason, NOT_EMBEDDED}


def test_it_is_offered_as_a_download(cast: Cast, fruit: Dataset) -> None:
    response = client_of(cast.alice).get(
        f"/api/datasets/{fruit.pk}/imports/{fruit.imports.get().pk}/report.csv"
    )
    assert response["Content-Disposition"] == 'attachment; filename="fruit-report.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_a_cell_never_becomes_a_formula(start: str) -> None:
    assert harmless(f"{start}cmd") == f"'{start}cmd"
    assert harmless(f"'{start}cmd") == f"''{start}cmd"


@pytest.mark.parametrize("text", ["", "Two apples", "'Tis so", "a=b", "3 - 2"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text
