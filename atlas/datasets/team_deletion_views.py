"""The page on which an owner deletes a team: what goes and who loses it, before anything does."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from atlas.datasets.activity import record_event
from atlas.datasets.forms import TeamDeletionForm
from atlas.datasets.models import Dataset
from atlas.datasets.team_deletion import delete_team
from atlas.teams.asker import asker_of
from atlas.teams.audit import record_audit
from atlas.teams.mail import mail
from atlas.teams.models import AuditVerb, Role, Team, User
from atlas.teams.views import find_team


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete_team_page(request: HttpRequest, team: str) -> HttpResponse:
    found = find_team(request, team)
    heirs = Team.objects.of(asker_of(request), Role.EDITOR).exclude(pk=found.pk)
    form = TeamDeletionForm(found, heirs, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, found, form)
    heir: Team | None = form.cleaned_data.get("heir")
    others = found.memberships.exclude(user_id=cast(User, request.user).pk).select_related("user")
    members = [each.user for each in others]
    owners = [each.user for each in others if each.role == Role.OWNER]
    datasets = delete_team(found, asker_of(request), heir)
    _record(request, found, heir, datasets, members)
    for owner in owners:
        context = {"team": found, "heir": heir, "by": request.user, "datasets": datasets}
        mail(owner.email, f"The team {found} was deleted on Atlas", "teams/deleted.txt", context)
    rest = f" Its datasets belong to {heir} now." if heir and datasets else ""
    messages.success(request, f"The team {found} is deleted.{rest}")
    return redirect(heir or "datasets:list")


def _page(request: HttpRequest, team: Team, form: TeamDeletionForm) -> HttpResponse:
    context = {
        "team": team,
        "form": form,
        "datasets": Dataset.objects.filter(team=team, deleting=False).order_by("name"),
        "others": team.memberships.exclude(user_id=cast(User, request.user).pk).count(),
        "keys": team.api_keys.usable().count(),
        "only_one": not cast(User, request.user).teams.exclude(pk=team.pk).exists(),
    }
    return render(request, "teams/delete.html", context, status=422 if form.errors else 200)


def _record(
    request: HttpRequest, team: Team, heir: Team | None, datasets: list[Dataset], members: list[User]
) -> None:
    count = f"{len(datasets)} dataset{'' if len(datasets) == 1 else 's'}"
    fate = f": {count} {f'moved to {heir}' if heir else 'deleted'}" if datasets else ""
    record_audit(request, AuditVerb.TEAM_DELETED, f"“{team}”{fate}", team=team)
    for person in members:
        record_audit(request, AuditVerb.MEMBER_REMOVED, f"“{team}” was deleted", about=person, team=team)
    for dataset in datasets:
        if heir is None:
            record_audit(request, AuditVerb.DATASET_DELETED, f"“{dataset}”", team=team)
        else:
            record_event(dataset, "moved", asker_of(request), f"moved it from {team} to {heir}")
            record_audit(request, AuditVerb.DATASET_TRANSFERRED, f"“{dataset}”: {team} to {heir}", team=heir)
