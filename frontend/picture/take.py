"""Takes the picture of the README anew, from the dataset of `make demo`, while that runs:

    .venv/bin/python frontend/picture/take.py
"""

import os
import shutil
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

HOME = Path(os.environ.get("ATLAS_HOME", ".atlas"))
SITE = f"http://127.0.0.1:{os.environ.get('ATLAS_PORT', '8000')}"
#: Near enough that dots are pictures, and those that were found lie together.
MAP = "/data/demo/emoji/map#map=image&at=0.243,0.578,9&q=food+and+drinks"
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]

expect.set_options(timeout=60_000)
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
    page = browser.new_page(base_url=SITE, viewport={"width": 1360, "height": 800}, device_scale_factor=1.5)
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("demo@atlas.local")
    page.get_by_label("Password").fill((HOME / "demo_password").read_text())
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("link", name="New dataset")).to_be_visible()
    page.goto(MAP)
    expect(page.get_by_role("region", name="Hits, best first").get_by_role("img").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2000)  # what is loaded is drawn
    Image.open(BytesIO(page.screenshot())).save(
        Path(__file__).with_name("explorer.webp"), quality=80, method=6
    )
    browser.close()
