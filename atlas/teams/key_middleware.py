"""`Authorization: Bearer nk-…`: a program shows an API key instead of a session."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from atlas.teams.keys import KeyRefusedError, key_of, note_use
from atlas.teams.models import User

#: What programs call. Pages are for people: a key there is not looked at.
OPEN_TO_KEYS = ("/api/", "/v1/", "/maps/", "/uploads/")


class ApiKeys:
    """Makes the maker of the key the one who asks, within its limits (see `asker.py`), and asks for no CSRF
    token: no page of another site can make a browser send this header. A session sent with it is not read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and request.path.startswith(OPEN_TO_KEYS):
            try:
                _let_in(request, token.strip())
            except KeyRefusedError as error:
                answer = JsonResponse({"detail": str(error)}, status=401)
                answer["WWW-Authenticate"] = "Bearer"
                return answer
        return self.get_response(request)


def _let_in(request: HttpRequest, token: str) -> None:
    key = key_of(token)
    note_use(request, key)
    maker = key.created_by

    async def auser() -> User:
        return maker

    request.user, request.auser = maker, auser
    vars(request).update(api_key=key, _dont_enforce_csrf_checks=True)
