"""Content-Security-Policy on every answer: nothing inline, nothing from elsewhere."""

from collections.abc import Awaitable, Callable, Sequence

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

HEADER = "Content-Security-Policy"


def policy(frame_hosts: Sequence[str] = ()) -> str:
    """The header's value; `frame_hosts` are those that may show the page in a frame."""
    frames = " ".join(frame_hosts) or "'none'"
    return "; ".join(
        [
            "default-src 'self'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {frames}",
        ]
    )


Answer = HttpResponse | Awaitable[HttpResponse]


class ContentSecurityPolicy:
    """Sets the header unless the view has set its own. Under ASGI it takes no thread for that."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        self.value = policy()
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        response = self.get_response(request)
        return (
            self._with_header(response) if isinstance(response, HttpResponseBase) else self._later(response)
        )

    async def _later(self, response: Awaitable[HttpResponse]) -> HttpResponse:
        return self._with_header(await response)

    def _with_header(self, response: HttpResponse) -> HttpResponse:
        # Django's error pages for developers are built of inline styles.
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response.headers.setdefault(HEADER, self.value)
        return response
