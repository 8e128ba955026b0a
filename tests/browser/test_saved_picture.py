"""The map as a picture to take along: what is drawn on it and what stands beneath."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.test_map_core import map_page, mock, opened
from tests.browser.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["map_page", "mock"]

SWATCHES = "rows => rows.map((row) => getComputedStyle(row.querySelector('.swatch')).backgroundColor)"
#: Width and height of the map, in pixels of CSS; those of its canvas for each of them.
SIZES = "canvas => [canvas.clientWidth, canvas.clientHeight, canvas.width / canvas.clientWidth]"
INK = (29, 26, 22)


def save(page: Page) -> np.ndarray:
    """By keyboard; the map part of the picture is as high as the map."""
    button = page.get_by_role("button", name="Save as picture")
    button.focus()
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    expect(page.get_by_role("status").get_by_text("The picture was saved.").last).to_be_visible()
    expect(button).to_be_focused()
    assert saved.value.suggested_filename == "watercolours.png"
    return np.asarray(Image.open(saved.value.path()).convert("RGB"), int)


def seen(page: Page) -> np.ndarray:
    """The map as it is shown."""
    return np.asarray(Image.open(io.BytesIO(page.locator(".map-stage").screenshot())).convert("RGB"), int)


def parts(page: Page, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is the map, and what stands beneath it."""
    width, height, ratio = page.locator(".map-canvas").evaluate(SIZES)
    assert ratio == 1, "the map has its own size again"
    assert picture.shape[1] == 2 * width
    assert picture.shape[0] > 2 * height
    return picture[: 2 * height], picture[2 * height :]


def pixels_of(picture: np.ndarray, colour: tuple[int, ...]) -> int:
    """About of this colour."""
    return int((np.abs(picture - colour).max(axis=2) <= 6).sum())


def test_a_picture_has_the_points_and_what_their_colours_mean(map_page: Page) -> None:
    opened(map_page)
    map_page.get_by_label("Colour by").select_option(label="Artist")
    map_page.get_by_role("button", name="Dots").click()
    rows = map_page.locator(".legend-row")
    rows.first.click()
    expect(rows.first).to_have_attribute("aria-pressed", "false")
    found = [tuple(map(int, re.findall(r"\d+", colour))) for colour in rows.evaluate_all(SWATCHES)]
    hidden, *shown = found
    assert len(shown) == 10
    wait_until(map_page, lambda: all(pixels_of(seen(map_page), colour) > 10 for colour in shown))

    map_part, beneath = parts(map_page, save(map_page))

    for colour in shown:
        assert pixels_of(map_part, colour) > 10
        assert pixels_of(beneath, colour) > 100
    assert pixels_of(beneath, hidden) == 0
    assert pixels_of(beneath, INK) > 100


def test_the_names_of_topics_are_on_the_picture_as_long_as_they_are_on_the_map(map_page: Page) -> None:
    opened(map_page)
    named, _ = parts(map_page, save(map_page))
    map_page.get_by_role("button", name="Topic names").click()
    unnamed, _ = parts(map_page, save(map_page))

    assert pixels_of(named, INK) > 100
    assert pixels_of(unnamed, INK) == 0
