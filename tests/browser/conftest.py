"""A real Chromium with WebGL in software; every page must do without errors and refused requests."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.squares import Squares, make_squares
from tests.browser.waiting import MILLISECONDS
from tests.browser.windows import window
from tests.stack import Stack

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: What Playwright leaves out too, and two pages of the browser's own that it would load for each window.
UNUSED = (
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "OptimizationHints", "PaintHolding",
    "ThirdPartyStoragePartitioning", "WebUIOmniboxAimPopup", "WebUIOmniboxPopup",
)  # fmt: skip
ARGUMENTS = [
    # Root has no sandbox; nothing but our own pages is opened here.
    "--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    # Only the map needs WebGL: composing whole pages with it in software takes twice as long.
    "--disable-gpu-compositing", f"--disable-features={','.join(UNUSED)}",
]  # fmt: skip


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Closed after the last test here: while Playwright runs its event loop, Django refuses its database."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        assert not os.environ.get("CI"), "CI tests the pages: install Chromium."
        pytest.skip("There is no Chromium on this machine (on Debian: apt install chromium).")
    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        browser.on("context", lambda context: context.set_default_timeout(MILLISECONDS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    said: list[str] = []
    with window(browser, stack) as page:
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        yield page
    assert said == []


@pytest.fixture(scope="package")
def squares(browser: Browser, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Squares:
    """Made once: tests that use it leave it as it is."""
    return make_squares(browser, stack, tmp_path_factory.mktemp("squares"))
