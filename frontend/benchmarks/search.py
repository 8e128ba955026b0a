"""From the Enter key to highlighted points: `.venv/bin/python frontend/benchmarks/search.py [map address]`.

A Chromium, 1280 × 800, WebGL in software, types thirty queries of words into the search box, twice: words
that nobody asked before, which the text tower has to read, then the same again. Measured in the page from the
key to the end of the first frame with the hits, its drawing included, and what of it was waiting for the
server. Without an address it starts a system of its own with the sample dataset.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE)]

from playwright.sync_api import Page, sync_playwright  # noqa: E402
from run import ARGUMENTS, NAMES  # noqa: E402

from atlas.benchmark import ROOT, running_system  # noqa: E402

AIM_MS = 200
QUERIES = (
    "animals that are cute to cuddle with", "red fruit", "a happy face", "something to drink", "snow",
    "flags", "a city at night", "musical instruments", "hearts", "things to write with", "vehicles",
    "a person at work", "sports with a ball", "flowers", "sea creatures", "clothes for winter", "clocks",
    "hands", "arrows", "sweet food", "birds", "buildings", "weather", "tools", "money", "angry faces",
    "families", "signs of stars", "vegetables", "dances",
)  # fmt: skip
#: Once the hits are handed to the GPU, reads a pixel in the next frame: that waits until all of it is drawn.
WATCH = """
() => {
  const gl = document.querySelector(".map-stage canvas").getContext("webgl2");
  const [bufferData, clear] = [gl.bufferData.bind(gl), gl.clear.bind(gl)];
  let [started, frames, asking, tell] = [0, 0, 0, null];
  const ask = window.fetch.bind(window);
  window.fetch = (...given) => {
    asking++;
    return ask(...given).finally(() => asking--);
  };
  gl.clear = (...given) => { frames++; clear(...given); };
  addEventListener("keydown", ({ key }) => { if (key === "Enter") started = performance.now(); }, true);
  gl.bufferData = (...given) => {
    bufferData(...given);
    const [from, known] = [started, performance.now()];
    const asked = performance.getEntriesByType("resource").filter(({ startTime }) => startTime >= from);
    const search = from && asked.find(({ name }) => name.endsWith("/search"));
    if (!search) return;
    started = 0;
    requestAnimationFrame(() => {
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
      const drawn = performance.now();
      tell({
        whole: drawn - from, before: search.startTime - from, server: search.responseStart - search.startTime,
        reading: known - search.responseStart, drawing: drawn - known, requests: asked.length,
      });
    });
  };
  window.rest = async () => {
    performance.clearResourceTimings();
    for (let [calm, before] = [0, ""]; calm < 5; ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const now = `${frames} ${performance.getEntriesByType("resource").length}`;
      calm = now === before && asking === 0 ? calm + 1 : 0;
      before = now;
    }
    window.found = new Promise((resolve) => { tell = resolve; });
  };
}
"""


@contextmanager
def sample_map(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Address, e-mail and password of a system of its own."""
    with running_system(folder) as (_, env, _):
        command = [sys.executable, "manage.py", "demo"]
        said = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout
        found = re.search(r"sign in: (\S+), password (\S+)\nmap: (\S+)", said)
        assert found, said
        yield found[3], found[1], found[2]


def sign_in(page: Page, address: str, email: str, password: str) -> None:
    page.goto(re.sub(r"/data/.*", "/accounts/login/", address))
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^(?!.*/login/)"))


def measure(page: Page, queries: list[str]) -> list[dict[str, float]]:
    """Each asked once, when half a second has passed without a request and without a frame."""
    box = page.get_by_role("combobox", name="Search by meaning")
    found = []
    for query in queries:
        box.fill(query)
        page.evaluate("window.rest()")
        box.press("Enter")
        # Not asked again and again: that would take the processors from what is measured.
        found.append(page.evaluate("window.found"))
    return found


def table(rows: dict[str, list[dict[str, float]]]) -> str:
    lines = [f"{'ms, p50 / p95':<16}" + "".join(f"{name:>16}" for name in rows)]
    for key in ("whole", "before", "server", "reading", "drawing"):
        cells = [[row[key] for row in found] for found in rows.values()]
        shown = [
            f"{statistics.median(each):.0f} / {statistics.quantiles(each, n=20)[-1]:.0f}" for each in cells
        ]
        lines.append(f"{key:<16}" + "".join(f"{each:>16}" for each in shown))
    most = max(row["requests"] for found in rows.values() for row in found)
    slow = sum(row["whole"] > AIM_MS for found in rows.values() for row in found)
    total = sum(map(len, rows.values()))
    lines.append(
        f"{most:.0f} request from the key to the frame; {slow} of {total} took more than {AIM_MS} ms"
    )
    return "\n".join(lines)


def run(address: str, who: tuple[str, str] | None) -> None:
    path = next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        if who:
            sign_in(page, address, *who)
        page.goto(address)
        page.get_by_role("combobox", name="Search by meaning").wait_for()
        page.wait_for_load_state("networkidle")
        page.evaluate(WATCH)
        measure(page, ["to warm up"])
        run_number = int(time.time()) % 100_000  # vectors of words are kept for an hour
        queries = [f"{query} {run_number}" for query in QUERIES]
        print(table({"new words": measure(page, queries), "asked before": measure(page, queries)}))
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("map", nargs="?", help="of a running system, for visitors to see")
    parser.add_argument("--sign-in", nargs=2, metavar=("EMAIL", "PASSWORD"))
    given: Any = parser.parse_args()
    if given.map:
        run(given.map, given.sign_in)
        return
    with tempfile.TemporaryDirectory() as folder, sample_map(Path(folder)) as (address, email, password):
        run(address, (email, password))


if __name__ == "__main__":
    main()
