"""Selecting on the map, as the server counts it; links that carry it to other maps, back, to other people."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from atlas.datasets.demo import Site
from tests.browser.squares import Squares
from tests.browser.windows import window
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def map_page(browser: Browser, stack: Stack, squares: Squares) -> Iterator[Page]:
    """The map of the squares, open before its owner; errors on the page fail the test."""
    with window(browser, stack, squares.state, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(squares.map)
        expect(page.get_by_label("Search by meaning")).to_be_visible()
        yield page


def chip(page: Page) -> Locator:
    return page.get_by_role("region", name="Selection", exact=True).locator("strong")


def expect_selected(page: Page, count: int) -> None:
    """The selection's chip says so many."""
    expect(chip(page)).to_have_text(re.compile(rf"^\s*{count:,} selected"))


def draw(page: Page, corners: list[tuple[int, int]], keys: tuple[str, ...] = ()) -> Request:
    """Draws with the mouse, `keys` held; returns what the server was asked."""
    for key in keys:
        page.keyboard.down(key)
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=4)
    with page.expect_request(re.compile("/select$")) as asked:
        page.mouse.up()
    for key in keys:
        page.keyboard.up(key)
    asked.value.response()
    return asked.value


def draw_box(page: Page) -> Request:
    """Round the right half of the map, beside the panel."""
    page.get_by_label("Select with a box").click()
    return draw(page, [(720, 130), (1200, 780)])


def answer(request: Request) -> Any:
    response = request.response()
    assert response is not None
    return response.json()


def records(stack: Stack, squares: Squares, map_id: str) -> list[dict[str, Any]]:
    body = {"sort": "row", "offset": 0, "limit": 500, "map": map_id}
    found: list[dict[str, Any]] = Site(stack.url).post(f"/api/datasets/{squares.id}/table", body)["records"]
    return found


def is_inside(x: float, y: float, corners: list[list[float]]) -> bool:
    """By the even-odd rule."""
    crossed = 0
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        crossed += (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1)
    return crossed % 2 == 1


def test_a_lasso_selects_just_the_records_within_it(map_page: Page, stack: Stack, squares: Squares) -> None:
    asked = draw(map_page, [(600, 150), (1000, 120), (1150, 500), (700, 760), (600, 400)], ("Shift",))
    region = json.loads(asked.post_data or "")["filter"]
    places = [(each["x"], each["y"]) for each in records(stack, squares, region["map"])]
    inside = sum(x is not None and is_inside(x, y, region["region"]) for x, y in places)
    assert 0 < inside < len(places)
    assert answer(asked)["count"] == inside
    expect_selected(map_page, inside)


def test_shift_adds_to_a_selection_and_alt_takes_away(map_page: Page) -> None:
    left = [(500, 130), (760, 130), (760, 780), (500, 780)]
    right = [(761, 130), (1200, 130), (1200, 780), (761, 780)]
    of_right = answer(draw(map_page, right, ("Shift",)))["count"]
    expect_selected(map_page, of_right)
    of_both = answer(draw(map_page, left, ("Shift",)))["count"]
    assert of_both > of_right
    expect_selected(map_page, of_both)
    draw(map_page, right, ("Shift", "Alt"))
    expect_selected(map_page, of_both - of_right)

    # The same without those keys, as on a tablet.
    map_page.get_by_label("Select with a lasso").click()
    group = map_page.get_by_role("group", name="What the region does to the selection")
    group.get_by_role("button", name="Add").click()
    draw(map_page, right)
    expect_selected(map_page, of_both)


def test_a_selection_survives_links_other_maps_and_undo(map_page: Page) -> None:
    count = answer(draw_box(map_page))["count"]
    assert count > 0
    expect(chip(map_page)).to_contain_text(f"{count} selected")
    expect(map_page).to_have_url(re.compile("sel="))

    map_page.reload()
    expect(chip(map_page)).to_contain_text(f"{count} selected")

    spaces = map_page.get_by_role("group", name="Map of")
    spaces.get_by_role("button", name="Captions").click()
    expect(map_page).to_have_url(re.compile("map=caption"))
    expect(chip(map_page)).to_contain_text(f"{count} selected")
    map_page.go_back()
    expect(spaces.get_by_role("button", name="Images")).to_have_attribute("aria-pressed", "true")

    map_page.get_by_role("button", name="Clear the selection").click()
    expect(chip(map_page)).to_have_count(0)
    map_page.keyboard.press("Control+z")
    expect(chip(map_page)).to_contain_text(f"{count} selected")
    map_page.get_by_role("button", name="Redo").click()
    expect(chip(map_page)).to_have_count(0)
    expect(map_page).not_to_have_url(re.compile("sel="))
    map_page.go_back()
    expect(chip(map_page)).to_contain_text(f"{count} selected")


def test_a_link_to_a_place_on_an_earlier_map_shows_all_of_the_new_one_and_says_why(
    map_page: Page, squares: Squares
) -> None:
    map_page.goto("about:blank")
    map_page.goto(f"{squares.map}#at=0.2,0.3,40&layout={squares.id}")
    expect(map_page.get_by_role("alert")).to_contain_text("This map was made anew")
    expect(map_page).to_have_url(re.compile(r"layout="))
    expect(map_page).not_to_have_url(re.compile(squares.id))
    expect(map_page).not_to_have_url(re.compile(r"at=0\.2,0\.3,40"))


