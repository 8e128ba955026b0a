"""Windows of the browser, one for each person."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, StorageState

from tests.stack import Stack


@contextmanager
def window(
    browser: Browser, stack: Stack, state: StorageState | None = None, **options: Any
) -> Iterator[Page]:
    """A page of whoever is signed in by `state`; an error of its scripts fails the test."""
    usual = {"base_url": stack.url, "viewport": {"width": 1280, "height": 800}, "storage_state": state}
    context = browser.new_context(**usual | options)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    context.close()
    assert troubles == []
