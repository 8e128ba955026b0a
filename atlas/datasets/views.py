"""The pages of datasets."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from atlas.datasets.access import datasets_for, editable_datasets_for, import_of, team_for
from atlas.datasets.activity import activity_page, record_event
from atlas.datasets.change import change_dataset
from atlas.datasets.delete import delete_dataset
from atlas.datasets.forms import DeletionForm, SettingsForm
from atlas.datasets.models import Dataset, Visibility
from atlas.datasets.permit import permit
from atlas.datasets.report import report_page, report_reasons, report_words
from atlas.datasets.telling import tell_visibility
from atlas.datasets.transfer import possible_teams, transfer_dataset
from atlas.slugs import asked_slug
from atlas.teams.asker import asker_of
from atlas.teams.audit import record_audit
from atlas.teams.models import AuditVerb, Role, Team, User

CARDS = 24
OTHERS = 12
REPORT_LINES = 100
ACTIVITY_LINES = 12


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    asker = asker_of(request)
    datasets = datasets_for(asker)
    public = datasets.filter(visibility=Visibility.PUBLIC)
    shared = datasets.filter(pk__in=Dataset.objects.shared_with(asker))
    mine = Team.objects.of(asker)
    others = {
        "shared": ("Shared with you", shared.exclude(team__in=mine)),
        "public": ("Public datasets of others", public.exclude(team__in=mine)),
    }
    if section := others.get(request.GET.get("of", "")):
        context = {"heading": section[0], "page": page_of(request, section[1])}
        return render(request, "datasets/section.html", context)
    if not request.user.is_authenticated:
        context = {"page": page_of(request, public), "shared": first_of(shared)}
        return render(request, "datasets/landing.html", context)
    context = {
        "heading": "Datasets",
        "page": page_of(request, datasets.filter(team__in=mine)),
        **{name: first_of(datasets) for name, (_, datasets) in others.items()},
        "show_team": request.user.teams.count() > 1,
        # Whoever has no team yet is asked to make one on the way.
        "may_create": not mine.exists() or Team.objects.of(asker, Role.EDITOR).exists(),
    }
    return render(request, "datasets/list.html", context)


@require_safe
def team_page(request: HttpRequest, team: str) -> HttpResponse:
    """A team's datasets. For somebody who may see none of them it does not exist."""
    asker = asker_of(request)
    mine, seen = Team.objects.of(asker), Dataset.objects.visible_to(asker)
    # In one query: by a second one it would take longer to refuse a team that there is.
    found = get_object_or_404(Team, Q(pk__in=mine) | Q(pk__in=seen.values("team")), slug=team)
    datasets = datasets_for(asker).filter(team=found)
    context = {
        "is_member": mine.filter(pk=found.pk).exists(),
        "heading": found.name,
        "team": found,
        "page": page_of(request, datasets),
        "show_team": False,
        "may_create": Team.objects.of(asker, Role.EDITOR).filter(pk=found.pk).exists(),
    }
    return render(request, "datasets/list.html", context)


@login_required
@require_safe
def new_dataset(request: HttpRequest) -> HttpResponse:
    teams = Team.objects.of(asker_of(request), Role.EDITOR)
    if not teams.exists() and "team" not in request.GET:
        messages.info(request, "A dataset belongs to a team. Make one first.")
        return redirect("teams:new")
    team = team_for(asker_of(request), request.GET.get("team"))
    return render(request, "datasets/upload.html", {"teams": teams, "team": team})


@login_required
@require_safe
def append_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    return render(request, "datasets/upload.html", {"dataset": find(request, team, slug, to_edit=True)})


@require_safe
def dataset_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find(request, team, slug)
    may = permit(asker_of(request), dataset.pk)
    # Reports quote captions and name files.
    imports = dataset.imports.all() if may.sees_all else ()
    context = {
        "dataset": dataset,
        "dataset_list": [dataset],
        "imports": list(reversed(imports)),
        "owners": _owners(request, dataset),
    }
    if Dataset.objects.worked_on_by(asker_of(request)).filter(pk=dataset.pk).exists():
        before = _number(request.GET.get("before", "")) or None
        context["events"], context["earlier"] = activity_page(dataset, before, ACTIVITY_LINES)
    return render(request, "datasets/dataset.html", context)


