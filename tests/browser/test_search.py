"""The search box, on the running system with the small model."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.searching import (
    ask,
    box,
    captions,
    expect_captions,
    expect_count,
    hits,
    is_search,
    page,
    parts,
    search,
    suggestions,
)
from tests.browser.squares import ALL, EACH, HOSTILE, Squares
from tests.browser.waiting import RESTED, steady, wait_until
from tests.browser.windows import window
from tests.services.processes import child_with, descendants
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["page"]


def test_words_find_and_the_address_asks_the_same_again(page: Page, squares: Squares) -> None:
    answer = search(page, squares, "a green square")

    expect_captions(page, {"a green square"})
    expect_count(page, answer["relevant"])
    expect(page).to_have_url(re.compile("q=a\\+green\\+square"))

    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(box(page)).to_have_value("a green square")
    expect_count(page, answer["relevant"])


def test_back_and_the_list_of_recent_ones_ask_what_was_asked_before(page: Page, squares: Squares) -> None:
    search(page, squares, "a green square")
    expect(page).to_have_url(re.compile("green"))
    ask(page, "a blue square")
    expect(page).to_have_title("a blue square · Squares · Map · Atlas")
    page.go_back()

    expect(box(page)).to_have_value("a green square")
    expect(page).to_have_title("a green square · Squares · Map · Atlas")
    expect(hits(page).first).to_have_attribute("title", "a green square")
    page.get_by_role("button", name="Clear the search").click()
    expect(page).to_have_title("Squares · Map · Atlas")
    box(page).press("ArrowDown")
    expect(suggestions(page).first).to_have_attribute("aria-selected", "true")
    expect(suggestions(page).first).to_contain_text("a blue square")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value("a blue square")
    expect(hits(page).first).to_have_attribute("title", "a blue square")


def test_words_minus_words_leave_out_and_turn_round(page: Page, squares: Squares) -> None:
    answer = search(page, squares, 'a square -"a red square" -"a yellow square"')

    expect(box(page)).to_have_value("a square")
    chip = page.get_by_role("group", name="Not wanted: a red square")
    expect(chip).to_be_visible()
    assert len(answer["hits"][0]["parts"]) == 3
    assert not {"a red square", "a yellow square"} & set(steady(page, lambda: captions(page)))

    # The sign by click, the weight by key, both in the address; Delete takes it away.
    with page.expect_request(re.compile("/search$")) as asked:
        chip.get_by_role("button", name="Not wanted").click()
    assert parts(asked.value)[1] == {"text": "a red square", "weight": 1}
    wanted = page.get_by_role("group", name="Wanted: a red square", exact=False)
    with page.expect_request(re.compile("/search$")) as asked:
        page.keyboard.press("ArrowUp")
    assert parts(asked.value)[1]["weight"] == 1.25
    expect(page).to_have_url(re.compile(r"p=1\.25\*text:a\+red\+square"))
    wanted.locator("summary").click()
    with page.expect_request(re.compile("/search$")) as asked:
        wanted.get_by_role("slider").fill("2.5")
    assert parts(asked.value)[1]["weight"] == 2.5
    expect(wanted).to_contain_text("×2.5")
    asked_for: list[Any] = []
    page.on("request", lambda request: asked_for.append(parts(request)) if is_search(request) else None)
    for _ in range(3):
        wanted.get_by_role("slider").press("ArrowLeft")
    expect(wanted.get_by_role("status")).to_have_text("1.75")
    expect(page).to_have_url(re.compile(r"p=1\.75\*text:a\+red\+square"))
    assert [each[1]["weight"] for each in asked_for] == [1.75]
    page.keyboard.press("Escape")
    page.keyboard.press("Delete")
    expect(wanted).to_have_count(0)


def test_a_key_held_to_delete_the_words_leaves_the_chips(page: Page, squares: Squares) -> None:
    search(page, squares, 'a square -"a red square" -"a yellow square"')
    chips = page.get_by_role("group", name="Not wanted")
    box(page).focus()
    for _ in range(len("a square") + 3):
        page.keyboard.down("Backspace")
    page.keyboard.up("Backspace")
    expect(box(page)).to_have_value("")
    expect(chips).to_have_count(2)

    page.keyboard.press("Backspace")
    expect(chips).to_have_count(1)


#: One right after the other, however slow the machine is.
WHEEL = """(chip, moves) => moves.forEach(([deltaX, deltaY]) =>
  chip.dispatchEvent(new WheelEvent("wheel", {deltaX, deltaY, bubbles: true, cancelable: true})))"""


def test_the_wheel_weighs_a_chip_that_was_chosen_and_asks_once(page: Page, squares: Squares) -> None:
    search(page, squares, 'a square -"a red square"')
    chip = page.get_by_role("group", name="Not wanted: a red square")
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(parts(request)) if is_search(request) else None)

    def roll(*moves: tuple[int, int]) -> list[float]:
        """The weights that were asked with."""
        asked.clear()
        chip.evaluate(WHEEL, moves)
        page.evaluate(RESTED, 1000)
        return [each[1]["weight"] for each in asked]

    chip.hover()
    assert roll((0, -100)) == []
    chip.locator("summary").click()
    assert roll((100, 0)) == []
    with page.expect_request(is_search) as turned:
        page.mouse.wheel(0, -100)
    assert parts(turned.value)[1]["weight"] == -1.25
    assert roll((0, -100), (0, -100), (0, -100)) == [-2]
    assert roll(*[(0, -100)] * 8) == [-3]
    assert roll((0, -100)) == []


def test_a_record_is_searched_for_its_like_and_a_topic_too(page: Page, squares: Squares) -> None:
    search(page, squares, "a yellow square")
    hits(page).first.click()
    page.get_by_role("button", name="Find similar").click()
    expect(page.get_by_role("group", name="Wanted: a yellow square")).to_be_visible()
    expect(box(page)).to_have_value("")
    expect_captions(page, {"a yellow square"}, most=5)
    expect(page).to_have_url(re.compile(r"p=row:\d+&"))

    # A topic of the list is a part like any other.
    box(page).click()
    topics = suggestions(page).filter(has_text="Topic")
    name = steady(page, topics.first.locator("span").first.inner_text)
    topics.first.click()
    expect(page.get_by_role("group", name=f"Wanted: {name}")).to_be_visible()
    expect(page).to_have_url(re.compile("p=topic:"))


def test_a_saved_search_is_proposed_and_asked_again(page: Page, squares: Squares) -> None:
    first = '["year",{"column":"year","to":1909}]'
    last = '["maker",{"column":"maker","in":["<b>blue</b>"]}]'
    search(page, squares, "a blue square -red", f"filters=[{first},{last}]&any=1")
    page.get_by_role("button", name="Saved searches").click()
    page.get_by_label("Save this search as").fill("<b>Blue</b> things")
    page.get_by_label("Share with all").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("is saved").wait_for()

    page.goto("about:blank")
    page.goto(squares.map)
    expect(box(page)).to_be_visible()
    box(page).fill("blue")
    page.get_by_role("option", name="<b>Blue</b> things Saved").click()
    expect(box(page)).to_have_value("a blue square")
    expect(page.get_by_role("group", name="Not wanted: red")).to_be_visible()
    wait_until(page, lambda: "a blue square" in captions(page), lambda: captions(page))
    # Its filters too, and that one of them is enough.
    expect(page).to_have_url(re.compile("filters=.*&any=1"))

    page.get_by_role("button", name="Saved searches").click()
    pencil = page.get_by_role("button", name="Rename <b>Blue</b> things")
    name = page.get_by_label("New name of “<b>Blue</b> things”")
    pencil.press("Enter")
    expect(name).to_be_focused()
    name.press("Escape")
    expect(pencil).to_be_focused()
    pencil.press("Enter")
    name.fill("<i>Azure</i>")
    name.press("Enter")
    expect(page.get_by_role("button", name="Rename <i>Azure</i>")).to_be_focused()
    removal = page.get_by_role("button", name="Remove <i>Azure</i>")
    page.once("dialog", lambda dialog: dialog.dismiss())
    removal.click()
    expect(removal).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    removal.click()
    expect(page.get_by_text("None yet")).to_be_visible()


def test_a_search_that_others_shared_meanwhile_is_in_the_list(page: Page, squares: Squares) -> None:
    page.goto(squares.map)
    expect(box(page)).to_be_visible()
    other = page.context.new_page()
    search(other, squares, "a red square")
    other.get_by_role("button", name="Saved searches").click()
    other.get_by_label("Save this search as").fill("Late")
    other.get_by_role("button", name="Save", exact=True).click()
    other.get_by_text("is saved").wait_for()
    other.close()

    page.get_by_role("button", name="Saved searches").click()
    page.get_by_role("button", name="Late", exact=True).wait_for()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove Late").click()
    expect(page.get_by_role("button", name="Late", exact=True)).to_have_count(0)


def test_what_the_keys_choose_among_the_suggestions_is_seen_where_the_window_is_low(
    page: Page, squares: Squares
) -> None:
    page.set_viewport_size({"width": 1280, "height": 240})
    search(page, squares, "a red square")
    box(page).fill("")
    box(page).press("ArrowUp")

    expect(suggestions(page).last).to_have_attribute("aria-selected", "true")
    expect(suggestions(page).last).to_be_in_viewport(ratio=0.9)
    expect(suggestions(page).first).not_to_be_in_viewport()


def test_suggestions_open_for_who_wants_to_type_alone(page: Page, squares: Squares) -> None:
    search(page, squares, 'a square -"a red square"')
    page.get_by_role("button", name="Remove a red square").click()
    expect(box(page)).to_be_focused()
    expect(suggestions(page).first).to_be_hidden()

    # The window loses the focus, and gets it back.
    for happening in ("blur", "focus"):
        box(page).evaluate("(box, name) => box.dispatchEvent(new FocusEvent(name))", happening)
    expect(suggestions(page).first).to_be_hidden()
    box(page).blur()
    box(page).focus()
    expect(suggestions(page).first).to_be_visible()


def test_on_a_phone_the_keyboard_leaves_room_for_the_hits(
    browser: Browser, stack: Stack, squares: Squares
) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    with window(browser, stack, squares.state, **phone) as page:
        search(page, squares, 'a square -"a red square"')
        expect(box(page)).not_to_be_focused()

        page.get_by_role("button", name="Remove a red square").tap()
        expect(page.get_by_role("group", name="Not wanted")).to_have_count(0)
        expect(box(page)).not_to_be_focused()


def test_what_looks_like_code_is_text(page: Page, squares: Squares) -> None:
    words = '<img src=x onerror=window.broken=1> -"<script>alert(1)</script>" \' OR 1=1 --'
    search(page, squares, words)
    expect(page.get_by_role("group", name="Not wanted: <script>alert(1)</script>")).to_be_visible()
    page.get_by_role("button", name="Clear the search").click()
    box(page).click()
    expect(suggestions(page).first).to_contain_text("<img src=x onerror=window.broken=1>")
    page.keyboard.press("Escape")
    box(page).fill("heading bold")
    page.keyboard.press("Enter")
    page.get_by_label("As a list").click()

    expect(page.get_by_text(HOSTILE["html"]).first).to_be_visible()
    assert page.evaluate("window.broken") is None


@contextmanager
def query_worker_stopped(stack: Stack) -> Iterator[None]:
    """It hangs: alive for the supervisor, and its last sign of life is still there."""
    worker = child_with(stack.process.pid, "query@")
    processes = {worker, *descendants(worker)}
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


def test_while_the_query_worker_hangs_words_answer_and_meaning_comes_back_by_itself(
    page: Page, stack: Stack, squares: Squares
) -> None:
    search(page, squares, "a green square")
    with query_worker_stopped(stack):
        box(page).fill("a blue square")
        page.keyboard.press("Enter")
        expect(page.get_by_text("these are word hits")).to_be_visible()
        expect_count(page, EACH)
        expect(page.get_by_role("slider", name="Cut")).to_have_count(0)

    expect(page.get_by_text("these are word hits")).to_have_count(0)
    expect(page.get_by_role("slider", name="Cut")).to_be_visible()
    expect_captions(page, {"a blue square"})


def test_without_words_the_absence_of_the_query_worker_is_said(page: Page, squares: Squares) -> None:
    away = {"detail": "The query worker is away. Try again in a moment."}
    page.route(re.compile("/search$"), lambda route: route.fulfill(status=503, json=away))
    page.goto(f"{squares.map}#p=row:3")
    expect(page.get_by_role("alert")).to_contain_text("The query worker is away.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.unroute(re.compile("/search$"))

    # Asked again by the page itself.
    expect(hits(page).first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_empty_result_says_why_and_what_may_help(page: Page, squares: Squares) -> None:
    page.goto(f"{squares.map}#q=zebra&mode=words")
    expect(page.get_by_text(f"None of the {ALL} records has all of these words")).to_be_visible()
    page.get_by_role("button", name="Search by meaning too").click()

    expect(hits(page).first).to_be_visible()


def test_more_like_a_selection_is_one_part_of_a_query(page: Page, squares: Squares) -> None:
    page.goto(f'{squares.map}#map=image&sel={{"rows":[32,33,34]}}')
    with page.expect_response(re.compile("/search$")):
        page.get_by_role("button", name="More like these").click()
    expect_captions(page, {"a blue square"})
    expect(page.get_by_role("group", name="Wanted: Selected records")).to_be_visible()
    expect(page).to_have_url(re.compile("p=filter:"))
