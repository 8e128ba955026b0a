"""The search box, its hits and their cut, on the running system with the small model."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, Request, Route, expect

from tests.browser.squares import COLOURS, EACH, HOSTILE, Squares
from tests.browser.test_explorer import expect_selected
from tests.browser.test_explorer_access import center_of
from tests.browser.waiting import RESTED, box_of, expect_no_wider, steady, wait_until
from tests.datasets.material import picture
from tests.services.processes import child_with, descendants
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ALL = len(COLOURS) * EACH + len(HOSTILE)


@pytest.fixture
def page(browser: Browser, stack: Stack, squares: Squares) -> Iterator[Page]:
    """Signed in as the owner of the squares; a page without errors and refused requests."""
    context = browser.new_context(
        base_url=stack.url, viewport={"width": 1280, "height": 800}, storage_state=squares.state
    )
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    context.close()
    assert troubles == []


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search by meaning")


def hits(page: Page) -> Locator:
    return page.get_by_role("region", name="Hits, best first").get_by_role("listitem").get_by_role("button")


def suggestions(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def expect_count(page: Page, count: int) -> None:
    """The strip says so many hits."""
    expect(page.get_by_role("status").filter(has_text=re.compile(rf"^{count:,} hits?(\.|$)"))).to_be_visible()


def captions(page: Page, most: int = 8) -> list[str]:
    found: list[str] = hits(page).evaluate_all("all => all.map((hit) => hit.title)")
    return found[:most]


def expect_captions(page: Page, wanted: set[str], most: int = 8) -> None:
    """The best hits have these captions and no other."""
    wait_until(page, lambda: set(captions(page, most)) == wanted, lambda: captions(page, most))


def parts(request: Request) -> list[dict[str, Any]]:
    """Of the query that was sent."""
    body = request.post_data_json
    assert body is not None
    found: list[dict[str, Any]] = body["parts"]
    return found


def is_search(request: Request) -> bool:
    return request.url.endswith("/search")


def search(page: Page, squares: Squares, words: str, start: str = "") -> dict[str, Any]:
    """Opens the map, types, and returns the server's answer once it is shown."""
    page.goto(f"{squares.map}{'#' if start else ''}{start}")
    expect(box(page)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type(words)
    with page.expect_response(re.compile("/search$")) as answered:
        page.keyboard.press("Enter")
    expect(hits(page).first).to_be_visible()
    answer: dict[str, Any] = answered.value.json()
    return answer


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
    box(page).fill("a blue square")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("blue"))
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
    elsewhere = browser.new_context(base_url=stack.url).new_page()
    elsewhere.goto(squares.link)
    elsewhere.goto(address)
    picture_of = elsewhere.get_by_role("group", name="Wanted: Picture").get_by_role("img")
    expect(picture_of).to_have_js_property("naturalWidth", 200)
    wait_until(elsewhere, lambda: captions(elsewhere) == captions(page), lambda: captions(elsewhere))
    elsewhere.context.close()


def test_a_link_whose_picture_is_gone_says_so(page: Page, squares: Squares) -> None:
    page.goto(f"{squares.map}#q=a+red+square&p=picture:{'0' * 32}")

    expect(page.get_by_role("alert")).to_contain_text("not here any more")
    expect_captions(page, {"a red square"})


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
    context = browser.new_context(
        base_url=stack.url,
        viewport={"width": 360, "height": 740},
        has_touch=True,
        is_mobile=True,
        storage_state=squares.state,
    )
    page = context.new_page()
    search(page, squares, 'a square -"a red square"')
    expect(box(page)).not_to_be_focused()

    page.get_by_role("button", name="Remove a red square").tap()
    expect(page.get_by_role("group", name="Not wanted")).to_have_count(0)
    expect(box(page)).not_to_be_focused()
    context.close()


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


def test_one_question_to_all_datasets_leads_to_the_map_of_each(page: Page, squares: Squares) -> None:
    page.goto("/search")
    box(page).fill("a green square")
    page.keyboard.press("Enter")
    group = page.get_by_role("region", name="Squares").first
    expect(group.get_by_role("link").filter(has_text="on the map")).to_be_visible()
    expect(page).to_have_url(re.compile("#q=a\\+green\\+square"))
    box(page).fill("a blue square")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("blue"))
    expect(page).to_have_title("a blue square · Search · Atlas")
    page.go_back()
    expect(box(page)).to_have_value("a green square")
    expect(page).to_have_title("a green square · Search · Atlas")

    page.locator(f'a[href^="{squares.map}#"]').first.click()
    expect(box(page)).to_have_value("a green square")
    expect_captions(page, {"a green square"})


def test_what_a_search_over_all_datasets_found_is_said_anew_for_each(page: Page, squares: Squares) -> None:
    page.goto("/search")
    said = page.locator("p[role=status]")
    expect(said).to_have_text("")
    box(page).fill("a green square")
    page.keyboard.press("Enter")
    expect(said).to_have_text(re.compile(r"^Hits in \d+ datasets?, best first\.$"))

    held: list[Route] = []
    page.route(re.compile("/api/search$"), lambda route: held.append(route))
    box(page).fill("a blue square")
    page.keyboard.press("Enter")
    expect(said).to_have_text("")
    wait_until(page, lambda: len(held) == 1)
    held[0].continue_()
    expect(said).to_have_text(re.compile("^Hits in "))


def test_a_visitor_searches_what_is_public(browser: Browser, stack: Stack, squares: Squares) -> None:
    context = browser.new_context(base_url=stack.url, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto("/search#q=a+red+square")

    expect(page.locator(f'a[href^="{squares.map}#"]').first).to_be_visible()
    expect_no_wider(page, 360)
    context.close()


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
    box(page).fill("a blue square")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("blue"))
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


def test_more_like_a_selection_is_one_part_of_a_query(page: Page, squares: Squares) -> None:
    page.goto(f'{squares.map}#map=image&sel={{"rows":[32,33,34]}}')
    with page.expect_response(re.compile("/search$")):
        page.get_by_role("button", name="More like these").click()
    expect_captions(page, {"a blue square"})
    expect(page.get_by_role("group", name="Wanted: Selected records")).to_be_visible()
    expect(page).to_have_url(re.compile("p=filter:"))


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
