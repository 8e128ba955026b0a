"""As much of S3 as a storage needs, in memory: objects by key, and a list of what was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "pictures"


@dataclass
class FakeS3:
    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    #: Keys of objects that are gone once somebody has looked for them.
    fleeting: set[str] = field(default_factory=set)


@contextmanager
def fake_s3() -> Iterator[FakeS3]:
    store = FakeS3()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if "aws-chunked" in self.headers.get("Content-Encoding", ""):
                data = _without_frames(data)
            store.objects[self._key()] = data
            self._answer(200, etag=data)

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            if "prefix" in query:
                listing = _listing(store.objects, query["prefix"][0])
                self._answer(200, listing, kind="application/xml")
            else:
                self._object(body=True)

        def do_HEAD(self) -> None:
            self._object(body=False)
            _, key = store.asked[-1]
            if key in store.fleeting:
                store.objects.pop(key, None)

        def do_DELETE(self) -> None:
            store.objects.pop(self._key(), None)
            self._answer(204)

        def _key(self) -> str:
            bucket, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
            assert bucket == BUCKET
            store.asked.append((self.command, key))
            return key

        def _object(self, *, body: bool) -> None:
            data = store.objects.get(self._key())
            if data is None:
                missing = b"<Error><Code>NoSuchKey</Code><Message>None.</Message></Error>"
                self._answer(404, missing if body else b"", kind="application/xml")
            else:
                self._answer(200, data, etag=data, body=body)

        def _answer(
            self,
            status: int,
            data: bytes = b"",
            *,
            kind: str = "",
            etag: bytes | None = None,
            body: bool = True,
        ) -> None:
            self.send_response(status)
            if etag is not None:
                self.send_header("ETag", f'"{md5(etag, usedforsecurity=False).hexdigest()}"')
                self.send_header("Last-Modified", formatdate(usegmt=True))
            if kind:
                self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _without_frames(data: bytes) -> bytes:
    """The body of an upload in chunks: hex size, signature, line end, bytes, line end; size zero ends it."""
    whole, at = b"", 0
    while True:
        line = data.index(b"\r\n", at)
        size = int(data[at:line].split(b";")[0], 16)
        if not size:
            return whole
        whole += data[line + 2 : line + 2 + size]
        at = line + 2 + size + 2


def _listing(objects: dict[str, bytes], prefix: str) -> bytes:
    """One level below the prefix: keys, and what looks like a folder."""
    names = [key.removeprefix(prefix) for key in sorted(objects) if key.startswith(prefix)]
    folders = sorted({name.partition("/")[0] for name in names if "/" in name})
    keys = [
        f"<Contents><Key>{escape(prefix + name)}</Key><Size>{len(objects[prefix + name])}</Size></Contents>"
        for name in names
        if "/" not in name
    ]
    inner = [
        f"<CommonPrefixes><Prefix>{escape(prefix + name)}/</Prefix></CommonPrefixes>" for name in folders
    ]
    head = f"<ListBucketResult><IsTruncated>false</IsTruncated><Prefix>{escape(prefix)}</Prefix>"
    return f"{head}{''.join(keys + inner)}</ListBucketResult>".encode()
