"""What really happens: workers, servers and connections killed in the middle, on the running system."""

import json
import os
import signal
import socket
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from atlas.datasets.demo import DemoError, Site
from tests.datasets.material import picture, zip_of
from tests.people import PASSWORD
from tests.services.processes import wait_for
from tests.stack import Stack

pytestmark = pytest.mark.slow

EMAIL = "erin@example.org"
TUS = {"Tus-Resumable": "1.0.0"}
BODY = {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture(scope="module")
def site(stack: Stack) -> Site:
    """Erin, signed in."""
    code = f"from atlas.teams.people import create_person; create_person({EMAIL!r}, {PASSWORD!r})"
    stack.manage("shell", "-v", "0", "-c", code)
    site = Site(stack.url)
    site.sign_in(EMAIL, PASSWORD)
    return site


def has_moved(site: Site, job: str, read: int) -> bool:
    """Whether the import, which is not over yet, has read more than so much."""
    now = site.get(job)
    assert now["state"] in ("queued", "running")
    return bool(now["read"] > read)


def pids_of(stack: Stack, words: str) -> list[int]:
    """Processes of this system (told from others by their data folder) whose command holds `words`."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            ours = f"ATLAS_HOME={stack.home}".encode() in (process / "environ").read_bytes().split(b"\0")
        except (OSError, ValueError):
            continue
        if ours and words in command:
            found.append(int(process.name))
    return found


def kill_all(stack: Stack, words: str) -> None:
    """Those of them that do not end with another."""
    for pid in pids_of(stack, words):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_killed_worker_loses_nothing_and_doubles_nothing(stack: Stack, site: Site, tmp_path: Path) -> None:
    count = 1500
    names = [f"{number:04}.png" for number in range(count)]
    pictures = {name: picture(f"#{number:06x}") for number, name in enumerate(names)}
    captions = "\n".join(["file,caption,id", *(f"{name},Picture {name},{name}" for name in names)])
    path = tmp_path / "many.zip"
    path.write_bytes(zip_of({"captions.csv": captions, **pictures}))
    dataset = site.post("/api/datasets", {"name": "Many", "uploads": [site.upload(path)]})
    address = f"/api/datasets/{dataset['id']}"
    job = f"{address}/imports/{dataset['latest_import']['id']}"
    wait_for(lambda: site.get(job)["state"] == "described", "The description")
    site.post(f"{job}/start", {"choices": {}})
    for _ in range(2):
        wait_for(partial(has_moved, site, job, site.get(job)["read"]), "The next batch", seen=stack.log)
        kill_all(stack, "celery")
    wait_for(lambda: site.get(job)["state"] == "done", "The end of the import", seen=stack.log)
    done = site.get(job)
    assert (done["read"], done["imported"], done["skipped"]) == (count, count, 0)
    assert site.get(address)["row_count"] == count
    keys = []
    for start in range(0, count, 500):
        rows = ",".join(map(str, range(start, start + 500)))
        keys += [record["key"] for record in site.get(f"{address}/records?rows={rows}")["records"]]
    assert keys == names
    originals = [
        path for path in (stack.home / "media/originals" / dataset["id"]).rglob("*") if path.is_file()
    ]
    assert {path.name for path in originals} == {path.name.split(".")[0] for path in originals}
    assert len(originals) == count
    site._send("DELETE", address)  # its map is of no interest, and a long piece of work


def test_a_broken_connection_and_a_killed_server_keep_what_arrived(stack: Stack, site: Site) -> None:
    size = 8 << 20
    with site._open("POST", "/uploads/", None, TUS | {"Upload-Length": str(size)}) as response:
        location = response.headers["Location"]
    send_half(stack, site, location, size)
    wait_for(lambda: offset(site, location), "The arrival of a part")
    settled = settled_offset(site, location)
    kill_all(stack, "uvicorn")
    wait_for(lambda: is_up(stack), "Recovery", seen=stack.log)
    kept = offset(site, location)
    assert 0 < settled <= kept <= size // 2
    rest = data_of(size)[kept:]
    site._send("PATCH", location, rest, TUS | BODY | {"Upload-Offset": str(kept)})
    upload = stack.home / "uploads" / location.rpartition("/")[2]
    assert upload.read_bytes() == data_of(size)


def data_of(size: int) -> bytes:
    return bytes(range(256)) * (size // 256)


def send_half(stack: Stack, site: Site, location: str, size: int) -> None:
    """Half of a PATCH, then the connection breaks."""
    cookies = {cookie.name: cookie.value for cookie in site.cookies}
    lines = [
        f"PATCH {location} HTTP/1.1",
        f"Host: {urlsplit(stack.url).netloc}",
        f"Cookie: {'; '.join(f'{name}={value}' for name, value in cookies.items())}",
        f"X-CSRFToken: {cookies[f'csrftoken_{urlsplit(stack.url).port}']}",
        f"Content-Length: {size}",
        "Upload-Offset: 0",
        *(f"{name}: {value}" for name, value in (TUS | BODY).items()),
    ]
    parts = urlsplit(stack.url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 80))) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + data_of(size)[: size // 2])
        time.sleep(0.5)


def offset(site: Site, location: str) -> int:
    with site._open("HEAD", location, None, TUS) as response:
        return int(response.headers["Upload-Offset"])


def settled_offset(site: Site, location: str) -> int:
    """When nothing more comes of what was sent before the connection broke."""
    before = -1
    while (now := offset(site, location)) != before:
        before = now
        time.sleep(1)
    return now


def is_up(stack: Stack) -> bool:
    try:
        return bool(json.loads(Site(stack.url)._send("GET", "/health"))["ready"])
    except (OSError, DemoError):  # of 503: it is up, and not ready yet
        return False
