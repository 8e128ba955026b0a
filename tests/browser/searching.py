"""The search box and its hits, as the tests of searching handle them."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.browser.squares import Squares
from tests.browser.waiting import wait_until
from tests.browser.windows import window
from tests.stack import Stack


@pytest.fixture
def page(browser: Browser, stack: Stack, squares: Squares) -> Iterator[Page]:
    """Of the owner of the squares."""
    with window(browser, stack, squares.state) as page:
        yield page


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search by meaning")


def hits(page: Page) -> Locator:
    return page.get_by_role("region", name="Hits, best first").get_by_role("listitem").get_by_role("button")


def suggestions(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def expect_count(page: Page, count: int) -> None:
    """The strip says so many hits."""
    expect(page.get_by_role("status").filter(has_text=re.compile(rf"^{count:,} hits?(\.|$)"))).to_be_visible()


def captions(page: Page, most: int = 8) -> list[str]:
    found: list[str] = hits(page).evaluate_all("all => all.map((hit) => hit.title)")
    return found[:most]


def expect_captions(page: Page, wanted: set[str], most: int = 8) -> None:
    """The best hits have these captions and no other."""
    wait_until(page, lambda: set(captions(page, most)) == wanted, lambda: captions(page, most))


def parts(request: Request) -> list[dict[str, Any]]:
    """Of the query that was sent."""
    body = request.post_data_json
    assert body is not None
    found: list[dict[str, Any]] = body["parts"]
    return found


def is_search(request: Request) -> bool:
    return request.url.endswith("/search")


def search(page: Page, squares: Squares, words: str, start: str = "") -> dict[str, Any]:
    """Opens the map, types, and returns the server's answer once it is shown."""
    page.goto(f"{squares.map}{'#' if start else ''}{start}")
    expect(box(page)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type(words)
    with page.expect_response(re.compile("/search$")) as answered:
        page.keyboard.press("Enter")
    expect(hits(page).first).to_be_visible()
    answer: dict[str, Any] = answered.value.json()
    return answer


def ask(page: Page, words: str) -> None:
    """Types them in the place of what is there; the address says what was asked."""
    box(page).fill(words)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"q={re.escape(quote_plus(words))}"))
