"""Database connections are few (`ATLAS_DATABASE_POOL`), visitors may be many and slow: nobody holds one while
a file or an answer is on its way."""

import select
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from psycopg import Connection, OperationalError


def let_go() -> None:
    """Give this thread's connection back; the next query takes another. In a transaction it stays."""
    if not connection.in_atomic_block:
        connection.close()


class ConnectionsInTime:
    """As soon as the view has answered: Django itself waits until the visitor has read all of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            let_go()


def require_open(connection: Connection[Any]) -> None:
    """Raises OperationalError where the server has closed it.

    The pool's own check asks the server each time a connection is taken, which took as long as what is then
    asked. Nobody has asked anything yet: what there is to read is the server's farewell.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        connection.close()  # else the pool takes it for a good one and gives it out again
        raise OperationalError("The server has closed the connection.")
