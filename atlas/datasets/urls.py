"""Addresses of datasets: their pages and the uploads. No trailing slash under /data."""

from django.urls import path

from atlas.datasets import tus, views

app_name = "datasets"

urlpatterns = [
    path("", views.home, name="list"),
    path("new", views.new_dataset, name="new"),
    path("data/<slug:team>", views.team_page, name="team"),
    path("data/<slug:team>/<slug:slug>", views.dataset_page, name="dataset"),
    path("data/<slug:team>/<slug:slug>/add", views.append_page, name="append"),
    path("data/<slug:team>/<slug:slug>/settings", views.settings_page, name="settings"),
    path("data/<slug:team>/<slug:slug>/delete", views.delete_page, name="delete"),
    path("data/<slug:team>/<slug:slug>/imports/<uuid:import_id>", views.import_page, name="import"),
    path("uploads/", tus.all_uploads, name="uploads"),
    path("uploads/<uuid:upload_id>", tus.one_upload, name="upload"),
]
