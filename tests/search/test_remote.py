"""Pictures by their address: what is fetched, and what never is."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from pytest_django import Settings

from atlas.search import remote
from atlas.search.remote import RemoteError, is_public, time_out

PUBLIC = "93.184.215.14"
NAMES = {
    "pictures.example": [PUBLIC],
    "inside.example": ["10.0.0.7"],
    "both.example": [PUBLIC, "127.0.0.1"],
}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        place = {
            "/loop": "/loop",
            "/in": "http://inside.example/",
            "/file": "file:///etc/passwd",
            "/on": "/red",
        }
        if self.path in place:
            self.send_response(302)
            self.send_header("Location", place[self.path])
            self.end_headers()
            return
        self.send_response(404 if self.path == "/none" else 200)
        self.end_headers()
        size = remote.MOST_BYTES + 10 if self.path == "/large" else 3
        self.wfile.write(b"r" * size)

    def log_message(self, *_: object) -> None:
        """Not into the output of the tests."""


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[list[str]]:
    """The addresses that were connected to; one server stands for all of the internet."""
    settings.ATLAS_SEARCH_URLS = True
    made: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()

        def connect(address: str, _: int, seconds: float) -> socket.socket:
            made.append(address)
            return socket.create_connection(("127.0.0.1", server.server_port), timeout=seconds)

        monkeypatch.setattr(remote, "connect", connect)
        monkeypatch.setattr(remote, "resolve", lambda host, _: NAMES.get(host, [host]))
        yield made
        server.shutdown()


@pytest.mark.parametrize("path", ["/red", "/on", "", "/a b?c=ü"])
def test_it_fetches_from_public_addresses(connected: list[str], path: str) -> None:
    assert fetched("http://pictures.example" + path) == b"rrr"
    assert set(connected) == {PUBLIC}


@pytest.mark.parametrize(
    "url",
    [
        "http://inside.example/red",
        "http://both.example/red",
        "http://127.0.0.1/red",
        "http://[::1]/red",
        "http://[::ffff:127.0.0.1]/red",
        "http://169.254.169.254/latest/meta-data",
        "https://pictures.example:8443/red",
        "http://user:secret@pictures.example/red",
        "file:///etc/passwd",
        "gopher://pictures.example/",
        "http://",
        "http://pictures.example:x/",
        "http://[",
        "//pictures.example/red",
        "",
    ],
)
def test_it_connects_to_no_other_address(connected: list[str], url: str) -> None:
    with pytest.raises(RemoteError):
        fetched(url)
    assert connected == []


@pytest.mark.parametrize(
    ("path", "connections"), [("/in", 1), ("/file", 1), ("/loop", 4), ("/none", 1), ("/large", 1)]
)
def test_it_gives_up_on_what_leads_elsewhere(connected: list[str], path: str, connections: int) -> None:
    with pytest.raises(RemoteError):
        fetched("http://pictures.example" + path)
    assert connected == [PUBLIC] * connections


def fetched(url: str) -> bytes:
    return remote.fetch_picture(url, time_out())


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Half a second is all there is; what is slow goes on for minutes, or until the test is over."""
    monkeypatch.setattr(remote, "SECONDS", 0.5)
    over = Event()
    began = time.monotonic()
    yield over
    over.set()
    assert time.monotonic() - began < 60


def names_take(seconds: float, over: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object) -> list[str]:
        over.wait(seconds)
        return [PUBLIC]

    monkeypatch.setattr(remote, "resolve", resolve)


def test_a_name_that_is_looked_up_for_long_is_given_up(
    slow: Event, connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names_take(300, slow, monkeypatch)

    with pytest.raises(RemoteError, match="does not answer"):
        fetched("http://pictures.example/red")
    assert connected == []


def test_a_server_that_greets_byte_by_byte_is_given_up(slow: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = socket.socketpair()
    monkeypatch.setattr(remote, "connect", lambda *_: here)

    def greet() -> None:
        with there, suppress(OSError):
            there.sendall(b"\x16\x03\x03\x3f\x00")  # a TLS record of 16,128 bytes begins
            while not slow.wait(0.05):
                there.sendall(b"\0")

    greeting = Thread(target=greet)
    greeting.start()
    with pytest.raises(RemoteError, match="does not answer"):
        fetched("https://pictures.example/red")
    slow.set()
    greeting.join()


def test_one_limit_of_time_holds_for_all_addresses_on_the_way(
    slow: Event, connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names_take(0.3, slow, monkeypatch)

    with pytest.raises(RemoteError, match="does not answer"):
        fetched("http://pictures.example/loop")
    assert len(connected) < 1 + remote.MOST_REDIRECTS


def test_it_fetches_nothing_unless_the_server_allows_it(connected: list[str], settings: Settings) -> None:
    settings.ATLAS_SEARCH_URLS = False

    with pytest.raises(RemoteError, match="upload the picture"):
        fetched("http://pictures.example/red")
    assert connected == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (PUBLIC, True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("127.0.0.53", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
        ("2001:db8::1", False),
    ],
)
def test_public_is_what_everybody_can_reach(address: str, public: bool) -> None:
    assert is_public(address) is public
