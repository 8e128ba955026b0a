"""One search over all datasets."""

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.searching import ask, box, expect_captions, page
from tests.browser.squares import Squares
from tests.browser.waiting import expect_no_wider, wait_until
from tests.browser.windows import window
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["page"]


def test_one_question_to_all_datasets_leads_to_the_map_of_each(page: Page, squares: Squares) -> None:
    page.goto("/search")
    ask(page, "a green square")
    group = page.get_by_role("region", name="Squares").first
    expect(group.get_by_role("link").filter(has_text="on the map")).to_be_visible()
    ask(page, "a blue square")
    expect(page).to_have_title("a blue square · Search · Atlas")
    page.go_back()
    expect(box(page)).to_have_value("a green square")
    expect(page).to_have_title("a green square · Search · Atlas")

    page.locator(f'a[href^="{squares.map}#"]').first.click()
    expect(box(page)).to_have_value("a green square")
    expect_captions(page, {"a green square"})


def test_what_a_search_over_all_datasets_found_is_said_anew_for_each(page: Page, squares: Squares) -> None:
    page.goto("/search")
    said = page.locator("p[role=status]")
    expect(said).to_have_text("")
    ask(page, "a green square")
    expect(said).to_have_text(re.compile(r"^Hits in \d+ datasets?, best first\.$"))

    held: list[Route] = []
    page.route(re.compile("/api/search$"), lambda route: held.append(route))
    box(page).fill("a blue square")
    page.keyboard.press("Enter")
    expect(said).to_have_text("")
    wait_until(page, lambda: len(held) == 1)
    held[0].continue_()
    expect(said).to_have_text(re.compile("^Hits in "))


def test_a_visitor_searches_what_is_public(browser: Browser, stack: Stack, squares: Squares) -> None:
    with window(browser, stack, viewport={"width": 360, "height": 740}) as page:
        page.goto("/search#q=a+red+square")

        expect(page.locator(f'a[href^="{squares.map}#"]').first).to_be_visible()
        expect_no_wider(page, 360)
