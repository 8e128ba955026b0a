"""The built map page over made-up maps: what the map does when the machine or the network fails it."""

import io
import json
import os
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest
from django.conf import settings
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Locator, Page, Route, expect

from tests.browser.waiting import box_of, steady, wait_until
from tests.stack import free_port

FRONTEND: Path = settings.BASE_DIR / "frontend"
#: Two levels of tiles: the root alone is a map, if a thin one.
POINTS = 40_000
#: Until the context is back; restoring it is allowed once the page has been told.
LOST = """() => new Promise((done) => {
  const canvas = document.querySelector(".map-canvas");
  const lost = canvas.getContext("webgl2").getExtension("WEBGL_lose_context");
  const restore = () => setTimeout(() => lost.restoreContext(), 100);
  canvas.addEventListener("webglcontextlost", restore, {once: true});
  canvas.addEventListener("webglcontextrestored", () => requestAnimationFrame(done), {once: true});
  lost.loseContext();
})"""
FIRST_TOPIC = """async () => {
  const {topics: [{x, y}]} = await (await fetch("/maps/map-image/v1/labels.json")).json();
  return [x, y];
}"""
COUNT_FRAMES = """
  window.counted = {asked: 0};
  const ask = window.requestAnimationFrame;
  window.requestAnimationFrame = (draw) => (counted.asked++, ask.call(window, draw));
"""


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    port = free_port()
    environment = os.environ | {
        "PORT": str(port),
        "POINTS": str(POINTS),
        "PATH": f"{settings.BASE_DIR / '.venv' / 'node'}:{os.environ['PATH']}",
    }
    command = ["node", "node_modules/vite/bin/vite.js", "preview", "--config", "tests/mock/vite.config.ts"]
    process = subprocess.Popen(command, cwd=FRONTEND, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert any("Local" in line for line in process.stdout), "The stand-in for the server did not start."
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def map_page(browser: Browser, mock: str) -> Iterator[Page]:
    # The policy would refuse the style that takes everything but the points out of a screenshot.
    context = browser.new_context(base_url=mock, viewport={"width": 1000, "height": 700}, bypass_csp=True)
    faults(mock, failTiles=0)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def core(browser: Browser, mock: str) -> Iterator[Page]:
    """The map without panels, which measures itself (frontend/tests/mock/core.ts)."""
    context = browser.new_context(base_url=mock, viewport={"width": 1000, "height": 700})
    page = context.new_page()
    faults(mock, failTiles=0)
    page.goto("/core")
    page.locator("[data-state=ready]").wait_for()
    yield page
    context.close()


def faults(mock: str, **values: int) -> None:
    urlopen(Request(f"{mock}/mock", json.dumps(values).encode()))  # noqa: S310


def opened(page: Page) -> None:
    page.goto("/map")
    page.locator(".map-label").first.wait_for()


def inked(page: Page) -> int:
    """Pixels of the map that are neither paper nor text: those of its points."""
    alone = ".map-app > :not(.map-stage), .map-label, .map-overlay { visibility: hidden }"
    shot = Image.open(io.BytesIO(page.locator(".map-stage").screenshot(animations="disabled", style=alone)))
    pixels = np.asarray(shot.convert("RGB"), int)
    return int((np.abs(pixels - pixels[0, 0]).max(axis=2) > 40).sum())


def inked_at_rest(page: Page) -> int:
    return steady(page, lambda: inked(page))


def expect_inked(page: Page, count: int) -> None:
    """About so many, at once or soon."""
    wait_until(
        page, lambda: inked(page) == pytest.approx(count, rel=0.02), lambda: f"{inked(page)} of {count}"
    )


def test_no_two_labels_overlap_in_200_random_views(core: Page) -> None:
    found = core.evaluate("core.labels(200)")
    assert found["shown"] > 500
    assert found["overlapping"] == 0


def test_no_two_thumbnails_overlap_at_20_zooms(core: Page) -> None:
    found = core.evaluate("core.pictures(20)")
    assert found["shown"] > 500
    assert found["single"] > 20
    assert found["overlapping"] == 0


def test_pictures_that_leave_fade_and_go_at_once_where_no_motion_is_wanted(core: Page) -> None:
    faded = core.evaluate("core.leaving()")
    core.emulate_media(reduced_motion="reduce")
    cut = core.evaluate("core.leaving()")
    core.emulate_media(reduced_motion="no-preference")
    assert faded["left"] > 0
    assert faded["steepest"] <= 0.25
    assert cut["left"] > 0
    assert cut["steepest"] == 1


def test_a_point_at_the_nearest_zoom_moves_with_the_view_and_does_not_tremble(core: Page) -> None:
    assert core.evaluate("core.stray()") < 0.25


def test_the_point_that_is_picked_is_the_nearest_of_all_at_200_random_places(core: Page) -> None:
    found = core.evaluate("core.picks(200)")
    assert found["met"] > 100
    assert found["wrong"] == 0


def test_a_lost_context_is_painted_again(map_page: Page) -> None:
    opened(map_page)
    before = inked_at_rest(map_page)
    assert before > 1000
    map_page.evaluate(LOST)

    expect_inked(map_page, before)


def test_tiles_that_fail_once_are_fetched_again_unsaid(map_page: Page, mock: str) -> None:
    opened(map_page)
    whole = inked_at_rest(map_page)
    faults(mock, failTiles=3)
    opened(map_page)

    expect_inked(map_page, whole)
    expect(map_page.get_by_text("could not be loaded")).to_have_count(0)


#: What a step fetches: points with a column of theirs, sheets of pictures, single pictures below them.
STEPS = [
    ("", r"/t/[1-9][^/]*\.atm|/c/artist/.*\.bin"),
    ("&at={x},{y},8", r"/thumbs/.*\.(webp|idx)"),
    ("&at={x},{y},800", "/pictures/"),
]


@pytest.mark.parametrize("fault", ["hangs", "fails"])
def test_what_does_not_come_is_said_and_asked_for_again_and_the_map_is_never_blank(
    map_page: Page, fault: str
) -> None:
    map_page.clock.install()
    map_page.goto("/map")
    x, y = map_page.evaluate(FIRST_TOPIC)
    for at, pattern in STEPS:
        asked: list[str] = []
        map_page.route(re.compile(pattern), partial(fulfil_never if fault == "hangs" else refuse, asked))
        map_page.goto("about:blank")
        map_page.goto(f"/map#colour=artist{at.format(x=x, y=y)}")
        map_page.locator(".map-label").first.wait_for()
        wait_until(map_page, lambda: asked)  # noqa: B023
        if fault == "hangs":
            passing(map_page, map_page.get_by_text("The server is slow to answer"))
        passing(map_page, map_page.get_by_text("could not be loaded"))
        assert asked.count(asked[0]) > 1
        wait_until(map_page, lambda: inked(map_page) > 1000, lambda: (at, inked(map_page)))  # noqa: B023

        map_page.unroute_all(behavior="ignoreErrors")
        map_page.get_by_role("button", name="Try again").click()
        map_page.clock.fast_forward(31_000)  # what still hangs is given up
        expect(map_page.locator(".map-status .spinner")).to_have_count(0)
        expect(map_page.get_by_text("could not be loaded")).to_have_count(0)


def fulfil_never(asked: list[str], route: Route) -> None:
    asked.append(route.request.url)


def refuse(asked: list[str], route: Route) -> None:
    asked.append(route.request.url)
    route.fulfill(status=500)


def passing(page: Page, words: Locator) -> None:
    """Until the page says `words`, its clock far ahead of this one."""

    def is_said() -> bool:
        page.clock.fast_forward(5000)
        return words.count() > 0

    wait_until(page, is_said, lambda: page.locator("body").inner_text())


def test_a_map_that_was_not_to_be_had_is_tried_again_from_the_address_of_a_view(map_page: Page) -> None:
    map_page.route("**/manifest.json", partial(refuse, []))
    map_page.goto("/map#colour=artist")
    again = map_page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    map_page.unroute_all(behavior="ignoreErrors")
    again.click()

    expect(map_page.locator(".map-label").first).to_be_visible()


#: Of a name that no panel covers.
FREE_LABEL = """() => {
  const middles = [...document.querySelectorAll(".map-label")].map((label) => {
    const {left, top, width, height} = label.getBoundingClientRect();
    return {label, at: [left + width / 2, top + height / 2]};
  });
  const free = middles.find(({label, at}) => label.contains(document.elementFromPoint(...at)));
  return free ? free.at : null;
}"""


Place = tuple[float, float]


def free_label(page: Page) -> Place:
    """The middle of a name, once the map rests."""
    at_rest(page)
    place: Place = page.evaluate(FREE_LABEL)
    return place


def test_a_name_on_the_map_is_wheeled_dragged_and_pinched_as_the_map_is_and_clicked(map_page: Page) -> None:
    opened(map_page)
    mouse = map_page.mouse
    whole = at_rest(map_page)
    mouse.move(*free_label(map_page))
    mouse.wheel(0, -100)
    nearer = moved_from(map_page, whole)
    assert nearer[2] > whole[2]
    map_page.keyboard.down("Control")
    mouse.move(*free_label(map_page))
    mouse.wheel(0, -20)
    map_page.keyboard.up("Control")
    nearest = moved_from(map_page, nearer)
    assert nearest[2] > nearer[2]
    x, y = free_label(map_page)
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 60, y + 40, steps=5)
    mouse.up()
    dragged = moved_from(map_page, nearest)
    assert dragged[2] == nearest[2]
    expect(map_page.locator(".map-canvas")).to_be_focused()

    fingers = map_page.context.new_cdp_session(map_page)
    x, y = free_label(map_page)
    touch(fingers, "touchStart", (x, y))
    touch(fingers, "touchStart", (x, y), second=(x + 60, y))
    touch(fingers, "touchMove", (x, y), second=(x + 100, y))
    pinched = moved_from(map_page, dragged)
    assert pinched[2] > dragged[2]
    touch(fingers, "touchEnd", second=(x + 100, y))
    touch(fingers, "touchMove", (x - 50, y))
    panned = moved_from(map_page, pinched)
    assert panned[2] == pinched[2]
    touch(fingers, "touchEnd")

    # What was drawn by the time that a second finger comes is gone.
    map_page.get_by_role("button", name="Select with a lasso").click()
    region = map_page.locator(".map-region")
    touch(fingers, "touchStart", (500, 400))
    touch(fingers, "touchMove", (540, 400))
    touch(fingers, "touchMove", (540, 440))
    expect(region).to_have_attribute("d", re.compile("M.*Z"))
    touch(fingers, "touchStart", (540, 440), second=(600, 440))
    expect(region).to_have_attribute("d", "")
    touch(fingers, "touchEnd")
    map_page.keyboard.press("Escape")

    with map_page.expect_request(re.compile("/select$")):
        mouse.click(*free_label(map_page))


