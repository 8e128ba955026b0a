"""The hits of a search: their strip, their cut, their points on the map."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.searching import box, expect_count, hits, page, search
from tests.browser.squares import ALL, EACH, Squares
from tests.browser.test_explorer import expect_selected
from tests.browser.test_explorer_access import center_of
from tests.browser.waiting import box_of, steady, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["page"]


def test_arrows_walk_through_the_hits_and_escape_goes_back_step_by_step(page: Page, squares: Squares) -> None:
    search(page, squares, "a green square")
    hits(page).first.focus()
    page.keyboard.press("ArrowRight")
    expect(hits(page).nth(1)).to_be_focused()
    # All of them are one stop for Tab: the one that was reached.
    page.keyboard.press("Tab")
    expect(page.locator(".map-strip :focus")).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(hits(page).nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(hits(page).nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowRight")
    expect(hits(page).nth(2)).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Record")).to_have_count(0)
    expect(hits(page).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(hits(page)).to_have_count(0)


def test_the_strip_follows_what_is_open(page: Page, squares: Squares) -> None:
    search(page, squares, "a green square")
    hits(page).first.click()
    for place in range(1, 16):
        page.keyboard.press("ArrowRight")
        expect(hits(page).nth(place)).to_have_attribute("aria-current", "true")

    expect(hits(page).nth(15)).to_be_in_viewport()


def test_more_hits_come_as_somebody_scrolls_or_walks_to_the_last(page: Page, squares: Squares) -> None:
    search(page, squares, "a green square")
    listed = page.locator(".map-strip .strip button:not(.strip-more)")
    expect(listed).to_have_count(40)
    page.locator(".map-strip .strip").hover()

    def scroll() -> bool:
        page.mouse.wheel(4000, 0)
        return listed.count() == ALL

    wait_until(page, scroll, listed.count)

    page.reload()
    expect(listed).to_have_count(40)
    hits(page).first.focus()
    for place in range(1, ALL):
        page.keyboard.press("ArrowRight")
        expect(listed.nth(place)).to_be_focused()


def test_hits_stay_where_the_next_cannot_be_had(page: Page, squares: Squares) -> None:
    search(page, squares, "a green square")
    listed = page.locator(".map-strip .strip button:not(.strip-more)")
    expect(listed).to_have_count(40)
    page.route(re.compile("/records\\?"), lambda route: route.abort())
    more = page.get_by_role("button", name="More", exact=True)
    more.click()
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    expect(listed).to_have_count(40)

    page.unroute(re.compile("/records\\?"))
    more.click()
    expect(listed).to_have_count(80)


def test_a_hit_and_its_point_show_each_other_and_its_card_finds_its_like(
    page: Page, squares: Squares
) -> None:
    search(page, squares, "a yellow square")
    ring = page.locator(".map-ring-hover")
    hits(page).nth(2).hover()
    x, y = steady(page, lambda: center_of(ring))
    box(page).hover()
    expect(ring).to_have_attribute("hidden", "")

    left, top, _, _ = box_of(page.locator(".map-stage"))
    page.mouse.move(left + x, top + y, steps=3)
    pointed = page.locator('.map-strip [data-pointed="true"]')
    expect(pointed).to_have_count(1)
    expect(pointed).to_have_attribute("title", "a yellow square")
    page.locator(".map-card").get_by_role("button", name="Find similar").click()
    expect(page.get_by_role("group", name="Wanted: a yellow square")).to_be_visible()


def test_the_cut_moves_by_key_and_back_by_itself(page: Page, squares: Squares) -> None:
    answer = search(page, squares, "a green square")
    page.get_by_label("How to search").click()
    with page.expect_response(re.compile("/search$")):
        page.get_by_role("button", name="Meaning", exact=True).click()
    page.keyboard.press("Escape")
    cut = page.get_by_role("slider", name="Cut")
    automatic = steady(
        page, page.get_by_role("status").filter(has_text=re.compile(r"^\d+ hits?$")).inner_text
    )
    cut.press("Home")

    expect_count(page, ALL)
    assert answer["searched"] == ALL
    expect(page).to_have_url(re.compile("cut="))
    address = page.url
    page.get_by_role("button", name="Automatic").click()
    expect(page.get_by_role("status").filter(has_text=re.compile(f"^{automatic}$"))).to_be_visible()
    page.goto("about:blank")
    page.goto(address)
    expect_count(page, ALL)


def test_what_was_found_is_selected_and_exported(page: Page, squares: Squares) -> None:
    search(page, squares, "a green square", "mode=words")
    page.get_by_role("button", name="Select", exact=True).click()

    expect_selected(page, EACH)
    bar = page.get_by_role("region", name="Selection", exact=True)
    expect(bar.get_by_role("button", name="Tag…")).to_be_visible()
    bar.get_by_text("Export").click()
    with page.expect_download() as saved:
        bar.get_by_role("button", name=re.compile("^JSON Lines")).click()
    rows = {json.loads(line)["row"] for line in saved.value.path().read_text().splitlines()}
    assert rows == set(range(2 * EACH, 3 * EACH))


def test_the_glow_is_a_byte_for_each_point(page: Page, squares: Squares) -> None:
    search(page, squares, "a green square")
    page.get_by_label("How to search").click()
    with page.expect_response(re.compile("/glow$")) as answered:
        page.get_by_label(re.compile("Glow: ")).check()

    glow = answered.value.body()
    assert len(glow) == ALL
    assert max(glow) == 255
    expect(page).to_have_url(re.compile("glow=1"))


def test_the_scores_of_hits_beyond_the_cut_are_as_easy_to_read(page: Page, squares: Squares) -> None:
    page.goto(f"{squares.map}#q=a%20blue%20square&cut=99")
    first = hits(page).first
    expect(page.locator(".strip-beyond").first).to_be_visible()

    paled = """element => {
      let opacity = 1;
      for (let each = element; each; each = each.parentElement) opacity *= getComputedStyle(each).opacity;
      return opacity < 1;
    }"""
    assert first.locator("img").evaluate(paled)
    assert not first.locator(".strip-score").evaluate(paled)
