"""The map in the browser beside its rivals, one table: `.venv/bin/python frontend/benchmarks/run.py --help`.

Every contender draws the same points in a Chromium of its own, 1280 × 800, WebGL in software: compare the
contenders, do not read the figures as what a person with a graphics card gets. CPU is user and system time
of all of Chromium's processes, so it counts the drawing, which happens outside of the page; script is the
time spent in the page's own callbacks. The first run installs the rivals (npm) and makes the data.
"""

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FRONTEND = HERE.parent
sys.path[:0] = [str(FRONTEND.parent), str(HERE)]

from made_data import first_points, forget, made_map, tile_count  # noqa: E402
from playwright.sync_api import Page, Response, sync_playwright  # noqa: E402

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]  # fmt: skip
MILLION = 1_000_000
#: deck.gl draws each point as an instance, which software GL does so slowly that more does not end.
DECK_POINTS = 20_000
ZOOMS = {"1": 736, "8": 8 * 736, "64": 64 * 736}
#: So much may what is compressed differ in size where as much was compressed.
SAME = 1.05
OPENINGS = 5
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    name: str
    points: int
    script_kb: float = 0
    first: dict[str, float] = field(default_factory=dict)
    pans: dict[str, dict[str, Any]] = field(default_factory=dict)
    lit: dict[str, float] = field(default_factory=dict)
    picks: dict[str, float] = field(default_factory=dict)


