"""Database connections are few (`ATLAS_DATABASE_POOL`), visitors may be many and slow: nobody holds one while
a file or an answer is on its way."""

from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponse


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
