"""In which thread a request is answered, and what it leaves to the others: the database connections."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.signals import request_finished, request_started
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from atlas import handler

Note = Callable[[str], None]

pytestmark = pytest.mark.django_db  # the ends of requests look after connections


async def two_pieces(_: Note) -> AsyncIterator[bytes]:
    yield b"The first"
    yield b"The second"


async def broken(_: Note) -> AsyncIterator[bytes]:
    yield b"The first"
    raise ZeroDivisionError


async def endless(note: Note) -> AsyncIterator[bytes]:
    try:
        while True:
            yield b"More"
            await asyncio.sleep(0)
    finally:
        note("closed")


class Call:
    """One request; `story` is what happened, and in which thread."""

    def __init__(self, pieces: Callable[[Note], AsyncIterator[bytes]] = two_pieces) -> None:
        self.pieces = pieces
        self.story: list[tuple[str, int]] = []
        self.status = 0
        self.body = b""
        #: Bytes of it that were asked for.
        self.taken = 0
        #: After so many messages the reader leaves.
        self.patience = 1000
        self._asked = False
        self.urlpatterns = [
            path("whole", self.whole), path("sync", self.streamed), path("async", self.streamed_async),
            path("v1/embedding/image", self.whole),
        ]  # fmt: skip

    def note(self, what: str, **_: Any) -> None:
        self.story.append((what, threading.get_ident()))

    def threads(self, *names: str) -> set[int]:
        return {thread for what, thread in self.story if what in names}

    def run(self, name: str) -> None:
        scope = {"type": "http", "method": "GET", "path": f"/{name}", "query_string": b""}
        scope |= {"headers": [(b"host", b"localhost")]}
        started, ended = (lambda **_: self.note("began")), (lambda **_: self.note("ended"))
        request_started.connect(started)
        request_finished.connect(ended)
        try:
            with override_settings(ROOT_URLCONF=self):
                async_to_sync(handler.Handler())(scope, self._receive, self._send)
        finally:
            request_started.disconnect(started)
            request_finished.disconnect(ended)

    def whole(self, _: HttpRequest) -> HttpResponse:
        self.note("view")
        return HttpResponse("All of it")

    def streamed(self, _: HttpRequest) -> StreamingHttpResponse:
        self.note("view")
        return StreamingHttpResponse(self.pieces(self.note))

    def handler404(self, *_: object, **__: object) -> HttpResponse:
        return HttpResponse("Nothing here", status=404)

    async def streamed_async(self, _: HttpRequest) -> StreamingHttpResponse:
        await sync_to_async(self.note)("view")
        return StreamingHttpResponse(self.pieces(self.note))

    async def _receive(self) -> dict[str, Any]:
        if self._asked:
            while self.patience > 0:
                await asyncio.sleep(0)
            return {"type": "http.disconnect"}
        piece = self.body[self.taken :][: 1 << 20]
        self.taken += len(piece)
        self._asked = self.taken == len(self.body)
        return {"type": "http.request", "body": piece, "more_body": not self._asked}

    async def _send(self, message: Mapping[str, Any]) -> None:
        self.status = message.get("status", self.status)
        self.patience -= 1
        if message.get("body"):
            self.note(message["body"].decode())

    def said(self, sentence: str) -> bool:
        return any(sentence in what for what, _ in self.story)


def test_a_request_has_one_turn_of_one_thread() -> None:
    call = Call()

    call.run("whole")

    assert [what for what, _ in call.story] == ["began", "view", "ended", "All of it"]
    assert len(call.threads("began", "view", "ended")) == 1
    assert call.threads("view") != {threading.get_ident()}


def test_an_address_of_nothing_is_404() -> None:
    call = Call()

    call.run("nothing")

    assert call.status == 404


@pytest.mark.parametrize("view", ["sync", "async"])
def test_no_connection_is_held_while_an_answer_is_on_its_way(
    monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    call = Call()
    monkeypatch.setattr(handler, "close_old_connections", lambda: call.note("let go"))

    call.run(view)

    told = [what for what, _ in call.story if what not in ("began", "view")]
    assert told[:4] == ["let go", "The first", "let go", "The second"]
    assert call.threads("let go") == call.threads("ended")


@pytest.mark.parametrize("view", ["sync", "async"])
def test_a_response_that_breaks_off_ends_its_request_in_its_thread(
    monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    call = Call(broken)
    monkeypatch.setattr(handler, "close_old_connections", lambda: call.note("let go"))

    with pytest.raises(ZeroDivisionError):
        call.run(view)

    assert call.story[-1][0] == "ended"
    assert call.threads("let go") == call.threads("ended")


@pytest.mark.parametrize("view", ["sync", "async"])
def test_a_stream_ends_when_its_reader_leaves(view: str) -> None:
    call = Call(endless)
    call.patience = 5

    call.run(view)

    assert call.threads("ended")


@pytest.mark.parametrize("address", ["whole", "async", "nothing"])
def test_a_body_that_no_view_would_take_is_passed_over_and_left_in_the_end(address: str) -> None:
    call = Call()
    call.body = bytes(100 << 20)

    call.run(address)

    assert call.status == 413
    assert call.said("The request is larger than 10 MiB.")
    assert call.taken == (10 + 64) << 20
    assert not call.threads("began", "view", "ended")


def test_the_web_server_may_have_as_many_files_open_as_the_machine_allows() -> None:
    as_in_a_shell = (
        "from resource import *; _, most = getrlimit(RLIMIT_NOFILE); setrlimit(RLIMIT_NOFILE, (256, most));"
        "import atlas.asgi; assert getrlimit(RLIMIT_NOFILE) == (most, most)"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    subprocess.run([sys.executable, "-c", as_in_a_shell], env=env, check=True)


class Crowd:
    """Requests that come at the same time; their views wait until the door is opened."""

    def __init__(self) -> None:
        self.urlpatterns = [path("wait", self.wait), path("api/embed", self.wait), path("pass", self.go_by)]
        self.door = threading.Event()
        self.inside = self.most_inside = 0
        self.statuses: list[int] = []

    def wait(self, request: HttpRequest) -> HttpResponse:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.door.wait(30)
        self.inside -= 1
        return HttpResponse(str(len(request.body)))

    def go_by(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse("Here")

    async def ask(self, app: handler.Handler, name: str, size: int) -> None:
        scope = {"type": "http", "method": "GET", "path": f"/{name}", "query_string": b""}
        scope |= {"headers": [(b"host", b"localhost")]}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": bytes(size), "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            self.statuses += [message["status"]] if "status" in message else []

        await app(scope, receive, send)


@pytest.mark.parametrize("name", ["wait", "api/embed"])
def test_large_bodies_take_turns_and_keep_nobody_else_waiting(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(handler, "MOST_LARGE_AT_ONCE", 2)
    monkeypatch.setattr(handler, "MOST_LARGE_TO_EMBED", 2)
    crowd = Crowd()

    async def all_at_once() -> None:
        app = handler.Handler()
        large = [asyncio.create_task(crowd.ask(app, name, 1 << 20)) for _ in range(6)]
        while crowd.inside < 2:
            await asyncio.sleep(0.01)
        await crowd.ask(app, "pass", 1 << 10)
        assert crowd.statuses == [200]
        crowd.door.set()
        await asyncio.gather(*large)

    with override_settings(ROOT_URLCONF=crowd):
        asyncio.run(all_at_once())

    assert crowd.statuses == [200] * 7
    assert crowd.most_inside == 2


def test_pictures_to_embed_may_be_more_than_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "MOST_IN_FILES", 20 << 20)
    for size, status in ((20 << 20, 200), ((20 << 20) + 1, 413)):
        call = Call()
        call.body = bytes(size)

        call.run("v1/embedding/image")

        assert call.status == status
    assert call.said('{"detail": "The request is larger than 20 MiB."}')
