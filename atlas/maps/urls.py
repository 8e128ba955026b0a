"""Addresses of the map page and of the files that it draws."""

from django.urls import path

from atlas.maps import feed, files, morph, views

app_name = "maps"

urlpatterns = [
    path("data/<slug:team>/<slug:slug>/map", views.map_page, name="map"),
    path("data/<slug:team>/<slug:slug>/preview.png", views.preview_image, name="preview"),
    path("embed/<slug:team>/<slug:slug>", views.embed_page, name="embed"),
    path("api/datasets/<uuid:dataset_id>/events", feed.dataset_events, name="events"),
    path(
        "maps/<uuid:map_id>/<uuid:version_id>/from/<uuid:other_id>/<int:z>-<int:x>-<int:y>.bin",
        morph.tile_from,
        name="morph",
    ),
    path("maps/<uuid:map_id>/<uuid:version_id>/<path:name>", files.map_file, name="file"),
]
