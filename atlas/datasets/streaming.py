"""Request bodies as they arrive.

Django's ASGI handler would first copy the whole body to a temporary file; a server that is killed meanwhile
would have lost all of it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from django.http import HttpRequest

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

STREAMED_PREFIX = "/uploads/"
CHUNK = 1 << 20
#: A sender that is silent for so long has gone, even if its connection looks open.
SILENCE_SECONDS = 60
#: Bytes read on after a refusal; browsers send 32 MiB in one request (`upload_queue.ts`). A sender that is
#: cut off while it sends hears no answer: a broken connection is all it sees.
MOST_DISCARDED = 64 << 20


class SenderGoneError(Exception):
    """The connection ended before the body did."""


def stream_bodies(application: Application) -> Application:
    """Wrap the ASGI application: bodies for `/uploads/` are left unread, for `pieces` to read."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(STREAMED_PREFIX):
            await application(scope, receive, send)
            return
        body = Body(receive)
        await application({**scope, "atlas.body": body}, body.receive_in_its_place, send)

    return wrapped


class Body:
    """The messages of one request. The view reads them; Django's handler is told that the body is empty."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._announced = False

    async def receive_in_its_place(self) -> Message:
        if not self._announced:
            self._announced = True
            return {"type": "http.request", "body": b"", "more_body": False}
        # The handler now waits to hear that the client has left, to cancel the view. The view finds that out
        # by itself, and in the middle of a write it must not be cancelled.
        await asyncio.Event().wait()
        raise AssertionError

    async def messages(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    message = await self._receive()
            except TimeoutError:
                raise SenderGoneError from None
            if message["type"] == "http.disconnect":
                raise SenderGoneError
            yield message.get("body", b"")
            more = message.get("more_body", False)


async def pieces(request: HttpRequest) -> AsyncGenerator[bytes, None]:
    """The body in pieces of about `CHUNK` bytes. Raises SenderGoneError, having handed out all that came."""
    body: Body | None = getattr(request, "scope", {}).get("atlas.body")
    if body is None:  # under WSGI the handler itself reads as it goes
        while piece := request.read(CHUNK):
            yield piece
        return
    waiting = bytearray()
    try:
        async for part in body.messages():
            waiting += part
            if len(waiting) >= CHUNK:
                yield bytes(waiting)
                waiting.clear()
    except SenderGoneError:
        if waiting:
            yield bytes(waiting)
        raise
    if waiting:
        yield bytes(waiting)
