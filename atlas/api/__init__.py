"""The HTTP API: every room's router under /api, who asks, and errors as `{"detail": …}`."""

from atlas.api.auth import Key, Visitor
from atlas.api.document import DocumentedAPI
from atlas.api.embed_api import router as embed_router
from atlas.api.errors import tell_errors
from atlas.api.parser import ShallowParser
from atlas.api.reference import Reference
from atlas.datasets.api import router as datasets_router
from atlas.maps.api import router as maps_router
from atlas.maps.export_api import router as export_router
from atlas.maps.removal_api import router as removal_router
from atlas.maps.selection_api import router as selection_router
from atlas.maps.tags_api import router as tags_router
from atlas.maps.together_api import router as together_router
from atlas.maps.topics_api import router as topics_router
from atlas.search.across_api import router as across_router
from atlas.search.api import router as search_router
from atlas.search.nearest_api import router as nearest_router
from atlas.search.pictures_api import router as query_pictures_router
from atlas.search.saved_api import router as saved_searches_router

api = DocumentedAPI(
    title="Atlas",
    version="1",
    auth=[Key(), Visitor()],
    parser=ShallowParser(),
    docs=Reference(),
    urls_namespace="api",
)
api.add_router("/datasets", datasets_router)
api.add_router("", maps_router)
api.add_router("", selection_router)
api.add_router("", removal_router)
api.add_router("", export_router)
api.add_router("", tags_router)
api.add_router("", together_router)
api.add_router("", topics_router)
api.add_router("", search_router)
api.add_router("", nearest_router)
api.add_router("", across_router)
api.add_router("", saved_searches_router)
api.add_router("", query_pictures_router)
api.add_router("", embed_router)
tell_errors(api)