def touch(session: CDPSession, kind: str, first: Place | None = None, second: Place | None = None) -> None:
    """Two fingers; `kind` holds for those that are given."""
    fingers = [{"x": place[0], "y": place[1], "id": i} for i, place in enumerate((first, second)) if place]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})


def moved_from(page: Page, camera: tuple[float, ...]) -> tuple[float, ...]:
    wait_until(page, lambda: camera_in(page.url) != camera, lambda: page.url)
    return at_rest(page)


def test_a_map_at_rest_draws_nothing(map_page: Page) -> None:
    map_page.add_init_script(COUNT_FRAMES)
    opened(map_page)
    expect_rest(map_page)
    map_page.locator(".map-canvas").focus()
    map_page.keyboard.press("Shift+ArrowRight")
    expect(map_page.locator(".map-card")).to_be_visible()  # and a ring

    expect_rest(map_page)


def expect_rest(page: Page) -> None:
    """Soon no frame is asked for in two seconds."""
    wait_until(page, lambda: frames_in(page, 2000) == 0, lambda: f"{frames_in(page, 2000)} frames in 2 s")


def frames_in(page: Page, milliseconds: int) -> int:
    before: int = page.evaluate("counted.asked")
    page.wait_for_timeout(milliseconds)
    after: int = page.evaluate("counted.asked")
    return after - before


