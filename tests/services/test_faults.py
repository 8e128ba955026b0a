"""Servers and the supervisor, really killed while somebody uploads, imports and builds: it goes on."""

import base64
import json
import os
import signal
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.error import URLError

import pytest

from atlas.datasets.demo import DemoError, Site
from tests.datasets.material import picture, zip_of
from tests.people import PASSWORD
from tests.services.processes import child_with, descendants, parents, wait_for
from tests.stack import SECONDS_TO_STOP, Stack, open_folder, running_stack

pytestmark = pytest.mark.slow

EMAIL = "fault@example.org"
COUNT = 240
TUS = {"Tus-Resumable": "1.0.0"}
SERVERS = ("bin/postgres", "redis-server", "uvicorn")


def signed_in(stack: Stack) -> Site:
    code = (
        "from atlas.teams.models import User; from atlas.teams.people import create_person;"
        f"User.objects.filter(email={EMAIL!r}).exists() or create_person({EMAIL!r}, {PASSWORD!r})"
    )
    stack.manage("shell", "-v", "0", "-c", code)
    site = Site(stack.url)
    site.sign_in(EMAIL, PASSWORD)
    return site


def ask(site: Site, path: str) -> Any:
    """The answer, or None while the server is away."""
    try:
        return site.get(path)
    except (URLError, ConnectionError, TimeoutError, DemoError):
        return None


def upload_of_pictures() -> bytes:
    """A zip of `COUNT` pictures, no two alike, each with a caption and an id."""
    names = [f"{number:04}.png" for number in range(COUNT)]
    table = "\n".join(["file,caption,id", *(f"{name},Picture {name},{name}" for name in names)])
    files = {name: picture(f"#{number * 997:06x}", 64, 48) for number, name in enumerate(names)}
    return zip_of({"captions.csv": table, **files})


class SlowUpload:
    """A file sent piece by piece, as the protocol says: after a fault ask how far it is, then go on."""

    def __init__(self, site: Site, data: bytes) -> None:
        self.site, self.data = site, data
        name = base64.b64encode(b"many.zip").decode()
        headers = TUS | {"Upload-Length": str(len(data)), "Upload-Metadata": f"filename {name}"}
        with site._open("POST", "/uploads/", None, headers) as response:
            self.location = str(response.headers["Location"])

    @property
    def offset(self) -> int | None:
        try:
            with self.site._open("HEAD", self.location, None, TUS) as response:
                return int(response.headers["Upload-Offset"])
        except (URLError, ConnectionError, TimeoutError, DemoError):
            return None

    def send_until(self, share: float) -> None:
        """A server that was just killed may answer once more, so any single step may fail."""
        stop = round(len(self.data) * share)
        wait_for(lambda: self._is_sent(stop), f"An upload that is at {stop}")

    def _is_sent(self, stop: int) -> bool:
        start = self.offset
        if start is None:
            return False
        if start < stop:
            headers = TUS | {
                "Upload-Offset": str(start),
                "Content-Type": "application/offset+octet-stream",
            }
            with suppress(URLError, ConnectionError, TimeoutError, DemoError):
                self.site._send("PATCH", self.location, self.data[start:stop], headers)
        return self.offset == stop


def kill(stack: Stack, words: str) -> None:
    os.kill(child_with(stack.process.pid, words), signal.SIGKILL)


def start_import(site: Site, upload: SlowUpload) -> tuple[str, str]:
    """The addresses of the dataset and of its import, which runs."""
    body = {"name": "Many", "uploads": [upload.location.rpartition("/")[2]]}
    dataset = site.post("/api/datasets", body)
    address = f"/api/datasets/{dataset['id']}"
    job = f"{address}/imports/{dataset['latest_import']['id']}"
    wait_for(lambda: (ask(site, job) or {}).get("state") == "described", "The description")
    site.post(f"{job}/start", {"choices": {}})
    return address, job


def has_embedded_more(site: Site, dataset: str, least: int) -> bool:
    """Whether the build has made more vectors than that, of `2 * COUNT`."""
    progress = ask(site, f"{dataset}/progress")
    stages = progress["build"]["stages"] if progress else []
    return bool(sum(stage["done"] for stage in stages if stage["stage"] == "embed") > least)


