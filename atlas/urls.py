"""Every address of the site, by room."""

from django.urls import URLPattern, URLResolver, include, path

from atlas import health
from atlas.api import api, nomic
from atlas.teams import single_sign_on

handler400 = "atlas.errors.misread"
handler404 = "atlas.errors.not_found"
handler500 = "atlas.errors.failed"
# Asked for by allauth.
handler429 = "atlas.errors.too_many"

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", health.health, name="health"),
    path("accounts/oidc/<str:provider_id>/login/", single_sign_on.login),  # before allauth's own
    path("accounts/", include("allauth.urls")),
    path("", include("atlas.teams.urls")),
    path("", include("atlas.maps.urls")),
    path("", include("atlas.search.urls")),
    path("api/", api.urls),
    path("v1/", nomic.api.urls),
    path("", include("atlas.datasets.urls")),
]
