"""Imports under way: what was understood is corrected, and of two that wait each goes its own way."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import sign_up, upload
from tests.datasets.material import fruit_zip

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_each_import_is_reviewed_and_cancelled_by_itself(page: Page, tmp_path: Path) -> None:
    archive = tmp_path / "fruit.zip"
    archive.write_bytes(fruit_zip())
    sign_up(page, "waiting-imports@example.org")
    page.goto("/teams/new")
    page.get_by_label("Name").fill("Second")
    page.get_by_role("button", name="Make the team").click()
    expect(page).to_have_url(re.compile("second"))

    # The team may be changed when the files are picked already.
    page.goto("/new")
    page.get_by_label("Files", exact=True).set_input_files(archive)
    page.get_by_role("button", name="Remove fruit.zip").press("Enter")
    expect(page.get_by_role("button", name="Choose a folder")).to_be_focused()
    page.get_by_label("Files", exact=True).set_input_files(archive)
    page.locator(".choose-team").get_by_role("link", name="Second").click()
    expect(page.get_by_role("button", name="Continue")).to_be_enabled()
    with page.expect_event("dialog") as asked:  # what was sent is in no dataset yet
        page.evaluate("void setTimeout(() => location.assign('/'))")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/data/second/fruit")
    expect(page.get_by_role("heading", name="What was understood")).to_be_visible()

    page.goto("/data/second/fruit/add")
    page.get_by_label("Files", exact=True).set_input_files(archive)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/data/second/fruit")
    page.get_by_role("link", name=re.compile("^(Review|Report)$")).first.click()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".report-summary .chip")).to_have_text("Imported")

    page.goto("/data/second/fruit")
    page.get_by_role("link", name="Review").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_wrong_choice_is_corrected_and_a_cancelled_append_leaves_the_map_ready(
    page: Page, tmp_path: Path
) -> None:
    table = tmp_path / "squares.jsonl"
    lines = [
        {"caption": f"a square with {at} dots", "dot_vec": list(range(at, at + 8))} for at in range(1, 9)
    ]
    table.write_text("\n".join(map(json.dumps, lines)))
    sign_up(page, "no-vectors@example.org")
    upload(page, table)
    expect(page.get_by_text("dot_vec, 8 dimensions")).to_be_visible()
    caption = page.locator(".facts div").filter(has=page.get_by_text("Caption", exact=True)).locator("dd")
    expect(caption).to_have_text("caption")
    page.get_by_text("Correct the columns").click()
    vectors = page.get_by_label("Vectors", exact=True)
    expect(vectors).to_have_value("dot_vec")
    vectors.select_option("No vectors")
    expect(page.get_by_text("8 dimensions")).to_have_count(0)
    page.get_by_label("Caption").select_option("No caption")
    expect(caption).to_have_text("none")
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("button", name="Correct the columns").click()
    page.locator("summary", has_text="Correct the columns").click()
    expect(vectors).to_have_value("")
    page.get_by_label("Caption").select_option("caption")
    page.get_by_role("button", name="Import", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Making the map")).to_be_focused()
    expect(page.locator(".page-head").get_by_role("link", name="Open the map")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="The map is ready.")).to_have_count(1)
    page.reload()
    expect(page.get_by_role("main")).not_to_contain_text("the vectors it came with")

    page.goto("/data/no-vectors/squares/add")
    page.get_by_label("Files", exact=True).set_input_files(table)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Build the maps anew")).to_be_visible()
    expect(page.get_by_role("region", name="Progress")).to_have_count(0)
