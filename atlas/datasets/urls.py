"""Addresses of datasets: their pages and the uploads. No trailing slash under /data."""

from django.urls import path

from atlas.datasets import closing_views, link_views, sharing, team_deletion_views, tus, views

app_name = "datasets"

SHARING = "data/<slug:team>/<slug:slug>/sharing"

urlpatterns = [
    path("", views.home, name="list"),
    path("account/delete", closing_views.close, name="close_account"),
    path("teams/<slug:team>/delete", team_deletion_views.delete_team_page, name="delete_team"),
    path("new", views.new_dataset, name="new"),
    path("data/<slug:team>", views.team_page, name="team"),
    path("data/<slug:team>/<slug:slug>", views.dataset_page, name="dataset"),
    path("data/<slug:team>/<slug:slug>/add", views.append_page, name="append"),
    path("data/<slug:team>/<slug:slug>/settings", views.settings_page, name="settings"),
    path("data/<slug:team>/<slug:slug>/transfer", views.transfer_page, name="transfer"),
    path("data/<slug:team>/<slug:slug>/delete", views.delete_page, name="delete"),
    path("data/<slug:team>/<slug:slug>/imports/<uuid:import_id>", views.import_page, name="import"),
    path(SHARING, sharing.sharing_page, name="sharing"),
    path(f"{SHARING}/visibility", sharing.set_visibility, name="set_visibility"),
    path(f"{SHARING}/links", link_views.new_link, name="new_link"),
    path(f"{SHARING}/links/<uuid:link_id>", link_views.change_link_page, name="change_link"),
    path(f"{SHARING}/links/<uuid:link_id>/revoke", link_views.end_link, name="end_link"),
    path(f"{SHARING}/guests", sharing.new_guest, name="new_guest"),
    path(f"{SHARING}/guests/<int:guest_id>/remove", sharing.end_guest, name="end_guest"),
    path(f"{SHARING}/embedding", sharing.set_embedding, name="set_embedding"),
    path("s/<str:token>", link_views.open_shared, name="shared"),
    path("uploads/", tus.all_uploads, name="uploads"),
    path("uploads/<uuid:upload_id>", tus.one_upload, name="upload"),
]
