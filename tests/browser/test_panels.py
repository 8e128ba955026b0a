"""What the panels of the explorer say, and what their keys and buttons leave behind."""

import json

from playwright.sync_api import Locator, Page, expect

from tests.browser.test_explorer import draw_box
from tests.browser.test_explorer_access import Open, open_map, pytestmark

__all__ = ["open_map", "pytestmark"]


def refuse(page: Page, address: str, words: str) -> None:
    """What is sent there from now on."""
    body = json.dumps({"detail": words})
    page.route(
        address,
        lambda route: (
            route.fallback()
            if route.request.method == "GET"
            else route.fulfill(status=409, content_type="application/json", body=body)
        ),
    )


def test_an_error_is_seen_and_answered_above_a_dialog_and_a_sheet(open_map: Open) -> None:
    page = open_map()
    draw_box(page)
    page.get_by_role("button", name="Tag…").click()
    page.get_by_label("A new tag").fill("torn")
    refuse(page, "**/tags", "There is no room for more tags.")
    page.get_by_role("button", name="Create and put on").click()
    told = page.get_by_role("dialog").get_by_role("alert")
    expect(told).to_contain_text("There is no room for more tags.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    dismiss(page.get_by_role("alert"))

    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{page.url.partition('#')[0]}#record=7")
    card = page.get_by_role("complementary", name="Record 7")
    card.get_by_label("Add a tag").fill("torn")
    card.get_by_label("Add a tag").press("Enter")
    dismiss(page.get_by_role("alert"))


def dismiss(alert: Locator) -> None:
    expect(alert).to_contain_text("There is no room for more tags.")
    alert.get_by_role("button", name="Dismiss").click()
    expect(alert).to_have_count(0)
