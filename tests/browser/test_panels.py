"""Where the explorer tells an error, whose a key is, and where the focus goes."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_axe import FILTERS
from tests.browser.test_explorer import chip, draw_box
from tests.browser.test_explorer_access import Open, open_map, pytestmark

__all__ = ["open_map", "pytestmark"]


#: Whether the page took a key for itself, pressed together with others, where the focus is.
TAKEN = """([key, held]) => {
  const event = new KeyboardEvent("keydown", {key, [held]: true, bubbles: true, cancelable: true});
  return !document.activeElement.dispatchEvent(event);
}"""


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


def test_a_dialog_from_the_strip_has_as_much_room_as_any_other_on_a_phone(open_map: Open) -> None:
    page = open_map('sel={"rows":[1,2]}', viewport={"width": 390, "height": 844})
    for asked, name in (("Tag…", "Close"), ("Remove…", "Cancel")):
        page.get_by_role("button", name=asked).click()
        button = page.get_by_role("dialog").get_by_role("button", name=name)
        assert button.evaluate("button => getComputedStyle(button).paddingLeft") == "16px"
        button.click()


def dismiss(alert: Locator) -> None:
    expect(alert).to_contain_text("There is no room for more tags.")
    alert.get_by_role("button", name="Dismiss").click()
    expect(alert).to_have_count(0)


def taken(page: Page, key: str, held: str) -> bool:
    was_taken: bool = page.evaluate(TAKEN, [key, held])
    return was_taken


TOPIC = """async () => {
  const [{ id }] = JSON.parse(document.getElementById("config").textContent).maps;
  return (await (await fetch(`/api/maps/${id}/topics`)).json()).topics[0];
}"""
#: So near that the middle of the map may lie anywhere round a topic.
ZOOM = 20


@pytest.mark.parametrize(
    ("width", "panel", "free"), [(390, (160, 200), (0, 150)), (1280, (-540, 0), (400, 0))]
)
def test_names_on_the_map_keep_out_of_what_panels_cover(
    open_map: Open, width: int, panel: tuple[int, int], free: tuple[int, int]
) -> None:
    page = open_map(viewport={"width": width, "height": 800})
    expect(page.get_by_role("toolbar", name="Map tools")).to_be_visible()
    topic = page.evaluate(TOPIC)
    name = page.locator(".map-label").get_by_text(topic["name"], exact=True)

    def show(place: tuple[int, int], more: str = "") -> None:
        """The topic lies so many pixels from the middle of the map."""
        x, y = (place[0] / 1024 / ZOOM, place[1] / 1024 / ZOOM)
        page.goto(f"{page.url.partition('#')[0]}#at={topic['x'] - x},{topic['y'] + y},{ZOOM}{more}")

    show(free)
    expect(name).to_be_visible()
    show(panel)
    expect(name).to_have_count(0)
    show(free, "&record=3")
    expect(page.get_by_role("complementary", name="Record 3")).to_be_visible()
    expect(name).to_have_count(0)
    page.keyboard.press("Escape")
    expect(name).to_be_visible()


def test_keys_of_the_browser_stay_its_own_and_escape_in_a_field_is_about_it(open_map: Open) -> None:
    page = open_map(f"record=3&q=a%20blue%20square&filters={FILTERS}")
    card = page.get_by_role("complementary", name="Record 3")
    expect(page.get_by_role("region", name="Hits, best first").get_by_role("listitem").first).to_be_visible()
    expect(card).to_be_focused()
    assert not taken(page, "ArrowLeft", "altKey")
    card.get_by_title("Look closer").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not any(taken(page, key, "ctrlKey") for key in "+-0")
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Topics", exact=True).click()
    page.get_by_role("treeitem").first.focus()
    assert not taken(page, "Home", "altKey")
    assert taken(page, "Enter", "ctrlKey")
    expect(chip(page)).to_be_visible()
    page.get_by_role("button", name="Clear the selection").press("Enter")
    expect(page.get_by_role("treeitem").first).to_be_focused()
    filters = page.get_by_role("button", name=re.compile("^Remove the filter"))
    filters.first.press("Enter")
    expect(filters).to_have_count(1)
    expect(filters).to_be_focused()

    field = card.get_by_label("Add a tag")
    field.fill("torn")
    field.press("Escape")
    expect(field).not_to_be_focused()
    expect(field).to_have_value("torn")
    page.get_by_role("heading", name="Filters").click()
    words = page.get_by_label("Caption", exact=True)
    words.fill("red")
    words.press("Escape")
    expect(words).to_have_value("")
    expect(card).to_be_visible()
    words.press("Escape")
    expect(card).to_have_count(0)


def test_a_table_beside_a_search_says_that_it_lists_and_exports_more_than_the_hits(open_map: Open) -> None:
    page = open_map("q=a%20blue%20square")
    expect(page.get_by_role("region", name="Hits, best first").get_by_role("listitem").first).to_be_visible()
    page.get_by_role("button", name="Table of records").click()
    expect(page.get_by_role("region", name="Table of records")).to_contain_text("in all, not only the hits")
