"""The Content-Security-Policy."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.test import Client

from atlas.csp import HEADER, ContentSecurityPolicy, policy


@pytest.mark.django_db
def test_every_answer_carries_it(client: Client) -> None:
    for address in ("/health", "/accounts/login/", "/no/such/page"):
        assert client.get(address)[HEADER] == policy()


def test_it_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    assert "unsafe" not in policy()
    assert "http" not in policy()
    assert "frame-ancestors 'none'" in policy()


def test_it_stays_in_the_event_loop_where_the_view_does() -> None:
    async def view(_: HttpRequest) -> HttpResponse:
        return HttpResponse()

    middleware = ContentSecurityPolicy(view)
    assert iscoroutinefunction(middleware)
    with ThreadPoolExecutor(1) as pool:  # Playwright keeps an event loop in this thread
        response = pool.submit(asyncio.run, middleware(HttpRequest())).result()
    assert response[HEADER] == policy()
