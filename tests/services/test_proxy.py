"""Where `http_proxy` is set, which knows nothing of the machine that it is set on."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from atlas.datasets.demo import Site
from atlas.services.system import is_ready
from tests.deploy.compose import read


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"ready": True}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a server on this machine; the proxy does not answer."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_system_finds_itself_ready(url: str) -> None:
    assert is_ready(url)


def test_the_sample_is_brought_to_the_site_itself(url: str) -> None:
    assert Site(url).get("/") == {"ready": True}


def test_the_container_of_the_site_is_healthy(url: str) -> None:
    server = {"POSTGRES_PASSWORD": "a", "ATLAS_SECRET_KEY": "b", "ATLAS_ALLOWED_HOSTS": "c"}
    _, _, *command = read(server)["services"]["web"]["healthcheck"]["test"]
    [option, script] = command
    script = script.replace("http://127.0.0.1:8000", url)
    subprocess.run([sys.executable, option, script], check=True)
