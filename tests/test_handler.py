"""What every request leaves to the others: the database connections."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.signals import request_finished
from django.http import StreamingHttpResponse

from atlas import handler


async def two_pieces() -> AsyncIterator[bytes]:
    yield b"The first"
    yield b"The second"


async def broken() -> AsyncIterator[bytes]:
    yield b"The first"
    raise ZeroDivisionError


class Call:
    """One request that is answered with these pieces; `story` is what happened, and in which thread."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self.pieces = pieces
        self.story: list[tuple[str, int]] = []
        self.thread = 0
        self._asked = False

    def note(self, what: str) -> None:
        self.story.append((what, threading.get_ident()))

    def run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        app = handler.Handler()
        monkeypatch.setattr(app, "run_get_response", self._answer)
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
        async_to_sync(app)(scope, self._receive, self._send)

    async def _answer(self, _: Any) -> StreamingHttpResponse:
        self.thread = await sync_to_async(threading.get_ident)()
        return StreamingHttpResponse(self.pieces)

    async def _receive(self) -> dict[str, Any]:
        if self._asked:
            await asyncio.Event().wait()  # the reader stays
        self._asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message.get("body"):
            self.note(message["body"].decode())


def test_no_connection_is_held_while_an_answer_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call(two_pieces())
    monkeypatch.setattr(handler, "close_old_connections", lambda: call.note("let go"))

    call.run(monkeypatch)

    assert [what for what, _ in call.story][:4] == ["let go", "The first", "let go", "The second"]
    assert {thread for what, thread in call.story if what == "let go"} == {call.thread}


@pytest.mark.django_db
def test_a_response_that_breaks_off_ends_its_request_in_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call(broken())

    def note_end(**_: Any) -> None:
        call.note("ended")

    request_finished.connect(note_end)
    with pytest.raises(ZeroDivisionError):
        call.run(monkeypatch)
    request_finished.disconnect(note_end)

    assert call.story[-1] == ("ended", call.thread)
