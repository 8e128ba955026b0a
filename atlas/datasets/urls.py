"""Addresses of datasets: their pages and the uploads. No trailing slash under /data."""

from django.urls import path

from atlas.datasets import tus

app_name = "datasets"

urlpatterns = [
    path("uploads/", tus.all_uploads, name="uploads"),
    path("uploads/<uuid:upload_id>", tus.one_upload, name="upload"),
]
