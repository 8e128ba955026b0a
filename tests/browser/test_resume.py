"""An upload in the browser outlives the server: killed in the middle, it goes on where it stopped."""

import os
import random
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Request, expect

from tests.browser.test_journey import sign_up
from tests.datasets.material import picture, zip_of
from tests.services.processes import child_with
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MEGABYTES = 12
#: Of the browser's connection, so that there is a middle: bytes a second.
THROUGHPUT = 1 << 20


def test_an_upload_goes_on_after_the_server_was_killed(
    browser: Browser, stack: Stack, tmp_path: Path
) -> None:
    archive = tmp_path / "large.zip"
    noise = random.Random(0).randbytes(MEGABYTES << 20)
    archive.write_bytes(zip_of({"noise.bin": noise, "a.png": picture("red"), "b.png": picture("blue")}))
    # Not the fixture's page: the browser says loudly that the server went away.
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    sign_up(page, "resume@example.org")
    page.goto("/new")
    offsets: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            offsets.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    network = context.new_cdp_session(page)
    limit_upload(network, THROUGHPUT)
    before = set((stack.home / "uploads").glob("*"))
    page.get_by_label("Files", exact=True).set_input_files(archive)
    while not (new := set((stack.home / "uploads").glob("*")) - before) or new.pop().stat().st_size < 1 << 20:
        page.wait_for_timeout(50)

    os.kill(child_with(stack.process.pid, "uvicorn"), signal.SIGKILL)
    limit_upload(network, -1)

    proceed = page.get_by_role("button", name="Continue")
    page.get_by_label("Name of the dataset").fill("Large")
    expect(proceed).to_be_enabled()
    assert offsets
    assert 1 << 20 <= offsets[-1] < MEGABYTES << 20
    assert next(iter(set((stack.home / "uploads").glob("*")) - before)).read_bytes() == archive.read_bytes()
    context.close()


def limit_upload(network: CDPSession, throughput: int) -> None:
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": throughput}
    network.send("Network.emulateNetworkConditions", limits)
