"""Every address of the site, by room."""

from django.urls import URLPattern, URLResolver, include, path

from atlas import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", health.health, name="health"),
    path("accounts/", include("allauth.urls")),
]
