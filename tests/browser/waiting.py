"""Wait for what a page is about to show: a machine that is busy with other things shows it late."""

import time
from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import Locator, Page

Value = TypeVar("Value")

#: Far more than any page takes.
MILLISECONDS = 120_000
#: A page that comes to rest says nothing new for longer than any of its own delays, and paints meanwhile.
RESTED = """milliseconds => new Promise((done) => setTimeout(
  () => requestAnimationFrame(() => requestAnimationFrame(done)), milliseconds))"""
DELAY = 500


def wait_until(page: Page, condition: Callable[[], object], seen: Callable[[], object] = str) -> None:
    """Until `condition` holds; fails with what was `seen` instead."""
    deadline = time.monotonic() + MILLISECONDS / 1000
    while not condition():
        assert time.monotonic() < deadline, seen()
        page.wait_for_timeout(100)


def steady(page: Page, read: Callable[[], Value]) -> Value:
    """What `read` returns as soon as it is the same before and after a rest."""
    values = [read()]

    def rests() -> bool:
        page.evaluate(RESTED, DELAY)
        values.append(read())
        return values[-1] == values[-2]

    wait_until(page, rests, lambda: f"It never rests: {values[-3:]}")
    return values[-1]


def box_of(locator: Locator) -> tuple[float, float, float, float]:
    """Left, top, width and height on the window, once they no longer change."""

    def box() -> tuple[float, float, float, float]:
        found = locator.bounding_box()
        assert found is not None, f"{locator} is not to be seen"
        return found["x"], found["y"], found["width"], found["height"]

    return steady(locator.page, box)


def submit(button: Locator) -> None:
    """Presses what sends a form, and waits for the page that answers."""
    with button.page.expect_navigation():
        button.click()


def expect_no_wider(page: Page, width: int) -> None:
    """The page needs no more than so many pixels, and has them."""
    needed = "document.documentElement.scrollWidth"
    wait_until(page, lambda: page.evaluate(needed) <= width, lambda: f"{page.evaluate(needed)} > {width}")
