"""The explorer for everybody: by keyboard, by touch, on a bad network, without WebGL, and what captions may
hold."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.squares import HOSTILE, Squares
from tests.browser.test_map_core import LOST, inked
from tests.browser.waiting import box_of, expect_no_wider, steady, wait_until
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Open = Callable[..., Page]
#: Every layout of the labels from now on, and how many frames were looked at.
WATCH_LABELS = """() => {
  const layout = () => [...document.querySelectorAll(".map-label")].map(({style}) => style.transform).join();
  window.watched = {layouts: [layout()], frames: 0};
  (function look() {
    const {layouts} = window.watched;
    window.watched.frames++;
    if (layout() !== layouts.at(-1)) layouts.push(layout());
    requestAnimationFrame(look);
  })();
}"""
#: Never the same, so that the address changes.
ZOOMS = map("0.6{:04}".format, count(1))

#: What the focus is on: its name, and whether it can be seen that it is there.
FOCUSED = """() => {
  const element = document.activeElement;
  const label = element.getAttribute("aria-label") || element.labels?.[0]?.textContent;
  const name = label || element.textContent || element.title;
  const marked = (each) => {
    const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(each);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow.includes("0px 0px 0px");
  };
  let seen = element;
  for (let up = 0; up < 3 && seen && !marked(seen); up++) seen = seen.parentElement;
  return {name: name.trim().replace(/\\s+/g, " "), tag: element.tagName, seen: Boolean(seen) && marked(seen)};
}"""


@pytest.fixture
def open_map(browser: Browser, stack: Stack, squares: Squares) -> Iterator[Open]:
    """Opens the map as its owner, with the panels; what the page throws is a failure."""
    contexts = []
    troubles: list[str] = []

    def open_it(start: str = "", *, before: Callable[[Page], None] | None = None, **more: object) -> Page:
        options = {"reduced_motion": "reduce", "viewport": {"width": 1280, "height": 800}, **more}
        context = browser.new_context(base_url=stack.url, storage_state=squares.state, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        if before:
            before(page)
        page.goto(f"{squares.map}{'#' if start else ''}{start}")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture(scope="module")
def shared(browser: Browser, stack: Stack, squares: Squares) -> Iterator[Page]:
    """A map that is opened once."""
    context = browser.new_context(
        base_url=stack.url, storage_state=squares.state, reduced_motion="reduce",
        viewport={"width": 1280, "height": 800},
    )  # fmt: skip
    page = context.new_page()
    page.goto(squares.map)
    yield ready(page)
    context.close()


@pytest.fixture
def page(shared: Page) -> Iterator[Page]:
    """As if it had just been opened: a step in its history that says nothing but the camera."""
    troubles: list[str] = []
    shared.on("pageerror", lambda error: troubles.append(str(error)))
    shared.set_viewport_size({"width": 1280, "height": 800})
    shared.evaluate("document.activeElement.blur()")
    go(shared, f"at=0.5,0.5,{next(ZOOMS)}")
    expect(shared.get_by_role("complementary")).to_have_count(0)
    expect(shared.get_by_role("region", name="Hits, best first")).to_have_count(0)
    expect(shared.get_by_role("region", name="Selection")).to_have_count(0)
    steady(shared, lambda: shared.url)
    yield shared
    assert troubles == []


def go(page: Page, start: str) -> None:
    """Follows a link within the map that is open."""
    page.goto(f"{page.url.partition('#')[0]}#{start}")


def ready(page: Page) -> Page:
    expect(page.get_by_role("toolbar", name="Map tools")).to_be_visible()
    return page


def drawer(page: Page, row: int | None = None) -> None:
    name = re.compile(r"^Record \d+$") if row is None else f"Record {row}"
    expect(page.get_by_role("complementary", name=name)).to_be_visible()


def zoom_of(page: Page) -> float:
    """As the address says it, once it has followed the camera to its place."""
    return steady(page, lambda: zoom_now(page))


def zoom_now(page: Page) -> float:
    expect(page).to_have_url(re.compile("at="))
    found = re.search(r"at=[\d.e-]+,[\d.e-]+,([\d.]+)", page.url)
    assert found is not None, page.url
    return float(found[1])


def expect_zoom(page: Page, holds: Callable[[float], object]) -> None:
    wait_until(page, lambda: holds(zoom_now(page)), lambda: page.url)


def place_of(page: Page, row: int) -> tuple[float, float]:
    """Where a record is on the window: opens and closes it. Topic names, which might lie on it, go."""
    names = page.get_by_role("button", name="Topic names")
    if names.get_attribute("aria-pressed") == "true":
        names.click()
    go(page, f"record={row}")
    drawer(page, row)
    left, top, _, _ = box_of(page.locator(".map-canvas").first)
    x, y = steady(page, lambda: center_of(page.locator(".map-stage .map-ring-focus").first))
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary")).to_have_count(0)
    return left + x, top + y


def center_of(ring: Locator) -> tuple[float, float]:
    """The point within a ring that is shown, in pixels of its map."""
    expect(ring).not_to_have_attribute("hidden", "")
    expect(ring).to_have_attribute("transform", re.compile(r"\d"))
    x, y = re.findall(r"-?[\d.]+", ring.get_attribute("transform") or "")
    return float(x), float(y)


def test_the_tab_key_reaches_everything_and_shows_where_it_is(page: Page) -> None:
    expect(page.get_by_role("heading", name="Topics")).to_be_visible()
    stops = []
    for _ in range(80):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop["tag"] == "BODY":
            break
        stops.append(stop)

    names = [stop["name"] for stop in stops]
    for wanted in ("Skip to the content", "Map. Arrows move", "Squares", "Colour by", "Topics", "Filters"):
        assert any(name.startswith(wanted) for name in names), f"{wanted} not in {names}"
    for wanted in ("Search by", "Select with a lasso", "Table of records", "Zoom in", "Show the whole map"):
        assert any(name.startswith(wanted) for name in names), f"{wanted} not in {names}"
    assert [stop["name"] for stop in stops if not stop["seen"]] == []
    assert stops[-1]["tag"] != stops[0]["tag"] or len(stops) < 80, "the focus is caught"


def test_from_search_to_record_and_back_by_keyboard(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("a blue square")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^\d+ hits?$")).first).to_be_visible()

    hits = page.get_by_role("region", name="Hits, best first").get_by_role("button", name="a blue square")
    hits.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    drawer(page)
    before = page.get_by_role("complementary").get_attribute("aria-label")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("complementary")).not_to_have_attribute("aria-label", before or "")
    page.keyboard.press("Escape")

    expect(page.get_by_role("complementary")).to_have_count(0)
    expect(hits.first).to_be_visible()
    page.keyboard.press("Escape")
    expect(hits).to_have_count(0)


def test_the_map_itself_is_walked_by_keyboard(page: Page) -> None:
    page.locator(".map-canvas").focus()
    before = zoom_of(page)
    page.keyboard.press("+")
    expect_zoom(page, lambda zoom: zoom > before)
    page.keyboard.press("0")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".map-card")).to_be_visible()
    caption = page.locator(".map-card-caption").inner_text()
    expect(page.get_by_role("status").filter(has_text=caption)).to_have_count(1)  # read out
    page.keyboard.press("Enter")

    drawer(page)


def test_a_question_mark_shows_the_keys_and_is_a_letter_where_one_types(page: Page) -> None:
    help_ = page.get_by_role("dialog", name="Keys and gestures")
    page.locator(".map-canvas").focus()
    page.keyboard.press("?")
    expect(help_).to_be_visible()
    page.keyboard.press("Escape")
    expect(help_).to_have_count(0)
    expect(page.locator(".map-canvas")).to_be_focused()

    page.keyboard.press("/")
    page.keyboard.type("?")
    expect(page.get_by_role("combobox", name="Search by meaning")).to_have_value("?")
    expect(help_).to_have_count(0)
    page.keyboard.press("Backspace")


def test_a_region_is_selected_without_drawing(page: Page) -> None:
    box = page.get_by_role("button", name="Select with a box")
    box.press("Enter")
    page.get_by_role("button", name="All in view").press("Enter")
    expect(page.get_by_text("125 selected")).to_be_visible()
    expect(box).to_be_focused()


def test_a_topic_is_chosen_and_renamed_by_keyboard(page: Page) -> None:
    page.get_by_role("heading", name="Topics").click()
    first = page.get_by_role("treeitem").first
    first.focus()
    name = (first.get_attribute("aria-label") or "").rpartition(",")[0]
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Selection")).to_be_visible()
    expect(first).to_have_attribute("aria-selected", "true")
    for new in ("Squares of one colour", name):
        page.keyboard.press("F2")
        expect(page.get_by_label("New name of")).to_be_focused()
        page.keyboard.type(new)
        page.keyboard.press("Enter")
        expect(first).to_have_attribute("aria-label", re.compile("^" + re.escape(new)))
        expect(first).to_be_focused()


def test_a_tap_opens_and_two_fingers_zoom(open_map: Open) -> None:
    page = ready(open_map(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True))
    x, y = place_of(page, 3)
    page.touchscreen.tap(x, y)
    drawer(page)
    page.keyboard.press("Escape")
    before = zoom_of(page)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: float) -> None:
        points = [{"x": place, "y": 400, "id": at} for at, place in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 150, 200)
    for step in range(1, 6):
        touch("touchMove", 150 - 12 * step, 200 + 12 * step)
    touch("touchEnd")

    expect_zoom(page, lambda zoom: zoom > 1.5 * before)


def point_at(page: Page, row: int) -> tuple[float, float]:
    """Until its card comes: the map may still be finding its place when the mouse is there already."""
    for _ in range(20):
        x, y = place_of(page, row)
        page.mouse.move(x - 40, y - 40)
        page.mouse.move(x, y, steps=3)
        with suppress(AssertionError):
            expect(page.locator(".map-card")).to_be_visible(timeout=3000)
            break
    return x, y


def test_a_point_shows_a_card_that_can_be_reached_and_opens_its_record(page: Page) -> None:
    go(page, "")
    card = page.locator(".map-card")
    x, y = point_at(page, 3)
    expect(card).to_be_visible()
    left, top, width, height = box_of(card)
    page.mouse.move(left + width / 2, top + height / 2)
    page.wait_for_timeout(400)  # longer than a card stays that nobody points at
    expect(card).to_be_visible()
    page.get_by_label("Search by meaning").hover()
    expect(card).to_have_count(0)

    page.mouse.click(x, y)

    drawer(page)


def test_a_picture_is_looked_at_from_nearer(page: Page) -> None:
    go(page, "record=4")
    drawer(page, 4)
    page.get_by_title("Look closer").click()
    viewer = page.get_by_role("dialog")
    page.keyboard.press("+")
    expect(viewer).to_contain_text("150 %")
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    drawer(page)


def test_a_link_opens_the_same_elsewhere(open_map: Open) -> None:
    page = ready(open_map('q=a%20red%20square&record=5&sel={"caption":"red"}&beside=caption'))
    drawer(page, 5)
    expect(page.get_by_role("region", name="Second map")).to_be_visible()
    page.get_by_role("button", name="Zoom in").click()
    expect(page.get_by_role("region", name="Hits, best first")).to_be_visible()
    zoom = zoom_of(page)

    other = ready(open_map(page.url.partition("#")[2]))
    drawer(other, 5)
    expect(other.get_by_role("region", name="Second map")).to_be_visible()
    expect(other.locator(".map-stage-beside .map-ring-focus")).to_have_attribute(
        "transform", re.compile(r"\d")
    )
    expect(other.get_by_text("30 selected")).to_be_visible()
    expect_zoom(other, lambda same: same == pytest.approx(zoom, rel=1e-4))
    expect(other).to_have_url(page.url)


@pytest.mark.parametrize("name", HOSTILE)
def test_captions_are_text_whatever_they_hold(page: Page, squares: Squares, name: str) -> None:
    go(page, f"record={squares.hostile[name]}")
    drawer(page, squares.hostile[name])
    shown = page.locator(".map-drawer-caption").first

    expect(shown).to_have_js_property("textContent", HOSTILE[name].strip())
    assert page.evaluate("window.broken") is None
    expect(page.get_by_role("heading", name="Not a heading")).to_have_count(0)
    drawn = page.locator(".map-drawer")
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        expect_no_wider(page, width)
        wait_until(page, lambda: drawn.evaluate("(each) => each.scrollWidth <= each.clientWidth"))


def test_a_lost_context_is_painted_again(page: Page) -> None:
    before = steady(page, lambda: inked(page))
    assert before > 100
    page.evaluate(LOST)

    wait_until(
        page, lambda: inked(page) == pytest.approx(before, rel=0.05), lambda: f"{inked(page)} of {before}"
    )


def test_points_that_fail_are_said_and_come_when_asked_again(open_map: Open) -> None:
    page = open_map(before=lambda page: page.route("**/*.atm", fail))
    message = page.get_by_role("alert")
    expect(message).to_contain_text("could not be loaded")
    page.unroute("**/*.atm")
    message.get_by_role("button", name="Try again").click()

    expect(message).to_have_count(0)
    wait_until(page, lambda: inked(page) > 100)


def test_a_map_that_cannot_be_had_is_said_with_a_way_on(open_map: Open) -> None:
    page = open_map(before=lambda page: page.route("**/manifest.json", fail))

    expect(page.get_by_role("heading", name="The map could not be opened")).to_be_visible()
    page.unroute("**/manifest.json")
    page.get_by_role("button", name="Try again").click()
    ready(page)


def test_a_search_that_fails_is_said_and_the_map_stays(page: Page) -> None:
    page.route("**/search", fail)
    page.keyboard.press("/")
    page.keyboard.type("a blue square")
    page.keyboard.press("Enter")

    expect(page.get_by_text("The server answered 500").first).to_be_visible()
    wait_until(page, lambda: inked(page) > 100)
    page.unroute("**/search")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^\d+ hits?$")).first).to_be_visible()


def fail(route: Route) -> None:
    route.fulfill(status=500)


def test_what_a_link_names_and_cannot_be_had_for_now_stays_in_the_address(page: Page) -> None:
    missing = re.compile(r"/select$|/records/5\?")
    page.route(missing, fail)
    go(page, 'record=5&sel={"caption":"red"}')
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    page.get_by_role("button", name="Zoom in").click()
    steady(page, lambda: page.url)
    expect(page).to_have_url(re.compile(r"#record=5&sel="))

    page.unroute(missing)
    again.click()
    drawer(page, 5)
    expect(page.get_by_text("30 selected")).to_be_visible()
    expect(page).to_have_url(re.compile(r"at=.*record=5.*sel="))
    expect(again).to_have_count(0)


def test_who_wants_no_motion_sees_none(page: Page) -> None:
    names = page.get_by_role("button", name="Topic names")
    if names.get_attribute("aria-pressed") == "false":
        names.click()
    expect(page.locator(".map-label").first).to_be_visible()
    page.evaluate(WATCH_LABELS)
    page.get_by_role("button", name="Zoom in").click()
    wait_until(page, lambda: page.evaluate("watched.layouts.length > 1"))
    frames = page.evaluate("watched.frames")
    wait_until(page, lambda: page.evaluate("watched.frames") > frames + 30)

    assert len(page.evaluate("watched.layouts")) == 2
