"""From nothing to a search on a map, as a new person does it: on the running system, in a real browser."""

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.waiting import expect_no_wider
from tests.datasets.material import picture, zip_of
from tests.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COLOURS = ("red", "blue", "green", "yellow")
EACH = 12


def coloured_zip() -> bytes:
    """Pictures in four colours with a table of captions, one line of which names no picture."""
    files: dict[str, str | bytes] = {}
    table = io.StringIO()
    lines = csv.writer(table)
    lines.writerow(["file_name", "caption", "year"])
    for colour in COLOURS:
        for number in range(EACH):
            name = f"{colour}-{number}.png"
            files[name] = picture(colour, 40 + number, 40)
            lines.writerow([name, f"a {colour} square", 1900 + number])
    lines.writerow(["lost.png", "a lost square", 1999])
    return zip_of({**files, "captions.csv": table.getvalue()})


def sign_up(page: Page, email: str) -> None:
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("link", name="New dataset").first).to_be_visible()


def upload(page: Page, file: Path) -> None:
    page.goto("/new")
    page.get_by_label("Files", exact=True).set_input_files(file)
    page.get_by_label("Name of the dataset").fill("Squares")
    page.get_by_role("button", name="Continue").click()


def test_a_new_person_uploads_reviews_watches_and_searches(page: Page, tmp_path: Path) -> None:
    archive = tmp_path / "squares.zip"
    archive.write_bytes(coloured_zip())
    sign_up(page, "frida@example.org")

    upload(page, archive)

    # What was understood is shown before anything is imported.
    expect(page.get_by_role("region", name="First records")).to_contain_text("a red square")
    expect(page.get_by_label("Kind of year")).to_have_value("number")
    page.get_by_role("button", name="Import").click()

    open_map = page.get_by_role("link", name="Open the map").first
    expect(open_map).to_be_visible()
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("48")
    open_map.click()

    # The map answers to words, and the address of the view can be sent to somebody.
    expect(page.locator("canvas").first).to_be_visible()
    expect(page.get_by_label("Search by meaning")).to_be_visible()  # the panels come after the points
    page.keyboard.press("/")
    page.keyboard.type("a blue square")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^\d+ hits?$")).first).to_be_visible()
    expect(page).to_have_url(re.compile("blue"))


def test_the_report_names_what_was_left_out_and_the_maps_are_built_anew(page: Page, tmp_path: Path) -> None:
    archive = tmp_path / "squares.zip"
    archive.write_bytes(coloured_zip())
    sign_up(page, "georgia@example.org")
    upload(page, archive)
    page.get_by_role("button", name="Import").click()

    report = page.get_by_role("link", name="Report").first
    expect(page.get_by_role("link", name="Open the map").first).to_be_visible()
    page.reload()
    page.set_viewport_size({"width": 360, "height": 800})
    expect_no_wider(page, 360)
    report.click()

    expect(page.get_by_role("main")).to_contain_text("lost.png")
    skipped = page.get_by_role("region", name="Skipped items")
    assert skipped.evaluate("table => table.scrollWidth <= table.clientWidth"), "reasons run off the phone"

    page.go_back()
    page.get_by_text("Build the maps anew").click()
    with page.expect_response(lambda response: response.url.endswith("/build")) as answer:
        page.get_by_role("button", name="Build anew").click()
    assert answer.value.json()["build"]["build"]["append"] is False


def test_another_persons_dataset_does_not_exist(page: Page) -> None:
    sign_up(page, "henry@example.org")

    answer = page.request.get("/data/georgia/squares")

    assert answer.status == 404


#: Without a dataset; `test_axe.py` measures those of one. {} is the team.
WIDE_AND_NARROW = (
    "/", "/new", "/search", "/data/{}", "/teams/new", "/teams/{}/members",
    "/teams/{}/keys", "/teams/{}/log", "/account", "/account/activity", "/accounts/email/",
    "/accounts/password/change/", "/accounts/2fa/", "/accounts/2fa/webauthn/", "/accounts/sessions/",
    "/accounts/logout/",
)  # fmt: skip


@pytest.mark.parametrize("width", [1280, 360])
def test_no_page_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    sign_up(page, f"ida{width}@example.org")
    for path in WIDE_AND_NARROW:
        page.goto(path.format(f"ida{width}"))
        expect_no_wider(page, width)
