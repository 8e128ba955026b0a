"""Share links: their owners make, change and revoke them, their visitors open them."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from atlas.datasets.change import change_dataset
from atlas.datasets.models import Dataset, Visibility
from atlas.datasets.sharing import answer_with_page, back_to
from atlas.datasets.sharing_forms import LinkChangeForm, LinkForm
from atlas.datasets.telling import tell_sharing, tell_visibility
from atlas.datasets.views import find_own
from atlas.teams.asker import Asker
from atlas.teams.audit import address_of
from atlas.teams.limits import TooManyError, refused
from atlas.teams.links import (
    change_link,
    create_link,
    has_opened,
    link_of,
    open_link,
    revoke_link,
    unlock,
)
from atlas.teams.models import AuditVerb, Scope, ShareLink, User

LONGEST_IN_HEADER = 2_000


@login_required
@require_POST
def new_link(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """A link to a private dataset would open nothing, so making one opens the dataset to links."""
    dataset = find_own(request, team, slug)
    form = LinkForm(request.POST)
    if not form.is_valid():
        return answer_with_page(request, dataset, link_form=form)
    values = dict(form.cleaned_data)
    scope, last_day = Scope(values.pop("scope")), values.pop("last_day")
    link = create_link(dataset.pk, cast(User, request.user), scope=scope, expires_at=last_day, **values)
    tell_sharing(request, dataset, "made a share link", AuditVerb.LINK_MADE, f": {link} ({scope.label})")
    if dataset.visibility == Visibility.PRIVATE:
        change_dataset(dataset, visibility=Visibility.LINK)
        tell_visibility(request, dataset)
        messages.success(request, "The link is made. The dataset was private; its links open it now.")
    else:
        messages.success(request, "The link is made.")
    return back_to(dataset, "links")


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_link_page(request: HttpRequest, team: str, slug: str, link_id: UUID) -> HttpResponse:
    """Its address stays. An expired one can be given a new end; a revoked one has ended for good."""
    dataset = find_own(request, team, slug)
    link = get_object_or_404(ShareLink, dataset_id=dataset.pk, pk=link_id, revoked_at=None)
    form = LinkChangeForm(link, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        context = {"dataset": dataset, "link": link, "form": form}
        return render(request, "datasets/link.html", context, status=422 if form.errors else 200)
    change_link(link, **form.changes())
    rest = f": {link} ({form.words()})"
    tell_sharing(request, dataset, "changed a share link", AuditVerb.LINK_CHANGED, rest)
    messages.success(request, "Saved. It holds for those who have the link open, too.")
    return back_to(dataset, "links")


@login_required
@require_POST
def end_link(request: HttpRequest, team: str, slug: str, link_id: UUID) -> HttpResponse:
    dataset = find_own(request, team, slug)
    link = get_object_or_404(ShareLink, dataset_id=dataset.pk, pk=link_id)
    revoke_link(link)
    tell_sharing(request, dataset, "revoked a share link", AuditVerb.LINK_REVOKED, f": {link}")
    messages.success(request, "The link opens nothing any more, for those who have it open neither.")
    return back_to(dataset, "links")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def open_shared(request: HttpRequest, token: str) -> HttpResponse:
    """`/s/<token>`: past the password if there is one, then to the map."""
    link = link_of(token)
    dataset = None if link is None else _dataset_of(link)
    if link is None or dataset is None:
        return render(request, "datasets/no_link.html", status=404)
    if link.password and not has_opened(request.session, link):
        try:
            problem, status = _ask_password(request, link)
        except TooManyError as error:
            page = render(request, "datasets/link_password.html", {"problem": str(error)})
            return refused(page, error)
        if problem is not None:
            context = {"problem": problem}
            return render(request, "datasets/link_password.html", context, status=status)
    if request.method != "HEAD":
        open_link(request.session, link)
    target = reverse("maps:map", args=[dataset.team.slug, dataset.slug])
    # A long one is told by the page alone: proxies take no header of this length.
    told = 0 < len(link.start_view) <= LONGEST_IN_HEADER
    return redirect(f"{target}#{link.start_view}" if told else target)


def _dataset_of(link: ShareLink) -> Dataset | None:
    visitor = Asker(AnonymousUser(), (link,))
    shared = Dataset.objects.shared_with(visitor).select_related("team")
    return shared.filter(pk=link.dataset_id).first()


def _ask_password(request: HttpRequest, link: ShareLink) -> tuple[str | None, int]:
    """What to tell the visitor ("" = nothing yet, None = welcome), and the status of that page."""
    if request.method != "POST":
        return "", 200
    right = unlock(link, request.POST.get("password", ""), address_of(request))
    return (None, 200) if right else ("This is not the password.", 403)
