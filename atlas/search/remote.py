"""A picture from an address that a visitor names, without becoming their way into our own network.

Off unless the server allows it. The name is resolved once, every address of it must be public, and the
connection goes to an address that was looked at, so a name that changes its mind in between gains nothing
(DNS rebinding). Each redirect is checked as the first address was. No cookie, no password, no proxy.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Timer
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from django.conf import settings

MOST_REDIRECTS = 3
MOST_BYTES = 8 << 20
#: For all addresses of a request and on the way together, everything included: a thread of the web server
#: waits for them.
SECONDS = 8.0
_REDIRECTS = (301, 302, 303, 307, 308)
#: What means something in an address, and % because it is quoted already.
_UNQUOTED = "/%:@!$&'()*+,;=~"
_PORTS = {"http": 80, "https": 443}
#: IPv6 that the world can reach; what embeds an IPv4 address (6to4, Teredo) is left out below.
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
#: The system's look-up of a name knows no limit of time: whoever waits for it leaves it behind.
_resolvers = ThreadPoolExecutor(4, thread_name_prefix="resolver")


class RemoteError(Exception):
    """The picture cannot be had: a sentence that tells nothing about our network."""


def fetch_picture(url: str, until: float) -> bytes:
    """The bytes at a public address, whatever they are. Raises RemoteError.

    until: as by `time_out`; a request with several addresses has one for all.
    """
    if not settings.ATLAS_SEARCH_URLS:
        raise RemoteError("This server does not fetch pictures from addresses: upload the picture instead.")
    for _ in range(MOST_REDIRECTS + 1):
        content, following = _fetch(_checked(url), until)
        if following is None:
            return content
        url = urljoin(url, following)
    raise RemoteError("The address of the picture leads on too many times.")


def time_out() -> float:
    """When the addresses of a request that comes now are given up."""
    return time.monotonic() + SECONDS


def is_public(address: str) -> bool:
    """Whether an IP address is one that everybody in the world could reach."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and (
        parsed.sixtofour or parsed.teredo or parsed not in _GLOBAL_V6
    ):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def connect(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RemoteError("The address of the picture is no web address.") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise RemoteError("The address of a picture begins with https:// or http://.")
    if parts.username is not None or port not in (None, _PORTS[parts.scheme]):
        raise RemoteError("The address of a picture has no user name and no port of its own.")
    return parts


def _fetch(parts: SplitResult, until: float) -> tuple[bytes, str | None]:
    """The content, or where it leads on to."""
    host, port = str(parts.hostname), _PORTS[parts.scheme]
    address = _public_address(host, port, until)
    try:
        with closing(_opened(parts.scheme, host, address, port, until)) as opened:
            return _asked(opened, host, port, parts, until)
    except (OSError, http.client.HTTPException, ValueError):
        raise RemoteError("The address of the picture does not answer.") from None


def _left(until: float) -> float:
    """Seconds. Raises TimeoutError."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _public_address(host: str, port: int, until: float) -> str:
    try:
        addresses = _resolvers.submit(resolve, host, port).result(_left(until))
    except TimeoutError:
        raise RemoteError("The address of the picture does not answer.") from None
    except (OSError, UnicodeError):
        addresses = []
    # One that is not ours among others would be found by asking often enough.
    if not addresses or not all(is_public(address) for address in addresses):
        raise RemoteError("The address of the picture is not one on the public internet.")
    return addresses[0]


def _opened(scheme: str, host: str, address: str, port: int, until: float) -> socket.socket:
    """Connected; in https nothing was said yet."""
    opened = connect(address, port, _left(until))
    if scheme == "http":
        return opened
    try:
        context = ssl.create_default_context()
        return context.wrap_socket(opened, server_hostname=host, do_handshake_on_connect=False)
    except OSError:
        opened.close()
        raise


def _asked(
    opened: socket.socket, host: str, port: int, parts: SplitResult, until: float
) -> tuple[bytes, str | None]:
    # A server that sends a byte now and then would outlast every timeout of a single read.
    ender = Timer(_left(until), _end, [opened])
    ender.daemon = True
    ender.start()
    try:
        if isinstance(opened, ssl.SSLSocket):
            opened.do_handshake()
        with closing(http.client.HTTPConnection(host, port)) as connection:
            connection.sock = opened
            return _answered(connection, parts)
    finally:
        ender.cancel()


def _answered(connection: http.client.HTTPConnection, parts: SplitResult) -> tuple[bytes, str | None]:
    path = quote(parts.path or "/", safe=_UNQUOTED)
    path += "?" + quote(parts.query, safe=_UNQUOTED + "?") if parts.query else ""
    connection.request("GET", path, headers={"Accept": "image/*", "User-Agent": "Atlas"})
    response = connection.getresponse()
    if response.status in _REDIRECTS and (following := response.getheader("Location")):
        return b"", following
    if response.status != http.client.OK:
        raise RemoteError("There is no picture at this address.")
    content = response.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise RemoteError(f"The picture at this address is larger than {MOST_BYTES >> 20} MB.")
    return content, None


def _end(opened: socket.socket) -> None:
    with suppress(OSError):  # it ended by itself
        # Not by the method of TLS, which is in use in another thread.
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
