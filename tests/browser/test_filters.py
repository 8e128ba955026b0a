"""Legend and filters of the explorer: what they count is what the records say."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.squares import ALL, EACH
from tests.browser.test_explorer import chip, expect_selected, map_page
from tests.browser.waiting import box_of, steady, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["map_page"]


def open_filters(page: Page) -> None:
    page.get_by_text("Filters", exact=True).click()


def test_the_legend_hides_solos_selects_and_filters(map_page: Page) -> None:
    first, second = (map_page.locator(".legend-row").nth(place) for place in range(2))
    rows = steady(map_page, map_page.locator(".legend-row").all_inner_texts)
    assert len(rows) >= 2
    names = [row.locator(".legend-name").inner_text() for row in (first, second)]
    counts = [int(row.locator(".legend-count").inner_text()) for row in (first, second)]
    first.click()
    expect(first).to_have_attribute("aria-pressed", "false")
    first.dblclick()
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(second).to_have_attribute("aria-pressed", "false")

    actions = map_page.locator(".legend-actions")
    actions.get_by_role("button", name="Select").click()
    expect(chip(map_page)).to_contain_text(f"{counts[0]} selected")
    # With Shift by the row's own button: the next topic besides.
    second.hover()
    map_page.get_by_role("button", name=f"Select {names[1]}").click(modifiers=["Shift"])
    expect(chip(map_page)).to_contain_text(f"{sum(counts)} selected")
    map_page.get_by_role("button", name="Clear the selection").click()

    actions.get_by_role("button", name="Only these").click()
    expect(map_page.get_by_text(f"{counts[0]} of {ALL} records")).to_be_visible()
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(second).to_have_attribute("aria-pressed", "true")


def test_numbers_are_brushed_on_their_histogram_and_laid_out_by_their_logarithm(map_page: Page) -> None:
    map_page.get_by_label("Colour by").select_option("year")
    expect(map_page.locator(".map-side svg.histogram rect").nth(1)).to_be_attached()
    expect(map_page.get_by_role("button", name="Show all")).to_have_count(0)
    left, top, width, height = box_of(map_page.locator(".map-side svg.histogram"))
    middle = top + height / 2
    map_page.mouse.move(left + width / 4, middle)
    map_page.mouse.down()
    map_page.mouse.move(left + width / 2, middle, steps=4)
    map_page.mouse.up()
    # Of 1900 to 2019, as near as a pixel can tell.
    near = pytest.approx([1930, 1960], abs=1)
    wait_until(map_page, lambda: range_ends(map_page) == near, lambda: range_ends(map_page))
    ends = range_ends(map_page)
    map_page.locator(".legend-actions").get_by_role("button", name="Select").click()
    expect_selected(map_page, ends[1] - ends[0] + 1)

    map_page.get_by_role("button", name="Log", exact=True).click()
    expect(map_page).to_have_url(re.compile("ramp=log"))
    wait_until(map_page, lambda: range_ends(map_page) == ends, lambda: range_ends(map_page))
    # A press on the histogram ends the brush.
    expect(map_page.get_by_role("button", name="Show all")).to_be_visible()
    map_page.mouse.click(left + 10, middle)
    expect(map_page.get_by_role("button", name="Show all")).to_have_count(0)


def range_ends(page: Page) -> list[int]:
    return [int(text) for text in page.locator(".map-side .range-ends span").all_inner_texts()]


def test_filters_hold_together_or_one_by_one_and_can_be_turned_round(map_page: Page) -> None:
    open_filters(map_page)
    words = map_page.get_by_label("Caption", exact=True)
    words.fill("RED")
    words.press("Enter")
    expect(map_page.get_by_text(f"{EACH} of {ALL} records")).to_be_visible()
    map_page.locator(".filter-column summary").filter(has_text="year").click()
    smallest = map_page.get_by_label("Filter year, smallest value")
    smallest.fill(str(1900 + EACH - 10))
    smallest.press("Enter")
    expect(map_page.get_by_text(f"10 of {ALL} records")).to_be_visible()

    force = map_page.get_by_role("list", name="Filters in force")
    force.get_by_role("button", name="Any").click()
    expect(map_page.get_by_text(f"{ALL} of {ALL} records")).to_be_visible()
    force.get_by_role("button", name="All", exact=True).click()
    force.get_by_role("button", name=re.compile("^caption contains")).click()
    expect(map_page.get_by_text(f"{ALL - EACH} of {ALL} records")).to_be_visible()

    map_page.reload()
    expect(map_page.get_by_text(f"{ALL - EACH} of {ALL} records")).to_be_visible()
    force.get_by_role("button", name=re.compile("^Select all")).click()
    expect_selected(map_page, ALL - EACH)
    force.get_by_role("button", name="Clear all").click()
    expect(force).to_have_count(0)


def test_a_table_lists_what_is_left_and_opens_it_by_keyboard(map_page: Page) -> None:
    open_filters(map_page)
    words = map_page.get_by_label("Caption", exact=True)
    words.fill("RED")
    words.press("Enter")
    map_page.get_by_label("Table of records", exact=True).first.press("Enter")
    table = map_page.get_by_role("region", name="Table of records")
    expect(table).to_contain_text(f"{EACH} records")
    table.get_by_role("button", name="year").press("Enter")
    table.get_by_role("button", name="year").press("Enter")
    expect(table.get_by_role("row").nth(1)).to_contain_text(str(1900 + EACH - 1))
    map_page.get_by_role("grid").press("Enter")
    record = map_page.get_by_role("complementary", name=re.compile("^Record"))
    expect(record).to_contain_text("a red square")
    expect(record).to_have_accessible_name(f"Record {EACH - 1}")

    # The next one is the next in the table, and without it the next that the filter leaves.
    map_page.keyboard.press("ArrowRight")
    expect(record).to_have_accessible_name(f"Record {EACH - 2}")
    expect(table.get_by_role("row").nth(2)).to_have_attribute("aria-selected", "true")
    map_page.get_by_label("Close the table").click()
    record.get_by_role("button", name="Next record").click()
    expect(record).to_have_accessible_name(f"Record {EACH - 1}")
    expect(record.get_by_role("button", name="Next record")).to_be_disabled()
    map_page.get_by_role("button", name="Remove the filter").click()
    expect(map_page.get_by_role("list", name="Filters in force")).to_have_count(0)
