"""The records without a map: what the map page offers, by keyboard and for screen readers."""

import re

from playwright.sync_api import expect

from tests.browser.test_axe import NO_WEBGL
from tests.browser.test_explorer_access import Open, drawer, open_map, pytestmark
from tests.browser.waiting import expect_no_wider

__all__ = ["open_map", "pytestmark"]


def test_the_list_shows_hostile_captions_as_text_too(open_map: Open) -> None:
    page = open_map(
        before=lambda page: page.add_init_script(NO_WEBGL), viewport={"width": 360, "height": 800}
    )
    expect(page.get_by_text("it offers no WebGL2")).to_be_visible()
    for shown in (60, 120):
        expect(page.get_by_text(f"{shown} of 125 records")).to_be_visible()
        page.get_by_role("button", name="Show more").click()
    expect(page.get_by_text("125 of 125 records")).to_be_visible()

    expect(page.get_by_text("<h1>Not a heading</h1>").first).to_be_visible()
    assert page.evaluate("window.broken") is None
    expect_no_wider(page, 360)


def test_the_list_searches_and_finds_what_is_similar(open_map: Open) -> None:
    page = open_map("q=a%20blue%20square", before=lambda page: page.add_init_script(NO_WEBGL))
    expect(page.get_by_text("hits, best first")).to_be_visible()
    first = page.get_by_role("listitem").filter(has_text="square").first
    expect(first).to_contain_text("a blue square")
    first.get_by_role("button", name=re.compile("^Find similar")).click()

    expect(page.get_by_role("group", name=re.compile("^Wanted: "))).to_be_visible()
    expect(first).to_contain_text("a blue square")
    page.get_by_role("button", name="Clear the search").click()
    expect(page.get_by_text("60 of 125 records")).to_be_visible()


def test_the_list_filters_selects_and_opens_and_its_address_says_so(open_map: Open) -> None:
    page = open_map(before=lambda page: page.add_init_script(NO_WEBGL))
    expect(page.get_by_text("60 of 125 records")).to_be_visible()
    page.get_by_role("heading", name="Filters").click()
    page.get_by_label("Caption", exact=True).fill("red square")
    page.get_by_label("Caption", exact=True).press("Enter")
    expect(page.get_by_text("30 of 30 records")).to_be_visible()
    expect(page).to_have_url(re.compile("filters="))

    for row in (3, 4):
        page.get_by_label(f"Select record {row}", exact=True).check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Only these").click()
    expect(page.get_by_text("2 of 2 records")).to_be_visible()
    expect(page.get_by_text("2 selected")).to_have_count(0)

    page.get_by_role("button", name="Open record 3", exact=True).click()
    drawer(page, 3)
    expect(page).to_have_url(re.compile("record=3"))
    page.keyboard.press("ArrowRight")
    drawer(page, 4)
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name=re.compile("^Record "))).to_have_count(0)
    expect(page.get_by_role("button", name="Open record 3", exact=True)).to_be_focused()
    page.reload()
    expect(page.get_by_text("2 of 2 records")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("record=4"))


def test_the_list_sorts_as_the_table_does_and_selects_from_one_record_to_another(open_map: Open) -> None:
    page = open_map(before=lambda page: page.add_init_script(NO_WEBGL))
    boxes = page.get_by_label(re.compile(r"^Select record \d+$"))
    expect(boxes.first).to_have_accessible_name("Select record 0")
    page.get_by_label("Sort by").select_option("year")
    page.get_by_role("button", name="Largest first").click()
    expect(boxes.first).to_have_accessible_name("Select record 119")

    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.get_by_text("4 selected")).to_be_visible()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.get_by_text("5 selected")).to_be_visible()
    expect(boxes.nth(5)).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("5 selected")).to_have_count(0)
    page.get_by_role("button", name="Clear the selection").click()

    page.get_by_role("button", name="Table").first.click()
    grid = page.get_by_role("grid")
    expect(grid.get_by_role("row").nth(1)).to_contain_text("119")
    grid.get_by_role("button", name="Row").click()
    expect(grid.get_by_role("row").nth(1)).to_contain_text("a red square")


def test_the_list_has_comments_on_its_records(open_map: Open) -> None:
    page = open_map("record=7", before=lambda page: page.add_init_script(NO_WEBGL))
    drawer(page, 7)
    page.get_by_role("complementary").get_by_role("button", name="Comment").click()
    page.get_by_label("Your comment").fill("Is this one red?")
    page.keyboard.press("Control+Enter")
    comment = page.get_by_role("article")
    expect(comment).to_contain_text("Is this one red?")
    expect(page.get_by_role("button", name="A place on the map")).to_have_count(0)
    comment.get_by_title("Show", exact=True).click()
    drawer(page, 7)
    page.keyboard.press("Escape")
    comment.get_by_role("button", name="Delete what").click()
    comment.get_by_role("button", name="Delete for good").click()
    expect(comment).to_have_count(0)