@require_safe
def import_page(request: HttpRequest, team: str, slug: str, import_id: UUID) -> HttpResponse:
    dataset = find(request, team, slug)
    if not permit(asker_of(request), dataset.pk).sees_all:
        raise Http404
    job = import_of(dataset, import_id)
    reasons = report_reasons(job)
    reason = next((each for each, *_ in reasons if each == request.GET.get("reason")), "")
    lines, following = report_page(job, _number(request.GET.get("after", "")), REPORT_LINES, reason)
    context = {
        "dataset": dataset,
        "job": job,
        "reasons": reasons,
        "reason": reason,
        "lines": [report_words(line) for line in lines],
        "following": following,
    }
    return render(request, "datasets/import.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find(request, team, slug, to_edit=True)
    form = SettingsForm(request.POST or None, instance=Dataset.objects.get(pk=dataset.pk))
    if request.method == "POST" and form.is_valid():
        change_dataset(dataset, **{name: form.cleaned_data[name] for name in form.changed_data})
        if "name" in form.changed_data:
            record_event(dataset, "renamed", asker_of(request), f"renamed it to {dataset.name}")
        messages.success(request, "Saved.")
        return redirect("datasets:settings", team, slug)
    return _settings(request, dataset, form=form)


@login_required
@require_POST
def delete_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find_own(request, team, slug)
    deletion = DeletionForm(dataset, request.POST)
    if not deletion.is_valid():
        return _settings(request, dataset, deletion=deletion)
    delete_dataset(dataset)
    record_audit(request, AuditVerb.DATASET_DELETED, f"“{dataset}”", team=dataset.team)
    messages.success(request, f"“{dataset.name}” was deleted.")
    return redirect("datasets:list")


@login_required
@require_POST
def transfer_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find_own(request, team, slug)
    old, visibility = dataset.team, dataset.visibility
    slug = asked_slug(request.POST.get("team", ""))
    new = get_object_or_404(possible_teams(asker_of(request), dataset), slug=slug)
    transfer_dataset(dataset, new, asker_of(request))
    record_event(dataset, "moved", asker_of(request), f"moved it from {old} to {new}")
    for concerned in (old, new):
        record_audit(request, AuditVerb.DATASET_TRANSFERRED, f"“{dataset}”: {old} to {new}", team=concerned)
    if dataset.visibility != visibility:
        tell_visibility(request, dataset)
    messages.success(request, f"“{dataset}” belongs to {new} now.")
    return redirect(dataset)


def find(request: HttpRequest, team: str, slug: str, *, to_edit: bool = False) -> Dataset:
    """Raises Http404."""
    datasets = editable_datasets_for(asker_of(request)) if to_edit else datasets_for(asker_of(request))
    return get_object_or_404(datasets, team__slug=team, slug=slug)


def find_own(request: HttpRequest, team: str, slug: str) -> Dataset:
    """Raises Http404."""
    asker = asker_of(request)
    own = datasets_for(asker).filter(pk__in=Dataset.objects.owned_by(asker))
    return get_object_or_404(own, team__slug=team, slug=slug)


def _settings(request: HttpRequest, dataset: Dataset, **forms: Any) -> HttpResponse:
    context = {
        "dataset": dataset,
        "form": SettingsForm(instance=dataset),
        "deletion": DeletionForm(dataset),
        "teams": possible_teams(asker_of(request), dataset),
        "owners": _owners(request, dataset),
    }
    return render(request, "datasets/settings.html", context | forms)


def _owners(request: HttpRequest, dataset: Dataset) -> list[User]:
    """Of its team; nobody for who is not of it: a guest is not told its people."""
    owners = User.objects.filter(memberships__team=dataset.team_id, memberships__role=Role.OWNER)
    mine = Team.objects.of(asker_of(request)).filter(pk=dataset.team_id)
    return list(owners.filter(memberships__team__in=mine).distinct().order_by("date_joined"))


def first_of(datasets: QuerySet[Dataset]) -> Any:
    """The page with which a section of the first page begins; `?of=` shows all."""
    return Paginator(datasets.prefetch_related("imports"), OTHERS).page(1)


def page_of(request: HttpRequest, datasets: QuerySet[Dataset]) -> Any:
    return Paginator(datasets.prefetch_related("imports"), CARDS).get_page(request.GET.get("page"))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
