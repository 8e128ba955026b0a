"""Two maps of the same records: beside each other, and one turning into the other."""

import json
import re
from math import dist

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.squares import Squares
from tests.browser.test_explorer import answer, chip, draw, draw_box, expect_selected, map_page
from tests.browser.test_explorer_access import center_of, drawer, expect_zoom, go, zoom_of
from tests.browser.waiting import box_of, steady, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["map_page"]

FIRST, SECOND = ".map-stage:not(.map-stage-beside)", ".map-stage-beside"
#: Pixels between records that lie on each other.
NEAR = 4


@pytest.fixture
def page(map_page: Page) -> Page:
    """Both maps are open; no card covers one, no name of a topic lies on a point."""
    map_page.get_by_role("button", name="Topic names").click()
    map_page.get_by_role("button", name="Side by side").click()
    expect(map_page.get_by_role("region", name="Second map")).to_be_visible()
    box_of(map_page.locator(f"{SECOND} .map-canvas"))
    return map_page


def ring(page: Page, stage: str, which: str = ".map-ring-focus") -> Locator:
    return page.locator(f"{stage} {which}")


def place_of_open(page: Page, stage: str) -> tuple[float, float]:
    """Where the open record is on the window on that map, once both maps have made room for the drawer."""
    left, top, _, _ = box_of(page.locator(f"{stage} .map-canvas"))
    x, y = place_of_ring(page, stage)
    return left + x, top + y


def place_of_ring(page: Page, stage: str) -> tuple[float, float]:
    return steady(page, lambda: center_of(ring(page, stage)))


def open_row(page: Page, row: int) -> None:
    go(page, f"record={row}&beside=caption")
    drawer(page, row)
    center_of(ring(page, SECOND))


@pytest.mark.parametrize(("pointed", "other"), [(FIRST, SECOND), (SECOND, FIRST)])
def test_a_point_under_the_pointer_is_ringed_on_both_maps(page: Page, pointed: str, other: str) -> None:
    open_row(page, 33)
    page.mouse.move(*place_of_open(page, pointed), steps=3)
    expect(page.locator(".map-card")).to_be_visible()
    marks = [ring(page, stage, ".map-ring-hover") for stage in (pointed, other)]
    for mark in marks:
        expect(mark).to_be_visible()
    # Another record may lie on the one that is open.
    wait_until(page, lambda: dist(center_of(marks[1]), center_of(ring(page, other))) < NEAR)
    page.get_by_label("Search by meaning").hover()
    for mark in marks:
        expect(mark).to_be_hidden()


def test_cameras_move_together_as_long_as_they_are_linked(page: Page) -> None:
    open_row(page, 40)
    page.get_by_label("Move together").check()
    before = steady(page, lambda: zoom_of(page))
    over(page, SECOND)
    page.mouse.wheel(0, -400)
    expect_zoom(page, lambda zoom: zoom > 1.5 * before)
    after = zoom_of(page)

    page.get_by_label("Move together").uncheck()
    together = place_of_ring(page, SECOND)
    over(page, SECOND)
    page.mouse.wheel(0, -400)
    wait_until(page, lambda: center_of(ring(page, SECOND)) != together)
    where = place_of_ring(page, SECOND)
    assert zoom_of(page) == pytest.approx(after)
    over(page, FIRST)
    page.mouse.wheel(0, 300)
    expect_zoom(page, lambda zoom: zoom < after)
    assert place_of_ring(page, SECOND) == where


def over(page: Page, stage: str) -> None:
    left, top, width, height = box_of(page.locator(f"{stage} .map-canvas"))
    # Beside the panels at the left and what lies above the map.
    page.mouse.move(left + width - 80, top + 0.4 * height)


def test_what_is_selected_on_one_map_is_selected_on_both(page: Page) -> None:
    start, _, width, _ = box_of(page.locator(f"{SECOND} .map-canvas"))
    left, right = round(start) + 10, round(start + width / 2)
    with page.expect_response(lambda response: response.url.endswith("/select")) as first:
        asked = draw(page, [(left, 200), (right, 200), (right, 740), (left, 740)], ("Shift",))
    filter_ = json.loads(asked.post_data or "")["filter"]
    assert filter_["map"] != map_of(first.value.url)  # drawn on the second map, asked of the first
    count = answer(asked)["count"]
    assert 0 < count < 125
    expect_selected(page, count)
    # The same records on the second map, which shows their bits.
    request = {"filter": filter_}
    token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
    headers = {"X-CSRFToken": token, "Referer": page.url}
    said = page.request.post(f"/api/maps/{filter_['map']}/select", data=request, headers=headers).json()
    assert said["count"] == count


def map_of(url: str) -> str:
    found = re.search(r"/maps/([^/]+)/", url)
    assert found is not None
    return found[1]


def test_tags_colour_both_maps(page: Page) -> None:
    asked: set[str] = set()
    page.on("request", lambda each: asked.add(map_of(each.url)) if "/tags.bin" in each.url else None)
    page.get_by_label("Colour by").select_option("Tags")
    wait_until(page, lambda: len(asked) == 2, lambda: asked)


def test_another_map_keeps_the_selection_the_open_record_and_what_is_in_focus(
    map_page: Page, squares: Squares
) -> None:
    count = answer(draw_box(map_page))["count"]
    expect(map_page).to_have_url(re.compile("sel="))
    go(map_page, map_page.url.partition("#")[2] + "&record=33")
    drawer(map_page, 33)
    map_page.get_by_role("button", name="Show on the map").click()
    expect(map_page).to_have_url(re.compile(r"at=[\d.,e-]+,12&"))
    zoom = zoom_of(map_page)
    ring_before = place_of_ring(map_page, FIRST)
    spaces = map_page.get_by_role("group", name="Map of")
    for space in ("Captions", "Both", "Images"):
        spaces.get_by_role("button", name=space, exact=True).click()
        expect(map_page).to_have_url(re.compile("map="))
        pressed = spaces.get_by_role("button", name=space, exact=True)
        expect(pressed).to_have_attribute("aria-pressed", "true")
        drawer(map_page, 33)
        expect(chip(map_page)).to_contain_text(f"{count} selected")
        assert zoom_of(map_page) == pytest.approx(zoom, rel=0.01)
        assert place_of_ring(map_page, FIRST) == pytest.approx(ring_before, abs=3), space