def test_what_no_address_has_room_for_is_opened_from_a_saved_view(map_page: Page) -> None:
    few = draw_box(map_page)
    expect(chip(map_page)).to_be_visible()
    map_id = json.loads(few.post_data or "")["filter"]["map"]
    turn = [step * math.tau / 300 for step in range(300)]
    circle = [[0.5 + 0.3 * math.cos(angle), 0.5 + 0.3 * math.sin(angle)] for angle in turn]
    with map_page.expect_response(re.compile("/select$")) as answered:
        map_page.goto(f"{map_page.url.partition('#')[0]}#sel={json.dumps({'region': circle, 'map': map_id})}")
    count = answered.value.json()["count"]
    assert count != answer(few)["count"]
    expect(chip(map_page)).to_contain_text(f"{count} selected")
    expect(map_page).not_to_have_url(re.compile("sel="))
    map_page.reload()
    expect(chip(map_page)).to_contain_text(f"{count} selected")

    map_page.get_by_label("Copy a link to this view").click()
    expect(map_page.get_by_text("The link was copied.")).to_be_visible()
    link = map_page.evaluate("navigator.clipboard.readText()")
    assert "#view=" in link
    other = map_page.context.new_page()
    other.goto(link)
    expect(chip(other)).to_contain_text(f"{count} selected")


def test_an_export_holds_what_is_selected(map_page: Page) -> None:
    count = answer(draw_box(map_page))["count"]
    expect_selected(map_page, count)
    map_page.get_by_text("Export").click()
    with map_page.expect_download() as saved:
        map_page.get_by_role("button", name=re.compile("^JSON Lines")).click()
    lines = saved.value.path().read_text().splitlines()
    assert len(lines) == count
    assert {"row", "year"} <= json.loads(lines[0]).keys()


def test_an_export_that_is_refused_is_said_and_leaves_the_page_as_it_is(map_page: Page) -> None:
    refusal = json.dumps({"detail": "Those were many exports."})
    map_page.route(
        "**/export/check",
        lambda route: route.fulfill(status=429, content_type="application/json", body=refusal),
    )
    count = answer(draw_box(map_page))["count"]
    expect_selected(map_page, count)
    map_page.get_by_text("Export").click()
    map_page.get_by_role("button", name=re.compile("^Parquet with picture vectors")).click()
    expect(map_page.get_by_role("alert")).to_contain_text("Those were many exports.")
    expect_selected(map_page, count)


def test_a_record_is_tagged_from_its_card(map_page: Page) -> None:
    map_page.goto(f"{map_page.url.partition('#')[0]}#record=7")
    card = map_page.get_by_role("complementary", name="Record 7")
    card.get_by_label("Add a tag").fill("<i>torn</i>")
    card.get_by_label("Add a tag").press("Enter")
    off = card.get_by_role("button", name="Take off the tag <i>torn</i>")
    expect(off).to_be_visible()
    colour = card.locator(".swatch").evaluate("(dot) => getComputedStyle(dot).backgroundColor")

    map_page.get_by_label("Colour by").select_option("Tags")
    row = map_page.locator(".legend-row", has_text="<i>torn</i>")
    expect(row).to_contain_text("1")
    expect(row.locator(".swatch")).to_have_css("background-color", colour)

    off.click()
    expect(off).to_have_count(0)
    map_page.on("dialog", lambda dialog: dialog.accept())
    draw_box(map_page)
    map_page.get_by_role("button", name="Tag…").click()
    map_page.get_by_role("button", name="Delete the tag <i>torn</i>").click()
    expect(map_page.locator(".tag-list")).not_to_contain_text("<i>torn</i>")


def test_a_tag_is_put_on_what_is_selected_and_colours_it(map_page: Page, squares: Squares) -> None:
    count = answer(draw_box(map_page))["count"]
    expect_selected(map_page, count)
    map_page.get_by_role("button", name="Tag…").click()
    map_page.get_by_label("A new tag").fill("<b>to look at</b>")
    with map_page.expect_response(re.compile("/records$")) as tagged:
        map_page.get_by_role("button", name="Create and put on").click()
    assert tagged.value.json()["count"] == count
    dialog = map_page.get_by_role("dialog")
    expect(dialog).to_contain_text("<b>to look at</b>")

    # A name that was mistyped is mended where it stands, by keyboard, and its colour with it.
    change = dialog.get_by_role("button", name="Change the tag <b>to look at</b>")
    change.press("Enter")
    new_name = dialog.get_by_label("New name of “<b>to look at</b>”")
    expect(new_name).to_be_focused()
    map_page.keyboard.press("Escape")
    expect(change).to_be_focused()
    change.press("Enter")
    new_name.fill("<b>to look through</b>")
    map_page.keyboard.press("Tab")
    expect(dialog.get_by_role("radio", name="Blue")).to_be_focused()
    map_page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("radio", name="Red")).to_be_checked()
    map_page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Change the tag <b>to look through</b>")).to_be_focused()
    map_page.get_by_role("button", name="Close", exact=True).click()

    map_page.get_by_label("Colour by").select_option("Tags")
    row = map_page.locator(".legend-row").first
    expect(row).to_contain_text("<b>to look through</b>")
    expect(row).to_contain_text(str(count))
    expect(row.locator(".swatch")).to_have_css("background-color", "rgb(209, 73, 91)")
    map_page.get_by_role("button", name="Clear the selection").click()
    row.hover()
    map_page.get_by_role("button", name="Select <b>to look through</b>").click()
    expect_selected(map_page, count)

    tag = re.search(r"/tags/([^/]+)/records", tagged.value.url)
    assert tag is not None
    token = map_page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
    address = f"/api/datasets/{squares.id}/tags/{tag[1]}"
    assert map_page.request.delete(address, headers={"X-CSRFToken": token, "Referer": map_page.url}).ok
