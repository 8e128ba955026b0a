"""Serving the files of a map version to whoever may see the dataset; a name never changes its bytes."""

import re
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from atlas.datasets.permit import permit
from atlas.maps.access import visible_version
from atlas.maps.renaming import labels_now
from atlas.teams.asker import asker_of

_TILE = r"\d{1,2}-\d{1,5}-\d{1,5}"
_KEY = r"[a-z0-9][a-z0-9_-]{0,63}"
#: What FORMAT.md offers to browsers; nothing else of the folder is served.
_NAME = re.compile(
    rf"manifest\.json|labels\.json|t/{_TILE}\.(?:atm|low)|c/{_KEY}/(?:{_TILE}\.bin|values\.json)"
    rf"|thumbs/(?:index\.json|{_TILE}\.(?:webp|idx))"
)
#: A name never changes its bytes; what a browser keeps is for its own person only.
IMMUTABLE = "private, max-age=31536000, immutable"
_TYPES = {".json": "application/json", ".webp": "image/webp"}


@require_safe
def map_file(request: HttpRequest, map_id: UUID, version_id: UUID, name: str) -> HttpResponse:
    if not _NAME.fullmatch(name):
        raise Http404
    asker = asker_of(request)
    version = visible_version(asker, map_id, version_id)
    if name == "labels.json" and not permit(asker, version.map.dataset_id).sees_captions:
        return JsonResponse(labels_now(version, words=False), headers={"Cache-Control": "no-store"})
    path = version.folder / name
    packed = path.with_name(f"{path.name}.gz")
    response = HttpResponse(content_type=_TYPES.get(path.suffix, "application/octet-stream"))
    try:
        if _takes_gzip(request) and packed.exists():
            response.content = packed.read_bytes()
            response["Content-Encoding"] = "gzip"
        else:
            response.content = path.read_bytes()
    except FileNotFoundError:
        raise Http404 from None
    patch_vary_headers(response, ["Accept-Encoding"])
    response["Cache-Control"] = IMMUTABLE
    return response


def _takes_gzip(request: HttpRequest) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")
