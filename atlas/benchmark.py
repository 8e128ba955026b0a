"""From upload to ready map, measured on the real system: `python -m atlas.benchmark --records 100000`, or
`--upload FILE` for a file of your own, with the model `mini`.

Without a file it draws pictures, captions and vectors into one Parquet file. It starts `manage.py up` in a
folder of its own, uploads the file as a visitor would and waits for the maps. Prints what each stage took,
and the most memory that each process held (PSS, its proportional share: what processes share is counted once
over all of them).
"""

import argparse
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from atlas.datasets.demo import Site
from atlas.maps.benchmark import planted

ROOT = Path(__file__).parent.parent
EMAIL, PASSWORD = "bench@example.org", "for this run only"
ROWS_PER_GROUP = 5000
PIXELS = 96
THUMBNAILS = 1000
Env = dict[str, str]


# --- the data ---


def picture(random: np.random.Generator) -> tuple[bytes, str]:
    """A JPEG of one shape on a ground, and a caption that is true of it."""
    ground, colour = (tuple(int(part) for part in random.integers(0, 256, 3)) for _ in range(2))
    image = Image.new("RGB", (PIXELS, PIXELS), ground)
    x, y, size = (int(part) for part in random.integers(0, PIXELS // 2, 3))
    box = (x, y, x + size + 8, y + size + 8)
    round_one = bool(random.integers(2))
    pen = ImageDraw.Draw(image)
    (pen.ellipse if round_one else pen.rectangle)(box, fill=colour)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82)
    return (
        out.getvalue(),
        f"A {'disc' if round_one else 'box'} {size + 8} wide, number {random.integers(10**9)}",
    )


def draw(path: Path, records: int, dimensions: int) -> None:
    random = np.random.default_rng(0)
    vectors = planted(records, dimensions)
    schema = pa.schema(
        {
            "id": pa.string(),
            "image": pa.binary(),
            "caption": pa.string(),
            "vector": pa.list_(pa.float32(), dimensions),
            "kind": pa.string(),
            "weight": pa.float64(),
        }
    )
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, records, ROWS_PER_GROUP):
            part = vectors[start : start + ROWS_PER_GROUP]
            pictures, captions = zip(*(picture(random) for _ in part), strict=True)
            columns = [
                [f"r{number}" for number in range(start, start + len(part))],
                pictures,
                captions,
                pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), dimensions),
                [f"kind {number}" for number in random.integers(0, 40, len(part))],
                random.normal(size=len(part)),
            ]
            writer.write_table(pa.table(columns, schema=schema))


# --- the system ---


