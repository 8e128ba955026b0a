"""Django's handler of ASGI requests, careful with the database connections that all of them share."""

from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http.response import HttpResponseBase


class Handler(ASGIHandler):
    """A request keeps a connection of the pool neither while its answer is on the way nor after it broke off.

    Django gives it back when all was sent or the reader has left. But ten readers with a slow line would hold
    all there are for as long as they read, and a response that raises while it is sent would never let go.
    """

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().handle(scope, receive, send)
        except Exception:
            await request_finished.asend(sender=self.__class__)
            raise

    async def send_response(self, response: HttpResponseBase, send: Any) -> None:
        if not response.streaming:  # `ConnectionsInTime` gave it back, and nothing has taken one since
            await super().send_response(response, send)
            return

        async def send_without_connection(message: Any) -> None:
            if message["type"] == "http.response.body":
                await sync_to_async(close_old_connections)()
            await send(message)

        await super().send_response(response, send_without_connection)