class Files(SimpleHTTPRequestHandler):
    """The built pages, and /maps and /points out of the data; gzip twins as the application sends them."""

    def __init__(self, *args: Any, pages: Path, data: Path, **more: Any) -> None:
        self.roots = {"maps": data, "points": data}
        self.pages = pages
        super().__init__(*args, **more)

    def do_GET(self) -> None:
        first, _, rest = self.path.split("?")[0].lstrip("/").partition("/")
        path = (
            self.roots[first] / rest
            if first in self.roots
            else self.pages / self.path.split("?")[0].lstrip("/")
        )
        twin = path.with_name(f"{path.name}.gz")
        if not path.is_file():
            self.send_error(404)
            return
        body = (twin if twin.exists() else path).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        if twin.exists():
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        with suppress(ConnectionError):  # the browser was closed meanwhile
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(pages: Path, data: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, pages=pages, data=data))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def processes(mark: str) -> list[int]:
    """The browser that was started with this mark and all its children."""
    parents: dict[int, int] = {}
    found: set[int] = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if mark in (folder / "cmdline").read_text():
                found.add(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    while new := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= new
    return list(found)


def cpu_seconds(mark: str) -> float:
    total = 0
    for pid in processes(mark):
        try:
            values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += int(values[11]) + int(values[12])
    return total / TICK


@contextmanager
def browsing(chromium: str) -> Iterator[tuple[Page, str]]:
    mark = f"--atlas-benchmark={uuid.uuid4().hex}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, mark])
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.on("pageerror", lambda error: print(f"  {error}", file=sys.stderr))
        yield page, mark
        browser.close()


def measure(name: str, address: str, points: int, chromium: str, frames: int) -> Figures:
    figures = Figures(name, points)
    with browsing(chromium) as (page, mark):
        scripts: list[int] = []

        def count(answer: Response) -> None:
            if answer.url.endswith(".js"):
                scripts.append(len(gzip.compress(answer.body())))

        page.on("response", count)
        page.goto(address)
        page.wait_for_function("window.started !== undefined")
        figures.first = page.evaluate("window.started")
        page.wait_for_timeout(1500)
        figures.first["cpu"] = cpu_seconds(mark)
        figures.script_kb = sum(scripts) / 1000
        for zoom, scale in ZOOMS.items():
            # Once beforehand: what has to be fetched for a zoom is fetched before it is timed.
            page.evaluate("scale => pan(scale, 2)", scale)
            page.wait_for_timeout(700)
            before = cpu_seconds(mark)
            figures.pans[zoom] = page.evaluate("([scale, frames]) => pan(scale, frames)", [scale, frames])
            figures.pans[zoom]["cpu"] = 1000 * (cpu_seconds(mark) - before) / frames
        page.evaluate("scale => pan(scale, 1)", ZOOMS["1"])
        page.evaluate("() => highlight([1, 2, 3])")
        before = cpu_seconds(mark)
        ordinals = list(range(7, points, max(1, points // 500)))[:500]
        figures.lit = page.evaluate("ordinals => highlight(ordinals)", ordinals)
        figures.lit["cpu"] = 1000 * (cpu_seconds(mark) - before)
        places = [
            [(211 * i) % 1200 + 40, (137 * i) % 720 + 40] for i in range(40 if name == "deck.gl" else 200)
        ]
        page.evaluate("places => pick(places)", places[:20])
        page.wait_for_timeout(500)
        figures.picks = page.evaluate("places => pick(places)", places)
    return figures


def first_paint(address: str, chromium: str) -> dict[str, float]:
    """The opening with the fewest bytes: what comes while shaders are compiled is not waited for."""
    openings = []
    for _ in range(OPENINGS):
        with browsing(chromium) as (page, _):
            page.goto(address)
            page.wait_for_function("window.started !== undefined")
            openings.append(dict(page.evaluate("window.started")))
    return min(openings, key=lambda opening: opening["bytes"])


def product_script() -> tuple[float, float]:
    """KB gzipped of the map page: what the map itself needs, and with all panels."""
    dist = FRONTEND / "dist"
    chunks = json.loads((dist / "manifest.json").read_text())

    def closure(names: list[str], kinds: tuple[str, ...]) -> set[str]:
        seen: set[str] = set()
        while names:
            name = names.pop()
            if name not in seen:
                seen.add(name)
                names += [other for kind in kinds for other in chunks[name].get(kind, [])]
        return seen

    def size(names: set[str]) -> float:
        files = {chunks[name]["file"] for name in names}
        return sum(len(gzip.compress((dist / file).read_bytes())) for file in files) / 1000

    pages = ["src/pages/map.ts", "src/pages/site.ts"]
    return size(closure([*pages], ("imports",))), size(closure([*pages], ("imports", "dynamicImports")))


def row(title: str, values: list[str]) -> str:
    return f"{title:<46}" + "".join(f"{value:>19}" for value in values)


def table(all_figures: list[Figures]) -> Iterator[str]:
    def number(value: float, digits: int = 0) -> str:
        return f"{value:,.{digits}f}"

    yield row("", [figures.name for figures in all_figures])
    yield row("points of the map", [number(f.points) for f in all_figures])
    yield row("script of this page, KB gzipped", [number(f.script_kb, 1) for f in all_figures])
    yield row("data before the first picture, KB", [number(f.first["bytes"] / 1000) for f in all_figures])
    yield row("  files", [number(f.first["requests"]) for f in all_figures])
    yield row("first picture after, ms", [number(f.first["ms"]) for f in all_figures])
    yield row("opening, CPU s", [number(f.first["cpu"], 1) for f in all_figures])
    for zoom in ZOOMS:
        yield row(
            f"panning at zoom {zoom}, CPU ms a frame", [number(f.pans[zoom]["cpu"]) for f in all_figures]
        )
        yield row("  points drawn", [number(f.pans[zoom]["drawn"]) for f in all_figures])
        yield row(
            "  script, median ms a frame",
            [number(statistics.median(f.pans[zoom]["script"]), 1) for f in all_figures],
        )
        yield row(
            "  script, longest frame, ms", [number(max(f.pans[zoom]["script"]), 1) for f in all_figures]
        )
    yield row("highlighting 500, script ms: the call", [number(f.lit["call"], 1) for f in all_figures])
    yield row("  the frame that shows it", [number(f.lit["frame"], 1) for f in all_figures])
    yield row("  CPU ms", [number(f.lit["cpu"]) for f in all_figures])
    yield row("picking, mean ms", [number(f.picks["mean"], 2) for f in all_figures])
    yield row("  99 of 100 within", [number(f.picks["most"], 2) for f in all_figures])
    yield row("  longest", [number(f.picks["longest"], 2) for f in all_figures])


def build(cache: Path) -> Path:
    """The pages with the rivals in them. Throws CalledProcessError where npm or the build fails."""
    node = os.environ | {"PATH": f"{FRONTEND.parent / '.venv' / 'node'}:{os.environ['PATH']}"}
    if not (HERE / "node_modules").exists():
        subprocess.run(["npm", "ci", "--loglevel=error"], cwd=HERE, env=node, check=True)
    out = cache / "pages"
    vite = str(FRONTEND / "node_modules" / "vite" / "bin" / "vite.js")
    command = [
        "node",
        vite,
        "build",
        "--config",
        str(HERE / "vite.config.ts"),
        "--outDir",
        str(out),
        "--logLevel",
        "error",
    ]
    subprocess.run(command, cwd=HERE, env=node, check=True)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=12, help="frames of each movement (12)")
    parser.add_argument(
        "--ten-million", action="store_true", help="also the first picture of a map of 10,000,000 points"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "atlas-map-benchmark",
        help="where data and pages are kept",
    )
    parser.add_argument("--forget", action="store_true", help="make the data anew")
    options = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        parser.error("There is no Chromium on this machine (on Debian: apt install chromium).")
    if options.forget:
        forget(options.cache)
    data = options.cache / "data"
    pages = build(options.cache)
    million = made_map(data, MILLION)
    first_points(million, data, DECK_POINTS)
    with serving(pages, data) as host:
        run = partial(measure, chromium=chromium, frames=options.frames)
        figures = [
            run("ours", f"{host}/ours.html?points={MILLION}", MILLION),
            run("ours, all points", f"{host}/ours.html?points={MILLION}&all", MILLION),
            run("regl-scatterplot", f"{host}/regl.html?points={MILLION}", MILLION),
            run("deck.gl", f"{host}/deck.html?points=first-{DECK_POINTS}", DECK_POINTS),
        ]
        print("\n".join(table(figures)))
        print(
            "“ours” draws the sample that this machine can move fluently, "
            "“all points” every one that a zoom shows.\n"
        )
        sizes = (MILLION, 10 * MILLION) if options.ten_million else (MILLION,)
        firsts = {}
        for n in sizes:
            tiles = tile_count(made_map(data, n))
            firsts[n] = first = first_paint(f"{host}/ours.html?points={n}", chromium)
            print(
                f"First picture of {n:,} points ({tiles:,} tiles): "
                f"{first['bytes'] / 1000:.0f} KB in {first['requests']:.0f} files, "
                f"{first['manifest'] / 1000:.0f} KB of it the list of tiles."
            )
    lone, whole = product_script()
    print(
        f"The application's map page: {lone:.1f} KB of script gzipped until the map is drawn, "
        f"{whole:.1f} KB with all panels.\n"
    )
    missed = list(misses(figures, list(firsts.values()), lone))
    print("\n".join(missed) or "Every limit is kept.")
    sys.exit(len(missed) > 0)


def misses(figures: list[Figures], firsts: list[dict[str, float]], script_kb: float) -> Iterator[str]:
    """A sentence for each limit that our map does not keep."""
    ours, _, regl, _ = figures
    data_kb = max(first["bytes"] for first in firsts) / 1000
    rest = [first["bytes"] - first["manifest"] for first in firsts]
    kept = {
        f"Before the first picture {data_kb:.0f} KB of data are sent, more than 150.": data_kb <= 150,
        f"Before the first picture {script_kb:.0f} KB of script are sent, more than 120.": script_kb <= 120,
        "Without the list of tiles, the first picture of a larger map takes more data.": (
            max(rest) <= SAME * min(rest)
        ),
        "Highlighting 500 hits takes more than 5 ms of script.": ours.lit["call"] + ours.lit["frame"] <= 5,
        "One of 100 picks takes more than 1 ms.": ours.picks["most"] <= 1,
    }
    for zoom in ZOOMS:
        mine, theirs = ours.pans[zoom], regl.pans[zoom]
        kept[f"Panning at zoom {zoom} costs more CPU than regl-scatterplot's."] = mine["cpu"] <= theirs["cpu"]
        kept[f"Panning at zoom {zoom} has a frame with more than 16 ms of script."] = (
            max(mine["script"]) <= 16
        )
    return (sentence for sentence, fine in kept.items() if not fine)


if __name__ == "__main__":
    main()
