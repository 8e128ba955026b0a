"""A slow reader holds no database connection: they are few, and all others need them."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import override_settings

from atlas.datasets.models import Import, ImportState
from tests.maps.records import add_records, make_dataset
from tests.people import async_client_of, make_cast

OTHERS = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""


def open_elsewhere() -> int:
    """Connections to our database besides this thread's."""
    with connection.cursor() as cursor:
        cursor.execute(OTHERS)
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("export", {"format": "webdataset"}),
        ("export", {"format": "csv"}),
        ("records/1/original", None),
        ("imports/{job}/report.csv", None),
    ],
)
def test_who_has_read_a_part_holds_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, body: Any
) -> None:
    monkeypatch.setattr("atlas.maps.export_api._BLOCK", 1)
    with override_settings(ATLAS_HOME=tmp_path, MEDIA_ROOT=tmp_path / "media"):
        cast = make_cast()
        dataset = make_dataset(cast.team)
        add_records(dataset, 3, pictures=True, captions=True)
        job = Import.objects.create(dataset=dataset, state=ImportState.DONE)
        address = f"/api/datasets/{dataset.pk}/{path.format(job=job.pk)}"
        client = async_client_of(cast.alice)
        before = open_elsewhere()

        held: list[Any] = []  # or the rest of the answer would be thrown away, and all with it

        async def read_a_part() -> tuple[int, bytes]:
            ask = partial(client.post, data=body, content_type="application/json") if body else client.get
            answer: Any = await ask(address)
            held.append(aiter(answer.streaming_content))
            return answer.status_code, await anext(held[0])

        status, first = async_to_sync(read_a_part)()

        assert (status, bool(first)) == (200, True)
        assert open_elsewhere() == before
