"""What people expect of a map without being told: clicks, keys, and what each of them ends."""

import json
import re

from playwright.sync_api import Page, expect

from tests.browser.squares import Squares
from tests.browser.test_explorer import chip, draw_box, expect_selected, map_page, pytestmark, records
from tests.stack import Stack

__all__ = ["map_page", "pytestmark"]

HITS = "Hits, best first"


def begin(page: Page, squares: Squares, start: str) -> None:
    page.goto(f"{squares.map}#{start}")


def drawer(page: Page, row: int) -> None:
    expect(page.get_by_role("complementary", name=f"Record {row}")).to_be_visible()


def no_drawer(page: Page) -> None:
    expect(page.get_by_role("complementary")).to_have_count(0)


def test_the_open_record_and_the_next_that_is_clicked_with_ctrl_are_a_selection(
    map_page: Page, squares: Squares
) -> None:
    begin(map_page, squares, "record=3&q=a%20red%20square")
    drawer(map_page, 3)
    hits = map_page.get_by_role("region", name=HITS).get_by_role("listitem")
    other = hits.locator("button:not([aria-current=true])").first
    other.click(modifiers=["Control"])
    expect_selected(map_page, 2)
    drawer(map_page, 3)
    other.click(modifiers=["Shift"])
    expect_selected(map_page, 1)
    other.click()
    expect(map_page.get_by_role("complementary", name="Record 3")).to_have_count(0)
    expect_selected(map_page, 1)


def test_a_click_where_nothing_is_ends_the_record_then_the_selection(
    map_page: Page, squares: Squares
) -> None:
    begin(map_page, squares, 'record=3&sel={"caption":"red"}&at=0.5,0.5,1')
    drawer(map_page, 3)
    expect_selected(map_page, 30)
    corner = (340, 560)  # of the map, beside the panel
    map_page.mouse.click(*corner)
    no_drawer(map_page)
    map_page.keyboard.down("Shift")
    map_page.mouse.click(corner[0] + 60, corner[1])
    map_page.keyboard.up("Shift")
    expect_selected(map_page, 30)
    map_page.mouse.click(*corner)
    expect(chip(map_page)).to_have_count(0)


def test_escape_ends_the_drawing_the_record_the_table_the_search_and_the_selection_in_turn(
    map_page: Page, squares: Squares
) -> None:
    begin(map_page, squares, 'record=3&q=a%20blue%20square&sel={"caption":"red"}')
    drawer(map_page, 3)
    hits = map_page.get_by_role("region", name=HITS)
    expect(hits.get_by_role("listitem").first).to_be_visible()
    map_page.get_by_role("button", name="Table of records").click()
    table = map_page.get_by_role("region", name="Table of records")
    expect(table).to_be_visible()

    map_page.keyboard.down("Shift")
    map_page.mouse.move(500, 200)
    map_page.mouse.down()
    map_page.mouse.move(700, 250, steps=3)
    map_page.mouse.move(600, 400, steps=3)
    drawn = map_page.locator(".map-stage .map-region").first
    expect(drawn).to_have_attribute("d", re.compile("^M"))
    map_page.keyboard.press("Escape")
    expect(drawn).to_have_attribute("d", "")
    map_page.keyboard.up("Shift")
    map_page.mouse.up()

    drawer(map_page, 3)
    map_page.keyboard.press("Escape")
    no_drawer(map_page)
    map_page.keyboard.press("Escape")
    expect(table).to_have_count(0)
    expect(hits).to_be_visible()
    map_page.keyboard.press("Escape")
    expect(hits).to_have_count(0)
    expect_selected(map_page, 30)
    map_page.keyboard.press("/")
    expect(map_page.get_by_label("Search by meaning")).to_be_focused()
    map_page.keyboard.press("Escape")  # closes what is proposed
    map_page.keyboard.press("Escape")
    expect(chip(map_page)).to_have_count(0)


def test_an_arrow_leads_from_the_words_to_the_hits_and_escape_gives_the_focus_back(
    map_page: Page, squares: Squares
) -> None:
    begin(map_page, squares, "at=0.5,0.5,1")
    map_page.keyboard.press("/")
    map_page.keyboard.type("a blue square")
    map_page.keyboard.press("Enter")
    hits = map_page.get_by_role("region", name=HITS).get_by_role("listitem").get_by_role("button")
    expect(hits.first).to_be_visible()
    map_page.keyboard.press("ArrowRight")
    expect(hits.first).to_be_focused()
    map_page.keyboard.press("ArrowRight")
    expect(hits.nth(1)).to_be_focused()
    map_page.keyboard.press("Enter")
    expect(map_page.get_by_role("complementary")).to_be_focused()
    map_page.keyboard.press("Escape")
    expect(hits.nth(1)).to_be_focused()


def test_from_near_a_picture_comes_as_it_is_stored(map_page: Page, stack: Stack, squares: Squares) -> None:
    row = 3
    begin(map_page, squares, f"record={row}")
    drawer(map_page, row)
    asked = draw_box(map_page)
    map_id = json.loads(asked.post_data or "")["filter"]["map"]
    place = next(each for each in records(stack, squares, map_id) if each["row"] == row)
    thumbnail = place["image"]["thumbnail"]
    map_page.goto("about:blank")
    with map_page.expect_request(lambda request: request.url.endswith(thumbnail)):
        begin(map_page, squares, f"at={place['x']},{place['y']},3000")
    expect(map_page.locator(".map-stage[data-pictures]")).to_be_visible()
