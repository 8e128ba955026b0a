"""What every request leaves behind: nothing."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.signals import request_finished
from django.http import StreamingHttpResponse

from atlas.handler import Handler


@pytest.mark.django_db
def test_a_response_that_breaks_off_ends_its_request_in_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    ended: list[int] = []
    asked: list[bool] = []

    def note_end(**_: Any) -> None:
        ended.append(threading.get_ident())

    async def broken() -> AsyncIterator[bytes]:
        yield b"The first"
        raise ZeroDivisionError

    async def answer(_: Any) -> StreamingHttpResponse:
        threads.append(await sync_to_async(threading.get_ident)())
        return StreamingHttpResponse(broken())

    async def receive() -> dict[str, Any]:
        if not asked:
            asked.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()  # the reader stays
        raise AssertionError

    async def send(_: Mapping[str, Any]) -> None:
        pass

    handler = Handler()
    monkeypatch.setattr(handler, "run_get_response", answer)
    request_finished.connect(note_end)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    with pytest.raises(ZeroDivisionError):
        async_to_sync(handler)(scope, receive, send)
    request_finished.disconnect(note_end)

    assert threads
    assert ended == threads
