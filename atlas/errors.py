"""What is answered at an address that nothing has, to who asks for more than there is, and when we fail."""

import sys
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.defaults import page_not_found

from atlas.patience import AWAY, REDIS_AWAY, disk_is_full
from atlas.teams.asker import KeyScopeError
from atlas.teams.limits import TooManyError, refused
from atlas.teams.sealing import SealError

_SENTENCES = {
    500: "Something went wrong on the server. Its log says what.",
    503: "A part of the server does not answer. Try again in a moment.",
    507: "The server's disk is full.",
}


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """JSON to those who speak it, a page to people."""
    if _speaks_json(request):
        return JsonResponse({"detail": "Not found."}, status=404)
    return page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """A database or a Redis that is away, for a restart mostly, is no mistake: 503, and when to come again.
    Nor is a disk that is full: 507."""
    error = sys.exception()
    full = error is not None and disk_is_full(error)
    away = isinstance(error, (*AWAY, *REDIS_AWAY)) and not full
    status = 507 if full else 503 if away else 500
    if _speaks_json(request):
        response: HttpResponse = JsonResponse({"detail": _SENTENCES[status]}, status=status)
    else:
        # Without the request: what its context asks of the database would fail again.
        page = render_to_string("500.html", {"away": away, "full": full})
        response = HttpResponse(page, status=status)
    if away:
        response["Retry-After"] = "5"
    return response


def too_many(request: HttpRequest) -> HttpResponse:
    """Of allauth's own limits, most of them of a minute."""
    return _refusal(request, TooManyError("Those were too many tries. Wait a minute, then try again.", 60))


class Refusals:
    """Answers the errors that any view may raise. (Those of the API get no further than the API.)"""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, KeyScopeError):
            return JsonResponse({"detail": str(error)}, status=403)
        if isinstance(error, SealError):
            return render(request, "unreadable.html", {"sentence": error.message}, status=500)
        return _refusal(request, error) if isinstance(error, TooManyError) else None


def _refusal(request: HttpRequest, error: TooManyError) -> HttpResponse:
    if _speaks_json(request):
        return refused(JsonResponse({"detail": str(error)}), error)
    return refused(render(request, "429.html", {"sentence": str(error)}), error)


def _speaks_json(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/", "/v1/"))
