"""Django's handler of ASGI requests, careful with threads and with database connections, which all share."""

import asyncio
import contextvars
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import lru_cache, partial
from typing import IO, Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve, set_script_prefix

from atlas.api.embed_api import MOST_BYTES_IN_ALL
from atlas.api.embedding import MOST_WAITING
from atlas.datasets.streaming import MOST_DISCARDED, Message, Receive
from atlas.errors import too_large

#: Requests that are answered at a time, most of them waiting for something; further ones wait for a thread.
MOST_AT_ONCE = 200
#: Of those the ones whose body is so large that it came to the disk. A view reads it whole, and what it makes
#: of it takes several times as much memory; further ones wait, and leave theirs where it is.
MOST_LARGE_AT_ONCE = 8
#: Of programs that embed, which wait long: all who find a place there, and some who are told there is none.
EMBEDDING_PATHS = ("/api/embed", "/v1/embedding/")
MOST_LARGE_TO_EMBED = MOST_WAITING + 4
#: Where files come as the parts of one request, and how much that may be, headers of the parts included.
FILES_PATH = "/v1/embedding/image"
MOST_IN_FILES = MOST_BYTES_IN_ALL + (1 << 20)


class BodyTooLargeError(Exception):
    """More has come than any view would take."""


class Handler(ASGIHandler):
    """A view that is not asynchronous is run with all middleware in one turn of one thread.

    Django itself goes from the loop to a thread and back five times for such a request, the middleware being
    synchronous, too, and makes a thread for it: that took the processor longer than a search's own work here.

    A request keeps a connection of the pool neither while its answer is on the way nor after it broke off.
    Django gives it back when all was sent or the reader has left. But ten readers with a slow line would hold
    all there are for as long as they read, and a response that raises while it is sent would never let go.
    """

    def __init__(self) -> None:
        super().__init__()
        self._synchronous = SynchronousHandler()
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, "request")
        self._large = asyncio.Semaphore(MOST_LARGE_AT_ONCE)
        self._large_to_embed = asyncio.Semaphore(MOST_LARGE_TO_EMBED)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """A body is on the disk before anybody asks who sent it: an endless one would fill that."""
        most = MOST_IN_FILES if scope["path"] == FILES_PATH else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        try:
            await self._handle(scope, _at_most(most, receive), send)
        except BodyTooLargeError:
            await self.send_response(too_large(scope["path"], most), send)

    async def _handle(self, scope: Any, receive: Any, send: Any) -> None:
        match = _match(scope)
        if match is None or not iscoroutinefunction(match.func):
            await self._handle_in_a_thread(scope, match, receive, send)
            return
        try:
            await super().handle(scope, receive, send)
        except BodyTooLargeError:  # before the request began
            raise
        except Exception:
            await request_finished.asend(sender=self.__class__)
            raise

    async def _handle_in_a_thread(
        self, scope: Any, match: ResolverMatch | None, receive: Any, send: Any
    ) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:  # the sender has left
            return
        with body:
            request, refusal = self.create_request(scope, body)
            if request is None:
                assert refusal is not None
                await self.send_response(refusal, send)
                return
            request.resolver_match = match
            answer = partial(contextvars.copy_context().run, self._answer, scope, request)
            async with self._turn_of(scope["path"], body):
                response = await asyncio.get_running_loop().run_in_executor(self._threads, answer)
            if response.streaming:
                await self._stream(response, receive, send)
            else:
                await self.send_response(response, send)

    def _turn_of(self, path: str, body: IO[bytes]) -> AbstractAsyncContextManager[None]:
        size = body.seek(0, os.SEEK_END)
        body.seek(0)
        if size <= settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
            return nullcontext()
        return self._large_to_embed if path.startswith(EMBEDDING_PATHS) else self._large

    def _answer(self, scope: Any, request: HttpRequest) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=self.__class__, scope=scope)
        response = self._synchronous.get_response(request)
        vars(response)["_handler_class"] = self.__class__  # the sender of its `request_finished`
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.streaming:
            response.close()  # in this thread, whose connections are looked after
        return response

    async def _stream(self, response: HttpResponseBase, receive: Any, send: Any) -> None:
        """Until all was sent or the reader has left."""
        sending = asyncio.create_task(self.send_response(response, send))
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            [broken, _] = await asyncio.gather(sending, leaving, return_exceptions=True)
            await sync_to_async(response.close)()
        if isinstance(broken, Exception):
            raise broken

    async def send_response(self, response: HttpResponseBase, send: Any) -> None:
        if not response.streaming:  # `ConnectionsInTime` gave it back, and nothing has taken one since
            await super().send_response(response, send)
            return

        async def send_without_connection(message: Any) -> None:
            if message["type"] == "http.response.body":
                await sync_to_async(close_old_connections)()
            await send(message)

        await super().send_response(response, send_without_connection)


class SynchronousHandler(BaseHandler):
    """All middleware, and views that are not asynchronous."""

    def __init__(self) -> None:
        self.load_middleware()

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """Looked up by `Handler`; here once more what it did not find, for the page that says so."""
        match: ResolverMatch = request.resolver_match or super().resolve_request(request)
        return match


def _at_most(most: int, receive: Receive) -> Receive:
    """It raises BodyTooLargeError if the body has more bytes, once the rest has come too, or most of it."""
    left = most

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left >= 0:
            return message
        while message.get("more_body") and left > -MOST_DISCARDED:
            message = await receive()
            left -= len(message.get("body", b""))
        raise BodyTooLargeError

    return counted


def _match(scope: Any) -> ResolverMatch | None:
    try:
        return _resolved(scope["path"].removeprefix(get_script_prefix(scope)), settings.ROOT_URLCONF)
    except Resolver404:
        return None


# Who looks at a map asks the same few paths again and again.
@lru_cache(maxsize=500)
def _resolved(path: str, urlconf: str) -> ResolverMatch:
    return resolve(path, urlconf)
