"""A small provider of OpenID Connect on a port of its own."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any
from urllib.parse import parse_qs

import jwt

CLIENT_ID, SECRET = "atlas", "hush, this is the client's secret word"


@dataclass
class Provider:
    url: str = ""
    #: What it says about whoever signs in.
    claims: dict[str, Any] = field(default_factory=dict)
    #: What came to its token endpoint.
    asked: list[dict[str, str]] = field(default_factory=list)
    #: Whose tokens its tokens say to be.
    audience: str = CLIENT_ID

    def answer(self, path: str) -> dict[str, Any] | None:
        if path == "/.well-known/openid-configuration":
            ways = {
                "authorization_endpoint": "/authorize",
                "token_endpoint": "/token",
                "userinfo_endpoint": "/userinfo",
                "jwks_uri": "/keys",
            }
            addresses = {name: self.url + way for name, way in ways.items()}
            return {
                "issuer": self.url,
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                **addresses,
            }
        if path == "/token":
            now = int(time())
            claims = {"iss": self.url, "aud": self.audience, "iat": now, "exp": now + 60, **self.claims}
            # Allowed to go unchecked: it comes straight from the provider, not through the browser.
            return {
                "access_token": "a",
                "token_type": "Bearer",
                "id_token": jwt.encode(claims, SECRET, "HS256"),
            }
        return self.claims if path == "/userinfo" else None


@contextmanager
def running_provider() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            provider.asked.append({name: values[0] for name, values in parse_qs(body).items()})
            self.reply()

        def reply(self) -> None:
            found = provider.answer(self.path)
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *arguments: Any) -> None:
            """Nothing into the output of tests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
