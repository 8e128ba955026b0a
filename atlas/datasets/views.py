"""The pages of datasets."""

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from atlas.datasets.access import datasets_for, import_of
from atlas.datasets.change import change_dataset
from atlas.datasets.delete import delete_dataset
from atlas.datasets.forms import DeletionForm, SettingsForm
from atlas.datasets.models import Dataset, Import, ImportState, Visibility
from atlas.datasets.report import report_page, report_words
from atlas.teams.models import Role, Team, User

CARDS = 24
OTHERS = 12
REPORT_LINES = 100


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(
            request, "datasets/landing.html", {"page": page_of(request, datasets_for(request.user))}
        )
    datasets = datasets_for(request.user)
    mine = datasets.filter(team__in=Team.objects.of(request.user))
    others = datasets.filter(visibility=Visibility.PUBLIC).exclude(team__in=Team.objects.of(request.user))
    context = {
        "heading": "Datasets",
        "page": page_of(request, mine),
        "public": others[:OTHERS],
        "show_team": request.user.teams.count() > 1,
        "may_create": True,
    }
    return render(request, "datasets/list.html", context)


@require_safe
def team_page(request: HttpRequest, team: str) -> HttpResponse:
    """A team's datasets. For somebody who may see none of them it does not exist."""
    found = get_object_or_404(Team, slug=team)
    datasets = datasets_for(request.user).filter(team=found)
    if not (Team.objects.of(request.user).filter(pk=found.pk).exists() or datasets.exists()):
        raise Http404
    context = {
        "heading": found.name,
        "page": page_of(request, datasets),
        "show_team": False,
        "may_create": Team.objects.of(request.user, Role.EDITOR).filter(pk=found.pk).exists(),
    }
    return render(request, "datasets/list.html", context)


@login_required
@require_safe
def new_dataset(request: HttpRequest) -> HttpResponse:
    teams = Team.objects.of(cast(User, request.user), Role.EDITOR).order_by("memberships__created_at")
    context = {"teams": [{"slug": team.slug, "name": team.name} for team in teams.distinct()]}
    return render(request, "datasets/upload.html", {"config": upload_config(**context)})


@login_required
@require_safe
def append_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find(request, team, slug, to_edit=True)
    context = {"dataset": dataset, "config": upload_config(dataset=brief(dataset))}
    return render(request, "datasets/upload.html", context)


@require_safe
def dataset_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find(request, team, slug)
    imports = list(reversed(dataset.imports.all()))
    context = {
        "dataset": dataset,
        "dataset_list": [dataset],
        "imports": imports,
        "latest": imports[0] if imports else None,
        "config": {"dataset": brief(dataset), "may_edit": may_edit(dataset)},
    }
    return render(request, "datasets/dataset.html", context)


@require_safe
def import_page(request: HttpRequest, team: str, slug: str, import_id: UUID) -> HttpResponse:
    """The report; before the start, to those who may start it, what was understood."""
    dataset = find(request, team, slug)
    job = import_of(dataset, import_id)
    context: dict[str, Any] = {"dataset": dataset, "job": job}
    if job.state in (ImportState.DESCRIBING, ImportState.DESCRIBED) and may_edit(dataset):
        context["config"] = upload_config(dataset=brief(dataset), job=job)
    else:
        lines, following = report_page(job, _number(request.GET.get("after", "")), REPORT_LINES)
        context |= {"lines": [report_words(line) for line in lines], "following": following}
    return render(request, "datasets/import.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find(request, team, slug, to_edit=True)
    form = SettingsForm(request.POST or None, instance=Dataset.objects.get(pk=dataset.pk))
    if request.method == "POST" and form.is_valid():
        change_dataset(dataset, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("datasets:settings", team, slug)
    context = {"dataset": dataset, "form": form, "deletion": DeletionForm(dataset)}
    return render(request, "datasets/settings.html", context)


@login_required
@require_POST
def delete_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find(request, team, slug, to_edit=True)
    deletion = DeletionForm(dataset, request.POST)
    if not deletion.is_valid():
        context = {"dataset": dataset, "form": SettingsForm(instance=dataset), "deletion": deletion}
        return render(request, "datasets/settings.html", context)
    delete_dataset(dataset)
    messages.success(request, f"“{dataset.name}” was deleted.")
    return redirect("datasets:list")


def find(request: HttpRequest, team: str, slug: str, *, to_edit: bool = False) -> Dataset:
    """Raises Http404."""
    datasets = datasets_for(request.user)
    if to_edit:
        datasets = datasets.filter(may_edit=True)
    return get_object_or_404(datasets, team__slug=team, slug=slug)


def page_of(request: HttpRequest, datasets: QuerySet[Dataset]) -> Any:
    return Paginator(datasets, CARDS).get_page(request.GET.get("page"))


def may_edit(dataset: Dataset) -> bool:
    return bool(dataset.may_edit)  # type: ignore[attr-defined]  # annotated by `datasets_for`


def brief(dataset: Dataset) -> dict[str, str]:
    return {"id": str(dataset.pk), "name": dataset.name, "url": dataset.get_absolute_url()}


def upload_config(
    *,
    teams: list[dict[str, str]] | None = None,
    dataset: dict[str, str] | None = None,
    job: Import | None = None,
) -> dict[str, Any]:
    """What the script of the upload page must know.

    `teams`: for a new dataset, where it may go. `dataset`: to add records to. `import`: to go on with it.
    """
    return {
        "teams": teams or [],
        "dataset": dataset,
        "import": None if job is None else str(job.pk),
        "max_bytes": settings.ATLAS_UPLOAD_BYTES,
    }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
