"""Selecting, filtering and listing on the map, as the server counts it."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import EACH, coloured_zip, sign_up, upload

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ALL = 4 * EACH


def open_new_map(page: Page, email: str, tmp_path: Path) -> None:
    archive = tmp_path / "squares.zip"
    archive.write_bytes(coloured_zip())
    sign_up(page, email)
    upload(page, archive)
    page.get_by_role("button", name="Import").click(timeout=60_000)
    open_map = page.get_by_role("link", name="Open the map").first
    expect(open_map).to_be_visible(timeout=120_000)
    open_map.click()
    expect(page.get_by_label("Search by meaning")).to_be_visible(timeout=30_000)


def draw_box(page: Page) -> None:
    """Round the right part of the map, beside the panel."""
    page.get_by_label("Select with a box").click()
    page.mouse.move(600, 130)
    page.mouse.down()
    page.mouse.move(1200, 780, steps=5)
    page.mouse.up()


def test_a_region_selects_what_the_server_counts_and_survives_links_undo_and_other_maps(
    page: Page, tmp_path: Path
) -> None:
    open_new_map(page, "lena@example.org", tmp_path)
    with page.expect_response(re.compile("/select$")) as answered:
        draw_box(page)
    count = answered.value.json()["count"]
    assert 0 < count <= ALL
    chip = page.get_by_role("status").filter(has_text="selected")
    expect(chip).to_contain_text(f"{count} selected")
    expect(page).to_have_url(re.compile("sel="))

    page.reload()
    expect(chip).to_contain_text(f"{count} selected", timeout=30_000)

    page.get_by_role("group", name="Map of").get_by_role("button", name="Captions").click()
    expect(page).to_have_url(re.compile("map=caption"), timeout=30_000)
    expect(chip).to_contain_text(f"{count} selected")

    page.get_by_role("button", name="Invert").click()
    if count < ALL:
        expect(chip).to_contain_text(f"{ALL - count} selected")
    page.get_by_role("button", name="Clear the selection").click()
    expect(chip).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(chip).to_be_visible()


def test_filters_hide_records_and_a_table_lists_tags_and_opens_the_rest(page: Page, tmp_path: Path) -> None:
    open_new_map(page, "mara@example.org", tmp_path)
    page.get_by_text("Filters", exact=True).click()
    words = page.get_by_label("Caption", exact=True)
    words.fill("RED")
    words.press("Enter")
    expect(page.get_by_role("status").filter(has_text="records").first).to_contain_text(f"{EACH} of {ALL}")

    # By keyboard alone: the table of what is left, its order, the first record of it.
    page.get_by_label("Table of records").press("Enter")
    table = page.get_by_role("region", name="Table of records")
    expect(table).to_contain_text(f"{EACH} records")
    page.get_by_role("button", name="year").press("Enter")
    page.get_by_role("button", name="year").press("Enter")
    expect(table.get_by_role("row").nth(1)).to_contain_text(str(1900 + EACH - 1))
    page.get_by_role("grid").press("Enter")
    expect(page.get_by_role("complementary", name=re.compile("^Record"))).to_contain_text("a red square")
    page.get_by_label("Close the table").click()

    page.get_by_role("button", name="Remove the filter").click()
    expect(page.get_by_role("list", name="Filters in force")).to_have_count(0)


def test_a_tag_is_put_on_what_is_selected(page: Page, tmp_path: Path) -> None:
    open_new_map(page, "nina@example.org", tmp_path)
    with page.expect_response(re.compile("/select$")) as answered:
        draw_box(page)
    count = answered.value.json()["count"]
    page.get_by_role("button", name="Tag…").click()
    page.get_by_label("A new tag").fill("<b>to look at</b>")
    with page.expect_response(re.compile("/records$")) as tagged:
        page.get_by_role("button", name="Create and put on").click()
    assert json.loads(tagged.value.text())["count"] == count
    expect(page.get_by_role("dialog")).to_contain_text("<b>to look at</b>")
