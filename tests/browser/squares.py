"""One dataset for all tests: coloured squares, a few of them with captions that try to be code."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, StorageState

from atlas.datasets.demo import Site
from tests.browser.test_journey import sign_up
from tests.browser.waiting import submit
from tests.datasets.material import picture, zip_of
from tests.people import PASSWORD
from tests.services.processes import wait_for
from tests.stack import Stack

COLOURS = ("red", "blue", "green", "yellow")
EACH = 30
EMAIL = "rosa@example.org"
#: What a caption may hold, by what must not come of it.
HOSTILE = {
    "script": "<script>window.broken = 1</script><img src=x onerror='window.broken = 2'>",
    "html": "<h1>Not a heading</h1><b>not bold</b> &amp; {{ 7 * 7 }}",
    "right to left": "\u202eמפה של תמונות \u2067خريطة الصور",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈 e\u0301" + "\u0336\u0337\u0338" * 30,
    "long": "long" * 2500,
}
#: Records in all.
ALL = len(COLOURS) * EACH + len(HOSTILE)


@dataclass(frozen=True)
class Squares:
    """Public, and its owner is signed in by `state`."""

    id: str
    #: The dataset's page; the map is below it.
    url: str
    #: Opens a share link.
    link: str
    state: StorageState
    #: The rows of the hostile captions.
    hostile: dict[str, int]

    @property
    def map(self) -> str:
        return f"{self.url}/map"


def make_squares(browser: Browser, stack: Stack, folder: Path) -> Squares:
    """Signs up, uploads, waits for the map, makes a link and publishes; takes some ten seconds."""
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    sign_up(page, EMAIL)
    site = Site(stack.url)
    site.sign_in(EMAIL, PASSWORD)
    archive = folder / "squares.zip"
    archive.write_bytes(squares_zip())
    dataset = site.post("/api/datasets", {"name": "Squares", "uploads": [site.upload(archive)]})
    bring_in(site, dataset)
    page.goto(f"{dataset['url']}/sharing")
    page.get_by_role("button", name="New link").click()
    page.get_by_label("For whom").fill("The jury")
    submit(page.get_by_role("button", name="Make the link"))
    link = page.get_by_label("Address of The jury").input_value()
    page.get_by_label("Public").check()
    submit(page.get_by_role("button", name="Save").first)
    state = context.storage_state()
    context.close()
    hostile = {name: len(COLOURS) * EACH + at for at, name in enumerate(HOSTILE)}
    return Squares(dataset["id"], dataset["url"], link, state, hostile)


def squares_zip() -> bytes:
    files: dict[str, str | bytes] = {}
    table = io.StringIO()
    lines = csv.writer(table)
    lines.writerow(["file_name", "caption", "year", "maker"])
    for at in range(len(COLOURS) * EACH):
        colour = COLOURS[at // EACH]
        name = f"{at:03}.png"
        files[name] = picture(colour, 40 + at % EACH, 40)
        lines.writerow([name, f"a {colour} square", 1900 + at, f"<b>{colour}</b>"])
    for at, caption in enumerate(HOSTILE.values(), len(COLOURS) * EACH):
        files[f"{at:03}.png"] = picture("black", 40 + at, 60)
        lines.writerow([f"{at:03}.png", caption, 2000, caption[:300]])
    return zip_of({**files, "captions.csv": table.getvalue()})


def bring_in(site: Site, dataset: dict[str, Any]) -> None:
    """Imports what was uploaded and waits for the map."""
    address = f"/api/datasets/{dataset['id']}"
    latest = f"{address}/imports/{dataset['latest_import']['id']}"
    wait_for(lambda: site.get(latest)["state"] == "described", "The description")
    site.post(f"{latest}/start", {"choices": {}})

    def is_built() -> bool:
        build = site.get(f"{address}/progress")["build"]["build"]
        return bool(build) and build["state"] == "done"

    wait_for(is_built, "The map")
