"""A map shared by two people at once, each in a browser of their own, and shown on another site."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, FrameLocator, Page, expect

from tests.browser.test_journey import coloured_zip, sign_up, upload
from tests.browser.waiting import submit, wait_until
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "open sesame"


def make_map(page: Page, email: str, tmp_path: Path) -> None:
    archive = tmp_path / "squares.zip"
    archive.write_bytes(coloured_zip())
    sign_up(page, email)
    upload(page, archive)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("link", name="Open the map").first).to_be_visible()
    page.reload()


def make_link(page: Page, password: str = "") -> str:
    """From the sharing page; returns its address."""
    page.get_by_role("button", name="New link").click()
    page.get_by_label("For whom").fill("The jury")
    page.get_by_label("Password").fill(password)
    submit(page.get_by_role("button", name="Make the link"))
    return page.get_by_label("Address of The jury").input_value()


def search(page: Page | FrameLocator, words: str) -> None:
    box = page.get_by_label("Search by meaning")
    expect(box).to_be_visible()
    box.fill(words)
    box.press("Enter")


@pytest.fixture
def visitor(browser: Browser, stack: Stack) -> Iterator[Page]:
    """In a browser of somebody who is not signed in."""
    context = browser.new_context(base_url=stack.url, viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def test_a_visitor_sees_and_searches_until_the_owner_revokes_the_link(
    page: Page, visitor: Page, tmp_path: Path
) -> None:
    make_map(page, "kim@example.org", tmp_path)
    page.get_by_role("link", name="Share").click()
    address = make_link(page, PASSWORD)

    visitor.goto(address)
    visitor.get_by_label("Password").fill("open says me")
    visitor.get_by_role("button", name="Open the map").click()
    expect(visitor.get_by_text("This is not the password.")).to_be_visible()
    visitor.get_by_label("Password").fill(PASSWORD)
    with visitor.expect_request(re.compile(r"\.atm$")) as tile:
        visitor.get_by_role("button", name="Open the map").click()
    expect(visitor.locator("canvas").first).to_be_visible()
    search(visitor, "a blue square")
    expect(visitor.get_by_text(re.compile(r"^\d+ hits?$")).first).to_be_visible()

    page.reload()
    expect(page.get_by_text("Opened 1 time")).to_be_visible()
    questions: list[str] = []

    def refuse(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", refuse)
    page.get_by_role("button", name="Revoke The jury").click()
    assert questions == [
        "Revoke “The jury” for good? It was opened 1 time. "
        "It opens nothing then, and a new link has another address."
    ]
    assert visitor.request.get(tile.value.url).ok
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke The jury").click()
    expect(page.get_by_text("1 ended link")).to_be_visible()

    assert visitor.request.get(tile.value.url).status == 404
    with visitor.expect_response(re.compile("/search$")) as answer:
        search(visitor, "a green square")
    assert answer.value.status == 404
    again = visitor.reload()
    assert again is not None
    assert again.status == 404
    visitor.goto(address)
    expect(visitor.get_by_role("heading", name="This link opens nothing")).to_be_visible()


def test_a_link_begins_with_the_view_that_its_owner_saw(page: Page, visitor: Page, tmp_path: Path) -> None:
    make_map(page, "liv@example.org", tmp_path)
    page.get_by_role("link", name="Open the map").first.click()
    search(page, "a red square")
    expect(page).to_have_url(re.compile("red"))
    page.get_by_role("link", name="Share").click()
    page.get_by_label("For whom").fill("The jury")
    submit(page.get_by_role("button", name="Make the link"))

    visitor.goto(page.get_by_label("Address of The jury").input_value())

    expect(visitor.get_by_label("Search by meaning")).to_have_value("a red square")


def test_a_public_map_works_in_a_frame_of_a_named_site_only(
    page: Page, visitor: Page, stack: Stack, tmp_path: Path
) -> None:
    make_map(page, "mia@example.org", tmp_path)
    page.get_by_role("link", name="Share").click()
    page.get_by_label("Public").check()
    submit(page.get_by_role("button", name="Save").first)
    site = tmp_path / "site"
    site.mkdir()
    with served(site) as port:
        page.get_by_label("Sites that may show it").fill(f"localhost:{port}")
        submit(page.get_by_role("button", name="Save the sites"))
        (site / "index.html").write_text(page.get_by_label("Paste this into the page").input_value())

        visitor.goto(f"http://localhost:{port}/")
        frame = visitor.frame_locator("iframe")
        expect(frame.locator("canvas").first).to_be_visible()
        more = frame.get_by_text("Open in Atlas")
        expect(more).to_have_attribute("href", re.compile("^/data/mia/[^/]+/map$"))
        search(frame, "a blue square")
        expect(frame.get_by_text(re.compile(r"^\d+ hits?$")).first).to_be_visible()
        with visitor.expect_download() as saved:
            frame.get_by_role("button", name="Save as picture").click()
        assert saved.value.suggested_filename.endswith(".png")

        refusals: list[str] = []
        visitor.on("console", lambda message: refusals.append(message.text))
        visitor.goto(f"http://127.0.0.1:{port}/")
        wait_until(visitor, lambda: any("frame-ancestors" in refusal for refusal in refusals))
        expect(visitor.frame_locator("iframe").locator("canvas")).to_have_count(0)


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """The files of a folder as another site than ours; gives the port."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
