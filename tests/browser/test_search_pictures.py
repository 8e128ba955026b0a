"""Searching with pictures: chosen, pasted, dropped, kept for links, refused."""

import re

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from tests.browser.searching import ask, box, captions, expect_captions, hits, page, search, suggestions
from tests.browser.squares import Squares
from tests.browser.waiting import steady, wait_until
from tests.browser.windows import window
from tests.datasets.material import picture
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["page"]


def test_a_picture_alone_and_with_words_and_its_link_opens_in_another_browser(
    page: Page, browser: Browser, stack: Stack, squares: Squares
) -> None:
    page.goto(squares.map)
    expect(box(page)).to_be_visible()
    page.locator("input[type=file]").set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": picture("blue", 200, 200)}
    )
    expect_captions(page, {"a blue square"})
    expect(page.get_by_role("group", name="Wanted: Picture")).to_be_visible()
    expect(page).to_have_url(re.compile("p=picture:[0-9a-f]{32}"))

    with page.expect_response(re.compile("/search$")) as answered:
        box(page).fill("green")
        page.keyboard.press("Enter")
    assert len(answered.value.json()["hits"][0]["parts"]) == 2
    expect_captions(page, {"a green square", "a blue square"}, most=40)

    expect(page).to_have_url(re.compile("green"))
    address = page.url
    with window(browser, stack) as elsewhere:
        elsewhere.goto(squares.link)
        elsewhere.goto(address)
        picture_of = elsewhere.get_by_role("group", name="Wanted: Picture").get_by_role("img")
        expect(picture_of).to_have_js_property("naturalWidth", 200)
        wait_until(elsewhere, lambda: captions(elsewhere) == captions(page), lambda: captions(elsewhere))


def test_a_link_whose_picture_is_gone_says_so(page: Page, squares: Squares) -> None:
    page.goto(f"{squares.map}#q=a+red+square&p=picture:{'0' * 32}")

    expect(page.get_by_role("alert")).to_contain_text("not here any more")
    expect_captions(page, {"a red square"})


#: Hands a file over as the browser does, by an event of this kind at the first element that matches.
HAND_OVER = """([kind, target, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "mine.png", { type: "image/png" }));
  const how = { bubbles: true, cancelable: true };
  document.querySelector(target).dispatchEvent(kind === "paste"
    ? new ClipboardEvent(kind, { ...how, clipboardData: data })
    : new DragEvent(kind, { ...how, dataTransfer: data }));
}"""


@pytest.mark.parametrize(
    ("kind", "target", "colour"),
    [
        ("paste", "body", "red"),
        ("paste", ".query-box input", "blue"),
        ("drop", ".map-stage canvas", "green"),
        ("drop", ".query-box input", "yellow"),
    ],
)
def test_a_picture_is_pasted_and_dropped_on_the_map_and_on_the_box(
    page: Page, squares: Squares, kind: str, target: str, colour: str
) -> None:
    page.goto(squares.map)
    expect(box(page)).to_be_visible()
    page.evaluate(HAND_OVER, [kind, target, list(picture(colour, 64, 64))])

    expect_captions(page, {f"a {colour} square"})
    expect(page.get_by_role("group", name="Wanted: Picture")).to_be_visible()


def test_of_several_pictures_each_is_searched_with_and_what_is_none_is_said(
    page: Page, squares: Squares
) -> None:
    page.goto(squares.map)
    expect(box(page)).to_be_visible()
    files: list[FilePayload] = [
        {"name": "mine.png", "mimeType": "image/png", "buffer": content}
        for content in (picture("blue", 64, 64), b"no picture", picture("green", 64, 64))
    ]
    page.locator("input[type=file]").set_input_files(files)

    expect(page.get_by_role("group", name="Wanted: Picture")).to_have_count(2)
    expect(page.get_by_role("alert")).to_contain_text("no picture that the browser can read")
    expect(hits(page).first).to_be_visible()