@contextmanager
def running_system(folder: Path) -> Iterator[tuple[str, Env, int]]:
    """Address, environment and process of a system of its own, with its data below `folder`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env = os.environ | {"ATLAS_HOME": str(folder / "home"), "ATLAS_PORT": str(port), "ATLAS_MODEL": "mini"}
    env["ATLAS_SEARCHES_PER_MINUTE"] = "1000000"
    said = folder / "output"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=env, stdout=output, stderr=output
        )
    try:
        while "ready: " not in said.read_text():
            if process.poll() is not None:
                raise SystemExit(said.read_text())
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", env, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextmanager
def peaks_of(parent: int, seconds: float = 1) -> Iterator[dict[str, float]]:
    """The most memory, in MB, of each process below `parent` and of all; filled while the block runs.

    Looked at every so many seconds: adding up the memory takes time that what is measured then lacks.
    """
    peaks: dict[str, float] = {}
    over = Event()

    def watch() -> None:
        while not over.wait(seconds):
            now: dict[str, float] = {}
            for pid in _below(parent):
                name, size = _memory(pid)
                now[name] = now.get(name, 0) + size
            now["all together"] = sum(now.values())
            for name, size in now.items():
                peaks[name] = max(peaks.get(name, 0), size)

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        over.set()
        watcher.join()


def _below(parent: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            children.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(
                int(stat.parent.name)
            )
        except OSError:  # it ended meanwhile
            continue
    found = [parent]
    for pid in found:
        found += children.get(pid, [])
    return found


def _memory(pid: int) -> tuple[str, float]:
    """What the process is, for people, and its share of the memory in MB."""
    try:
        shares = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it ended meanwhile
        return "others", 0.0
    line = next((line for line in shares.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return _name(pid), int(line.split()[1]) / 1024


def processor_seconds(parent: int) -> dict[str, float]:
    """What each process below `parent` has used until now; those of a name together."""
    used: dict[str, float] = {}
    for pid in _below(parent):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        used[_name(pid)] = used.get(_name(pid), 0) + seconds
    return used


def _name(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:  # it ended meanwhile
        return "others"
    known = {"postgres": "Postgres", "redis": "Redis", "query@": "query worker", "beat": "beat"}
    known |= {"celery": "workers", "uvicorn": "web"}
    return next((name for mark, name in known.items() if mark in command), "others")


# --- the run ---


class Listener:
    """Hears what a page is told about a dataset: the longest time without a word while each stage ran."""

    def __init__(self, site: Site, dataset: str) -> None:
        self.longest: dict[str, float] = {}
        # By what the words are about: which stages run, and when that was said.
        self._heard: dict[str, tuple[list[str], float]] = {}
        Thread(target=self._listen, args=(site, f"{dataset}/events"), daemon=True).start()

    def _listen(self, site: Site, address: str) -> None:
        with site._open("GET", address, None, {}) as lines:
            for line in lines:
                if line.startswith(b"data: "):
                    self._hear(json.loads(line[6:]), time.perf_counter())

    def _hear(self, event: dict[str, Any], now: float) -> None:
        job = event["import"]["import"] if event.get("kind") == "snapshot" else event.get("import")
        if job:
            state = job["state"]
            self._note("import", [state] if state in ("describing", "running") else [], now)
        build = event if event.get("kind") == "build" else event.get("build")
        if build and build["build"]:
            names = [each["name"] for each in build["stages"] if each["state"] == "running"]
            self._note("build", names, now)

    def _note(self, about: str, stages: list[str], now: float) -> None:
        before, since = self._heard.get(about, ([], now))
        for stage in before:
            self.longest[stage] = max(self.longest.get(stage, 0.0), now - since)
        self._heard[about] = stages, now


def from_upload_to_map(url: str, env: Env, upload: Path) -> tuple[int, dict[str, float], dict[str, float]]:
    """How many records came in, seconds of every stage, and of the longest silence in each; the system's own
    books tell more."""
    _inside(env, "person")
    site = Site(url)
    site.sign_in(EMAIL, PASSWORD)
    began = time.perf_counter()
    sent = site.upload(upload)
    seconds = {"upload": time.perf_counter() - began}
    dataset = site.post("/api/datasets", {"name": "Bench", "uploads": [sent]})
    path = f"/api/datasets/{dataset['id']}"
    listener = Listener(site, path)
    job = f"{path}/imports/{dataset['latest_import']['id']}"
    seconds["describe"] = _until(lambda: site.get(job)["state"] == "described")
    site.post(f"{job}/start", {"choices": {}})
    seconds["import"] = _until(lambda: _is_done(site.get(job)))
    seconds["build"] = _until(lambda: _is_done(site.get(f"{path}/progress")["build"]["build"]))
    return site.get(job)["imported"], seconds, listener.longest


def _is_done(work: dict[str, Any]) -> bool:
    if work["state"] == "failed":
        raise SystemExit(work["error"])
    return bool(work["state"] == "done")


def _until(done: Any) -> float:
    began = time.perf_counter()
    while not done():
        time.sleep(0.25)
    return time.perf_counter() - began


def _inside(env: Env, verb: str) -> str:
    """Run a verb of this file in a process of the measured system."""
    command = [sys.executable, "-m", "atlas.benchmark", "--inside", verb]
    return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout


def make_person() -> None:
    from atlas.teams.people import create_person

    create_person(EMAIL, PASSWORD)


def read_books() -> None:
    """Prints as JSON: seconds of every stage of the build, and how many records a second COPY alone takes."""
    from atlas.datasets.benchmark import copied_a_second, thumbnails_a_second
    from atlas.datasets.models import Dataset
    from atlas.maps.models import Step

    spans: dict[str, list[Any]] = {}
    for step in Step.objects.exclude(started_at=None).exclude(finished_at=None).order_by("id"):
        span = spans.setdefault(f"{step.stage} {step.space}".strip(), [step.started_at, step.finished_at])
        span[:] = min(span[0], step.started_at), max(span[1], step.finished_at)
    stages = {name: (last - first).total_seconds() for name, (first, last) in spans.items()}
    copied = copied_a_second(Dataset.objects.get(name="Bench"))
    random = np.random.default_rng(1)
    thumbnails = thumbnails_a_second([picture(random)[0] for _ in range(THUMBNAILS)])
    print(json.dumps({"stages": stages, "copied": copied, "thumbnails": thumbnails}))


def report(
    records: int,
    rates: dict[str, float],
    seconds: dict[str, float],
    silences: dict[str, float],
    peaks: dict[str, float],
) -> None:
    print(f"\n{records:,} records, from upload to ready maps\n")
    for name, each in seconds.items():
        print(f"{name:<28}{each:>10.1f} s {records / max(each, 1e-3):>12,.0f} records/s")
    print()
    for name, each in rates.items():
        print(f"{name:<28}{each:>10,.0f} a second")
    print("\nlongest silence, s")
    for name, each in silences.items():
        print(f"{name:<28}{each:>10.2f}")
    print("\nthe most memory held, MB")
    for name, each in sorted(peaks.items()):
        print(f"{name:<28}{each:>10,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--upload", type=Path, help="this file instead of drawn records")
    parser.add_argument("--dimensions", type=int, default=256)
    parser.add_argument("--inside", choices=["person", "books"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        import django

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas.settings")
        django.setup()
        return make_person() if asked.inside == "person" else read_books()
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the services of root run as another user
        upload = asked.upload or folder / "records.parquet"
        if not asked.upload:
            draw(upload, asked.records, asked.dimensions)
        with running_system(folder) as (url, env, process):
            with peaks_of(process) as peaks:
                records, seconds, silences = from_upload_to_map(url, env, upload)
            books = json.loads(_inside(env, "books"))
        seconds |= {f"  {name}": each for name, each in books["stages"].items()}
        rates = {
            "uploaded MB": upload.stat().st_size / 2**20 / seconds["upload"],
            "thumbnails, one thread": books["thumbnails"],
            "COPY of records": books["copied"],
        }
    report(records, rates, seconds, silences, peaks)
    return None


if __name__ == "__main__":
    main()
