"""The page of a team's API keys: make one, see it once, revoke it."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from atlas.teams.asker import asker_of
from atlas.teams.audit import record_audit
from atlas.teams.forms import KeyForm
from atlas.teams.keys import create_key, keys_for, revoke_key
from atlas.teams.models import AuditVerb, KeyScope, Role, Team, User
from atlas.teams.views import find_team


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def keys_page(request: HttpRequest, team: str) -> HttpResponse:
    """The answer to a POST shows the new key, and nothing ever shows it again."""
    if request.method != "POST":
        return _page(request, find_team(request, team, Role.VIEWER))
    found = find_team(request, team, Role.EDITOR)
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form=form)
    scopes = [KeyScope(scope) for scope in form.cleaned_data["scopes"]]
    days = form.cleaned_data["days"]
    ends = timezone.now() + timedelta(days=days) if days else None
    key, token = create_key(found, cast(User, request.user), form.cleaned_data["name"], scopes, ends)
    record_audit(request, AuditVerb.KEY_MADE, f"“{key}” ({', '.join(key.scopes)})", team=found)
    return _page(request, found, made=key, token=token)


@login_required
@require_POST
def end_key(request: HttpRequest, team: str, key_id: UUID) -> HttpResponse:
    """Also of who made it as an editor and is a viewer now: it can look still."""
    found = find_team(request, team, Role.VIEWER)
    key = get_object_or_404(keys_for(asker_of(request), found), pk=key_id)
    revoke_key(key)
    record_audit(request, AuditVerb.KEY_REVOKED, f"“{key}” of {key.created_by.email}", team=found)
    messages.success(request, f"“{key}” opens nothing any more.")
    return redirect("teams:keys", team)


def _page(request: HttpRequest, team: Team, **more: Any) -> HttpResponse:
    keys = list(keys_for(asker_of(request), team))
    usable = set(team.api_keys.usable().values_list("pk", flat=True))
    context = {
        "team": team,
        "has_keys": bool(keys),
        "may_edit": Team.objects.of(asker_of(request), Role.EDITOR).filter(pk=team.pk).exists(),
        "is_owner": Team.objects.of(asker_of(request), Role.OWNER).filter(pk=team.pk).exists(),
        "keys": [key for key in keys if key.pk in usable],
        "ended": [key for key in keys if key.pk not in usable],
        "form": KeyForm(),
    }
    return render(request, "teams/keys.html", context | more)
