"""What every API of ours answers instead of a result: `{"detail": sentence}`."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError

from atlas.datasets.filters import FilterError
from atlas.datasets.imports import ImportRefusedError, UnknownColumnError
from atlas.datasets.permit import HiddenCaptionsError
from atlas.datasets.remove import RemovalRefusedError
from atlas.datasets.table import SortError
from atlas.datasets.tags import TagRefusedError
from atlas.maps.build import BuildError
from atlas.maps.comments import CommentRefusedError
from atlas.maps.export import NoVectorsError
from atlas.search.remote import RemoteError
from atlas.search.replies import WorkerAwayError
from atlas.search.vectors import QueryError
from atlas.teams.asker import KeyScopeError
from atlas.teams.limits import TooManyError

STATUS: dict[type[Exception], int] = {
    AuthenticationError: 401,
    KeyScopeError: 403,
    Http404: 404,
    ImportRefusedError: 409,
    TagRefusedError: 409,
    BuildError: 409,
    CommentRefusedError: 409,
    RemovalRefusedError: 409,
    RequestDataTooBig: 413,
    SuspiciousOperation: 400,
    UnknownColumnError: 422,
    FilterError: 422,
    SortError: 422,
    HiddenCaptionsError: 422,
    NoVectorsError: 422,
    QueryError: 422,
    RemoteError: 422,
    TooManyError: 429,
    WorkerAwayError: 503,
}
OTHERWISE = {
    401: "Send an API key: Authorization: Bearer nk-…",
    404: "Not found.",
    413: f"The request is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20} MiB.",
    400: "The request is not readable.",
}


def tell_errors(api: NinjaAPI) -> None:
    for kind, status in STATUS.items():
        api.add_exception_handler(kind, _teller(api, status))


def _teller(api: NinjaAPI, status: int) -> Callable[[HttpRequest, Any], HttpResponse]:
    def tell(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
        # What Django says of a request that it refuses is meant for its log.
        own = "" if isinstance(error, SuspiciousOperation | AuthenticationError) else str(error)
        response = api.create_response(request, {"detail": own or OTHERWISE[status]}, status=status)
        if isinstance(error, TooManyError):
            response["Retry-After"] = str(error.seconds)
        return response

    return tell
