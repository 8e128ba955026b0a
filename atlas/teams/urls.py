"""Addresses of teams."""

from django.urls import path

from atlas.teams import account, audit_views, key_views, views

app_name = "teams"

urlpatterns = [
    path("account", account.profile, name="profile"),
    path("account/sessions/<int:session_id>/end", account.end_session, name="end_session"),
    path("teams/new", views.new_team, name="new"),
    path("teams/<slug:team>/members", views.members_page, name="members"),
    path("teams/<slug:team>/name", views.rename, name="rename"),
    path("teams/<slug:team>/members/<int:user_id>/role", views.set_role, name="set_role"),
    path("teams/<slug:team>/members/<int:user_id>/remove", views.remove, name="remove"),
    path("teams/<slug:team>/invitations", views.new_invitation, name="invite"),
    path(
        "teams/<slug:team>/invitations/<uuid:invitation_id>/revoke",
        views.end_invitation,
        name="end_invitation",
    ),
    path("teams/<slug:team>/keys", key_views.keys_page, name="keys"),
    path("teams/<slug:team>/keys/<uuid:key_id>/revoke", key_views.end_key, name="end_key"),
    path("teams/<slug:team>/log", audit_views.team_log, name="log"),
    path("account/activity", audit_views.own_activity, name="activity"),
    path("join/<str:invite>", views.join, name="join"),
    path("join/<str:invite>/decline", views.decline, name="decline"),
]