def test_the_map_fills_a_window_of_another_size_and_pixel_ratio(map_page: Page) -> None:
    opened(map_page)
    session = map_page.context.new_cdp_session(map_page)
    size = {"width": 640, "height": 900, "deviceScaleFactor": 2, "mobile": False}
    session.send("Emulation.setDeviceMetricsOverride", size)
    canvas = map_page.locator(".map-canvas")
    expect(canvas).to_have_js_property("width", 1280)

    _, _, width, height = box_of(canvas)
    assert width == 640
    expect(canvas).to_have_js_property("height", round(2 * height))
    wait_until(map_page, lambda: inked(map_page) > 1000)


def test_the_address_follows_a_map_of_another_size_without_a_step_in_the_history(
    map_page: Page,
) -> None:
    opened(map_page)
    wide = at_rest(map_page)
    steps = map_page.evaluate("history.length")
    map_page.set_viewport_size({"width": 640, "height": 500})
    wait_until(map_page, lambda: camera_in(map_page.url) != wide, lambda: map_page.url)
    narrow = at_rest(map_page)
    assert narrow[2] < wide[2]
    map_page.reload()
    map_page.locator(".map-label").first.wait_for()
    assert at_rest(map_page) == narrow

    # A camera that somebody moved stays where it is.
    map_page.get_by_role("button", name="Zoom in").click()
    wait_until(map_page, lambda: camera_in(map_page.url)[2] > 1.4 * narrow[2], lambda: map_page.url)
    near = at_rest(map_page)
    map_page.set_viewport_size({"width": 900, "height": 600})
    assert at_rest(map_page) == near
    assert map_page.evaluate("history.length") == steps


def at_rest(page: Page) -> tuple[float, ...]:
    expect(page).to_have_url(re.compile("at="))
    return steady(page, lambda: camera_in(page.url))


def camera_in(url: str) -> tuple[float, ...]:
    found = re.search(r"at=([\d.e,-]+)", url)
    assert found is not None
    return tuple(map(float, found[1].split(",")))
