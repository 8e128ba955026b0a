"""/api/datasets/<id>/records…"""

import asyncio
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from atlas.datasets.models import Dataset, Record
from tests.datasets.material import picture
from tests.people import Cast, async_client_of, client_of


def get(cast: Cast, dataset: Dataset, path: str) -> Any:
    return client_of(cast.victor).get(f"/api/datasets/{dataset.pk}/records{path}")


def test_it_gives_one_record(cast: Cast, fruit: Dataset) -> None:
    body = get(cast, fruit, "/1").json()
    assert body == {
        "row": 1,
        "key": "a-2",
        "source": "fruit.zip/captions.csv:3",
        "caption": "A yellow pear",
        "captions": ["A yellow pear"],
        "values": {"colour": "yellow", "weight": 95.5},
        "image": {
            "width": 40,
            "height": 30,
            "format": "PNG",
            "size": len(picture("yellow")),
            "thumbnail": f"/api/datasets/{fruit.pk}/records/1/thumbnail",
            "original": f"/api/datasets/{fruit.pk}/records/1/original",
        },
    }


@pytest.mark.parametrize("row", ["3", "99999999999999999999"])
def test_a_row_that_is_not_there(cast: Cast, fruit: Dataset, row: str) -> None:
    assert get(cast, fruit, f"/{row}").status_code == 404


def test_it_gives_several_in_the_order_asked(cast: Cast, fruit: Dataset) -> None:
    records = get(cast, fruit, "?rows=2,0,77,2").json()["records"]
    assert [record["row"] for record in records] == [2, 0]


@pytest.mark.parametrize(
    "query", ["", "?rows=", "?rows=1,x", "?rows=-1", "?rows=1e3", "?rows=99999999999", "?rows=1;2"]
)
def test_it_refuses_nonsense(cast: Cast, fruit: Dataset, query: str) -> None:
    assert get(cast, fruit, query).status_code == 422


def test_it_gives_500_and_no_more(cast: Cast, fruit: Dataset) -> None:
    assert get(cast, fruit, "?rows=" + ",".join(map(str, range(500)))).status_code == 200
    assert get(cast, fruit, "?rows=" + ",".join(map(str, range(501)))).status_code == 422


def test_a_thumbnail_may_be_kept_for_ever(cast: Cast, fruit: Dataset) -> None:
    response = get(cast, fruit, "/0/thumbnail")
    assert response["Content-Type"] == "image/webp"
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.content[8:12] == b"WEBP"


@pytest.mark.django_db(transaction=True)
def test_the_original_comes_byte_for_byte(cast: Cast, fruit: Dataset) -> None:
    async def fetch() -> tuple[Any, bytes]:
        client = async_client_of(None)
        await client.aforce_login(cast.victor)
        response: Any = await client.get(f"/api/datasets/{fruit.pk}/records/0/original")
        return response, b"".join([piece async for piece in response])

    response, data = asyncio.run(fetch())
    assert data == picture("red")
    assert response["Content-Type"] == "image/png"
    assert response["Content-Disposition"].startswith("inline")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("kind", ["TIFF", "SVG", "HTML", None])
def test_what_a_browser_should_not_show_is_a_download(cast: Cast, fruit: Dataset, kind: str | None) -> None:
    Record.objects.filter(dataset=fruit, row=0).update(format=kind)
    response = get(cast, fruit, "/0/original")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")


def test_a_file_whose_name_holds_a_line_break_is_a_download_too(cast: Cast, fruit: Dataset) -> None:
    Record.objects.filter(dataset=fruit, row=0).update(source="fruit.zip/ba\nna\rna.png\n", format=None)
    assert get(cast, fruit, "/0/original")["Content-Disposition"] == 'attachment; filename="banana.png"'


def test_a_record_without_a_picture_has_no_files(cast: Cast, fruit: Dataset) -> None:
    Record.objects.filter(dataset=fruit, row=0).update(sha256=None)
    assert get(cast, fruit, "/0").json()["image"] is None
    for path in ("/0/thumbnail", "/0/original"):
        response = get(cast, fruit, path)
        assert (response.status_code, response.json()["detail"]) == (404, "This record has no picture.")


def test_a_file_that_is_gone_is_not_found(cast: Cast, fruit: Dataset) -> None:
    record = Record.objects.get(dataset=fruit, row=0)
    default_storage.save("elsewhere", ContentFile(b""))
    default_storage.delete(str(record.thumbnail))
    assert get(cast, fruit, "/0/thumbnail").status_code == 404