def test_a_picture_that_is_dragged_out_of_a_page_is_searched_with(page: Page, squares: Squares) -> None:
    search(page, squares, "a blue square")
    # As Chromium hands over a picture of a page: its address and its HTML, no file.
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          const { src } = document.querySelector(".map-strip .strip img");
          data.setData("text/uri-list", src);
          data.setData("text/html", `<img src="${src}">`);
          const how = { bubbles: true, cancelable: true, dataTransfer: data };
          document.querySelector(".query-box input").dispatchEvent(new DragEvent("drop", how));
        }"""
    )

    expect(page.get_by_role("group", name="Wanted: Picture")).to_be_visible()
    expect(page).to_have_url(re.compile("q=a\\+blue\\+square.*p=picture:"))
    expect(page.get_by_role("alert")).to_have_count(0)


def test_what_is_typed_while_a_picture_is_being_kept_stays_in_the_box(page: Page, squares: Squares) -> None:
    kept: list[Route] = []
    page.route(re.compile("/query-pictures$"), lambda route: kept.append(route))
    search(page, squares, "a green square")
    page.evaluate(HAND_OVER, ["paste", "body", list(picture("blue", 64, 64))])
    wait_until(page, lambda: len(kept) == 1)
    box(page).press_sequentially(" at night")
    kept[0].continue_()
    expect(page).to_have_url(re.compile("p=picture:[0-9a-f]{32}"))

    expect(box(page)).to_have_value("a green square at night")
    # A proposal takes the place of what was typed, and the words that were asked stay.
    box(page).fill("green")
    suggestions(page).filter(has_text=re.compile("^a green square Recent$")).click()
    expect(box(page)).to_have_value("a green square")


def test_back_takes_a_picture_away_that_is_still_being_kept(page: Page, squares: Squares) -> None:
    search(page, squares, "a green square")
    expect(page).to_have_url(re.compile("green"))
    ask(page, "a blue square")
    kept: list[Route] = []
    page.route(re.compile("/query-pictures$"), lambda route: kept.append(route))
    page.evaluate(HAND_OVER, ["paste", "body", list(picture("red", 64, 64))])
    wait_until(page, lambda: len(kept) == 1)
    wait_until(page, lambda: "a red square" in captions(page), lambda: captions(page))
    wanted = page.get_by_role("group", name="Wanted: Picture")
    steady(page, lambda: page.evaluate("history.length"))
    page.go_back()
    expect(wanted).to_have_count(0)
    expect_captions(page, {"a blue square"})
    with page.expect_response(re.compile("/query-pictures$")):
        kept[0].continue_()
    assert "picture" not in steady(page, lambda: page.url)
    expect(wanted).to_have_count(0)

    page.go_forward()
    expect(wanted).to_be_visible()
    wait_until(page, lambda: "a red square" in captions(page), lambda: captions(page))
    kept[1].continue_()
    expect(page).to_have_url(re.compile("blue.*p=picture:[0-9a-f]{32}"))
    page.go_back()
    expect_captions(page, {"a blue square"})
    page.go_back()
    expect_captions(page, {"a green square"})


def test_words_and_a_picture_that_are_asked_of_all_datasets_at_once_are_one_step_back(
    page: Page, squares: Squares
) -> None:
    page.goto("/search")
    wanted = page.get_by_role("group", name="Wanted: Picture")
    groups = page.get_by_role("region", name="Squares")
    box(page).fill("a green square")
    page.evaluate(HAND_OVER, ["paste", "body", list(picture("blue", 64, 64))])
    expect(page).to_have_url(re.compile("q=a\\+green\\+square.*p=picture:[0-9a-f]{32}"))
    page.go_back()
    expect(box(page)).to_have_value("")
    expect(groups).to_have_count(0)

    page.route(re.compile("/query-pictures$"), lambda _: None)
    page.evaluate(HAND_OVER, ["paste", "body", list(picture("red", 64, 64))])
    expect(groups.first).to_be_visible()
    page.go_back()
    expect(wanted).to_have_count(0)
    page.go_forward()
    expect(wanted).to_be_visible()


def test_what_is_no_picture_and_an_address_that_is_not_fetched_are_refused_in_words(
    page: Page, squares: Squares
) -> None:
    page.goto(squares.map)
    expect(box(page)).to_be_visible()
    page.locator("input[type=file]").set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    expect(page.get_by_role("alert")).to_contain_text("no picture that the browser can read")

    box(page).fill("https://example.org/apple.jpg")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("does not fetch pictures from addresses")
    expect(hits(page)).to_have_count(0)
