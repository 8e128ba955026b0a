"""What is answered where there is nothing, or nothing to see, to who asks for more than there is, and when we
fail."""

import sys
from collections.abc import Callable
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login as _sign_in
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.defaults import page_not_found

from atlas.patience import AWAY, REDIS_AWAY, disk_is_full
from atlas.teams.asker import KeyScopeError
from atlas.teams.limits import TooManyError, refused
from atlas.teams.sealing import SealError

_SENTENCES = {
    400: "The server cannot make sense of this request.",
    500: "Something went wrong on the server. Its log says what.",
    503: "A part of the server does not answer. Try again in a moment.",
    507: "The server's disk is full.",
}


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """JSON to those who speak it, a page to people."""
    if _speaks_json(request.path):
        return JsonResponse({"detail": "Not found."}, status=404)
    return page_not_found(request, exception)


def misread(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Mostly a name of the site that nobody told the server."""
    if _speaks_json(request.path):
        return JsonResponse({"detail": _SENTENCES[400]}, status=400)
    unnamed = isinstance(exception, DisallowedHost)
    # Without the request: what its context asks of the name would be refused again.
    page = render_to_string("500.html", {"unnamed": unnamed, "odd": not unnamed})
    return HttpResponse(page, status=400)


def failed(request: HttpRequest) -> HttpResponse:
    """A database or a Redis that is away, for a restart mostly, is no mistake: 503, and when to come again.
    Nor is a disk that is full: 507."""
    error = sys.exception()
    full = error is not None and disk_is_full(error)
    away = isinstance(error, (*AWAY, *REDIS_AWAY)) and not full
    status = 507 if full else 503 if away else 500
    if _speaks_json(request.path):
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


def too_large(path: str, most: int) -> HttpResponse:
    """To a body that was not even read to its end: there is no request yet."""
    sentence = f"The request is larger than {most >> 20} MiB."
    if _speaks_json(path):
        return JsonResponse({"detail": sentence}, status=413)
    return HttpResponse(sentence, status=413, content_type="text/plain")


class Refusals:
    """Answers the errors that any view may raise (those of the API get no further than the API), and what a
    form meets whose person is not signed in any more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "POST" and response.get("Location") == _sign_in(request.get_full_path()).url:
            return _sign_in_where_it_was_sent(request) or response
        if request.method == "GET" and isinstance(response, HttpResponseNotAllowed):
            page = render(request, "405.html", status=405)
            page["Allow"] = response["Allow"]
            return page
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, KeyScopeError):
            return JsonResponse({"detail": str(error)}, status=403)
        if isinstance(error, SealError):
            return render(request, "unreadable.html", {"sentence": error.message}, status=500)
        return _refusal(request, error) if isinstance(error, TooManyError) else None


def _sign_in_where_it_was_sent(request: HttpRequest) -> HttpResponse | None:
    """To the page with the form: the address that a form is sent to mostly shows nothing."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, request.get_host(), require_https=request.is_secure()):
        return None
    messages.warning(request, "Nothing was changed yet. Sign in, then send it again.")
    return _sign_in(urlsplit(page)._replace(scheme="", netloc="").geturl())


def _refusal(request: HttpRequest, error: TooManyError) -> HttpResponse:
    if _speaks_json(request.path):
        return refused(JsonResponse({"detail": str(error)}), error)
    return refused(render(request, "429.html", {"sentence": str(error)}), error)


def _speaks_json(path: str) -> bool:
    return path.startswith(("/api/", "/v1/"))
