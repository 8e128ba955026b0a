"""The HTTP API: every room's router under /api, who asks, and errors as `{"detail": …}`."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja.security import APIKeyCookie, HttpBearer

from atlas.api.document import DocumentedAPI
from atlas.api.parser import ShallowParser
from atlas.datasets.api import router as datasets_router
from atlas.datasets.imports import ImportRefusedError, UnknownColumnError
from atlas.datasets.permit import HiddenCaptionsError
from atlas.maps.api import router as maps_router
from atlas.maps.export_api import router as export_router
from atlas.maps.selection_api import router as selection_router
from atlas.maps.tags_api import router as tags_router
from atlas.maps.together_api import router as together_router
from atlas.maps.topics_api import router as topics_router
from atlas.search.across_api import router as across_router
from atlas.search.api import router as search_router
from atlas.search.saved_api import router as saved_searches_router
from atlas.teams.asker import KeyScopeError, key_of_request


class Key(HttpBearer):
    """A program with an API key: `atlas.teams.key_middleware` has looked at it already."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:  # noqa: ARG002
        return key_of_request(request)


class Visitor(APIKeyCookie):
    """Whoever holds the session, or nobody: what they may do is the views' matter. Wants the CSRF token."""

    param_name = "sessionid"

    def _get_key(self, request: HttpRequest) -> str | None:
        # Without a session there is nothing that a forged request could act with; and in a frame of another
        # site, where browsers keep cookies back, there is no token either.
        return super()._get_key(request) if self.param_name in request.COOKIES else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:  # noqa: ARG002
        return request.user


api = DocumentedAPI(
    title="Atlas", version="1", auth=[Key(), Visitor()], parser=ShallowParser(), urls_namespace="api"
)
api.add_router("/datasets", datasets_router)
api.add_router("", maps_router)
api.add_router("", selection_router)
api.add_router("", export_router)
api.add_router("", tags_router)
api.add_router("", together_router)
api.add_router("", topics_router)
api.add_router("", search_router)
api.add_router("", across_router)
api.add_router("", saved_searches_router)


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return api.create_response(request, {"detail": str(error) or "Not found."}, status=404)


@api.exception_handler(KeyScopeError)
def key_too_weak(request: HttpRequest, error: KeyScopeError) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=403)


@api.exception_handler(ImportRefusedError)
def refused(request: HttpRequest, error: ImportRefusedError) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=409)


@api.exception_handler(UnknownColumnError)
def unknown_column(request: HttpRequest, error: UnknownColumnError) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=422)


@api.exception_handler(HiddenCaptionsError)
def hidden_captions(request: HttpRequest, error: HiddenCaptionsError) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=422)
