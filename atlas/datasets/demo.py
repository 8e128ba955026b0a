"""The sample dataset, brought in as a person would: signed in, and uploaded over HTTP by the tus protocol."""

import base64
import json
import re
import time
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, Request, build_opener

SAMPLE = Path(__file__).parent / "sample" / "emoji.tar.gz"
NAME = "Emoji"
CHUNK = 4 << 20
POLL_SECONDS = 0.5
_TUS = {"Tus-Resumable": "1.0.0"}


class DemoError(Exception):
    """The sample cannot be shown; one sentence that says why."""


def load_sample(base_url: str, email: str, password: str) -> str:
    """Sign in, upload the sample unless it is there, and wait for its map; returns the map's address.

    May be run again, also after it was cut short. Raises DemoError.
    """
    site = Site(base_url)
    site.sign_in(email, password)
    datasets = site.get("/api/datasets?limit=500")["datasets"]
    dataset = next((each for each in datasets if each["name"] == NAME and each["may_edit"]), None)
    if dataset is None:
        description = "Every emoji, as drawn in the Noto Color Emoji font."
        body = {"name": NAME, "description": description, "uploads": [site.upload(SAMPLE)]}
        dataset = site.post("/api/datasets", body)
    _import(site, dataset)
    _wait_for_map(site, dataset)
    return f"{base_url}{dataset['url']}/map"


class Site:
    """A signed-in visitor without a browser."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.cookies = CookieJar()
        self.opener: OpenerDirector = build_opener(ProxyHandler({}), HTTPCookieProcessor(self.cookies))

    def sign_in(self, email: str, password: str) -> None:
        page = self._send("GET", "/accounts/login/").decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token is not None
        form = {"login": email, "password": password, "csrfmiddlewaretoken": token[1]}
        self._send("POST", "/accounts/login/", urlencode(form).encode())
        if self._cookie("sessionid") is None:
            raise DemoError(f"{email} could not sign in: the password was changed.")

    def upload(self, path: Path) -> str:
        """Returns the upload's id."""
        data = path.read_bytes()
        name = base64.b64encode(path.name.encode()).decode()
        headers = {"Upload-Length": str(len(data)), "Upload-Metadata": f"filename {name}"}
        with self._open("POST", "/uploads/", None, _TUS | headers) as response:
            location = str(response.headers["Location"])
        for start in range(0, len(data), CHUNK):
            place = {"Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}
            self._send("PATCH", location, data[start : start + CHUNK], _TUS | place)
        return location.rpartition("/")[2]

    def get(self, path: str) -> Any:
        return json.loads(self._send("GET", path))

    def post(self, path: str, body: Any) -> Any:
        return json.loads(
            self._send("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        )

    def _cookie(self, kind: str) -> str | None:
        """Its name may end with the port of the site (see the settings)."""
        return next((cookie.value for cookie in self.cookies if cookie.name.startswith(kind)), None)

    def _send(
        self, method: str, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        with self._open(method, path, data, headers or {}) as response:
            return bytes(response.read())

    def _open(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Any:
        token = self._cookie("csrftoken")
        headers = {"Referer": self.base_url, **({"X-CSRFToken": token} if token else {}), **headers}
        request = Request(self.base_url + path, data, headers, method=method)  # noqa: S310 - our own server
        try:
            return self.opener.open(request, timeout=60)
        except HTTPError as error:
            raise DemoError(
                f"{method} {path} was answered with {error.code}: {error.read(500).decode()}"
            ) from error


def _import(site: Site, dataset: dict[str, Any]) -> None:
    """From wherever an earlier run left it to the end of the import."""
    latest = f"/api/datasets/{dataset['id']}/imports/{dataset['latest_import']['id']}"
    while (job := site.get(latest))["state"] != "done":
        if job["state"] == "described":
            site.post(f"{latest}/start", {"choices": {}})
        elif job["state"] in ("failed", "cancelled"):
            raise DemoError(f"The import of the sample {job['state']}. {job['error']}")
        time.sleep(POLL_SECONDS)


def _wait_for_map(site: Site, dataset: dict[str, Any]) -> None:
    while True:
        build = site.get(f"/api/datasets/{dataset['id']}/progress")["build"]
        if build["maps"]:
            return
        if build["build"] and build["build"]["state"] in ("failed", "cancelled"):
            raise DemoError(f"The map of the sample was not built. {build['build']['error']}")
        time.sleep(POLL_SECONDS)