def state_of_build(site: Site, dataset: str) -> str:
    """No map is shown before all are, at the latest when the build is done: else this fails."""
    progress = ask(site, f"{dataset}/progress")
    if not progress or not progress["build"]["build"]:
        return "none"
    build = progress["build"]["build"]
    assert build["state"] in ("queued", "running", "done"), build["error"]
    # The state is read first: the maps may come in between.
    assert len(progress["build"]["maps"]) in ((3,) if build["state"] == "done" else (0, 3))
    return str(build["state"])


def check_everything_is_there_once(stack: Stack, site: Site, dataset: str) -> None:
    assert site.get(dataset)["row_count"] == COUNT
    keys = [
        record["key"]
        for start in range(0, COUNT, 120)
        for record in site.get(f"{dataset}/records?rows={','.join(map(str, range(start, start + 120)))}")[
            "records"
        ]
    ]
    assert keys == [f"{number:04}.png" for number in range(COUNT)]
    maps = site.get(f"{dataset}/progress")["build"]["maps"]
    assert [(each["space"], each["number"], each["count"]) for each in maps] == [
        (space, 1, COUNT) for space in ("image", "caption", "joint")
    ]
    code = (
        "import json; from uuid import UUID; from atlas.maps.vectors import stored_rows;"
        f"rows = [stored_rows(UUID({dataset.rpartition('/')[2]!r}), space, 0, {2 * COUNT}).tolist()"
        " for space in ('image', 'caption')]; print(json.dumps(rows))"
    )
    assert json.loads(stack.manage("shell", "-v", "0", "-c", code)) == [list(range(COUNT))] * 2
    originals = [path for path in (stack.home / "media/originals").rglob("*") if path.is_file()]
    of_this = [path for path in originals if dataset.rpartition("/")[2] in path.parts]
    assert len(of_this) == len({path.name for path in of_this}) == COUNT


def test_servers_killed_in_the_middle_cost_only_time(stack: Stack) -> None:
    site = signed_in(stack)
    upload = SlowUpload(site, upload_of_pictures())
    for number, server in enumerate(SERVERS, start=1):
        upload.send_until(number / (len(SERVERS) + 1))
        kill(stack, server)
    upload.send_until(1)
    dataset, job = start_import(site, upload)
    wait_for(lambda: (ask(site, job) or {}).get("read", 0) > 0, "The first batch")
    for server in SERVERS:
        kill(stack, server)
    wait_for(lambda: (ask(site, job) or {}).get("state") == "done", "The end of the import", seen=stack.log)
    for number, server in enumerate(SERVERS):
        least = number * COUNT // 4  # so that the first is killed before half is done
        wait_for(partial(has_embedded_more, site, dataset, least), "The next vectors")
        kill(stack, server)
    wait_for(lambda: state_of_build(site, dataset) == "done", "The end of the build", seen=stack.log)
    check_everything_is_there_once(stack, site, dataset)


def test_a_killed_supervisor_leaves_nothing_running_and_the_next_start_goes_on() -> None:
    with open_folder() as folder:
        spaced = folder / "a folder with spaces"
        spaced.mkdir(mode=0o711)
        with running_stack(spaced) as stack:
            site = signed_in(stack)
            data = upload_of_pictures()
            first, second = SlowUpload(site, data), SlowUpload(site, data)
            first.send_until(1)
            dataset, _ = start_import(site, first)
            wait_for(lambda: has_embedded_more(site, dataset, 0), "The first vectors")
            second.send_until(0.5)
            started = descendants(stack.process.pid)
            assert len(started) >= 10  # Postgres' own, and the workers' pools, too
            stack.process.kill()
            wait_for(lambda: not started & parents().keys(), "The end of what the supervisor started")
        with running_stack(spaced) as stack:
            site = second.site = signed_in(stack)  # on another port, whose cookies are others
            second.send_until(1)
            wait_for(lambda: state_of_build(site, dataset) == "done", "The end of the build", seen=stack.log)
            check_everything_is_there_once(stack, site, dataset)
            assert (stack.home / "uploads" / second.location.rpartition("/")[2]).read_bytes() == data
            started = descendants(stack.process.pid)
            stack.process.send_signal(signal.SIGINT)
            assert stack.process.wait(SECONDS_TO_STOP) == 0
            wait_for(lambda: not started & parents().keys(), "The end of what was killed in the end")
        assert (spaced / "output").read_text().splitlines()[-1] == "stopped"
