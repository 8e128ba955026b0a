"""Django's handler of ASGI requests, with what it forgets."""

from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished


class Handler(ASGIHandler):
    """A response that breaks off while it is sent ends its request, too.

    Django tells the end of a request when all was sent or the reader has left, not when the response raised:
    its thread then keeps a database connection of the pool for ever, and after ten of them nobody gets one.
    """

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().handle(scope, receive, send)
        except Exception:
            await request_finished.asend(sender=self.__class__)
            raise
