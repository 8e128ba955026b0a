"""A slow reader or sender holds no database connection: they are few, and all others need them."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.http import HttpRequest
from django.test import override_settings
from psycopg_pool import ConnectionPool

from atlas.connections import require_open
from atlas.datasets.models import Import, ImportState
from tests.maps.records import add_records, make_dataset
from tests.people import async_client_of, make_cast

HELD = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""

pytestmark = pytest.mark.django_db(transaction=True)


def _held() -> int:
    try:
        with connection.cursor() as cursor:
            cursor.execute(HELD)
            return int(cursor.fetchone()[0])
    finally:
        connection.close()


async def connections_held() -> int:
    """Counted in a thread of its own, by a connection that does not stay; one that was let go just now may be
    there for another moment."""
    for _ in range(200):
        if not (held := await sync_to_async(_held, thread_sensitive=False)()):
            break
        await asyncio.sleep(0.05)
    return held


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

    async def read_a_part() -> tuple[int, int]:
        ask = partial(client.post, data=body, content_type="application/json") if body else client.get
        answer: Any = await ask(f"/api/datasets/{dataset.pk}/{path.format(job=job.pk)}")
        pieces = aiter(answer.streaming_content)
        assert await anext(pieces)
        return answer.status_code, await connections_held()

    with override_settings(ATLAS_HOME=tmp_path, MEDIA_ROOT=tmp_path / "media"):
        cast = make_cast()
        dataset = make_dataset(cast.team)
        add_records(dataset, 3, pictures=True, captions=True)
        job = Import.objects.create(dataset=dataset, state=ImportState.DONE)
        client = async_client_of(cast.alice)
        assert async_to_sync(read_a_part)() == (200, 0)


def test_who_sends_a_file_holds_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []

    async def body(request: HttpRequest) -> AsyncIterator[bytes]:
        yield b"abc"
        held.append(await connections_held())
        yield b"def"

    monkeypatch.setattr("atlas.datasets.tus.pieces", body)
    with override_settings(ATLAS_HOME=tmp_path):
        client = async_client_of(make_cast().alice)
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "6"}
        answer = async_to_sync(client.post)(
            "/uploads/", b"abcdef", content_type="application/offset+octet-stream", headers=headers
        )

    assert (answer.status_code, answer["Upload-Offset"]) == (201, "6")
    assert held == [0]


def test_a_connection_that_the_server_has_closed_is_not_given_out_again() -> None:
    parameters = connection.get_connection_params() | {"autocommit": True}
    parameters.pop("pool", None)
    with ConnectionPool(kwargs=parameters, min_size=1, max_size=1, check=require_open, timeout=30) as pool:
        with pool.connection() as first:
            process = first.info.backend_pid
        with pool.connection() as again:
            assert again.info.backend_pid == process

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])

        with pool.connection() as other:
            assert other.execute("SELECT 1").fetchone() == (1,)
            assert other.info.backend_pid != process
