"""The page on which owners share a dataset, and the address that opens a share link."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from atlas.datasets.activity import record_event
from atlas.datasets.change import change_dataset
from atlas.datasets.models import Dataset, Visibility
from atlas.datasets.sharing_forms import EmbedForm, GuestForm, LinkForm, VisibilityForm
from atlas.datasets.views import find_own
from atlas.teams.asker import Asker, asker_of
from atlas.teams.audit import address_of, record_audit
from atlas.teams.guests import NotAGuestError, add_guest
from atlas.teams.limits import TooManyError, refused
from atlas.teams.links import (
    create_link,
    has_opened,
    link_of,
    open_link,
    revoke_link,
    token_of,
    unlock,
)
from atlas.teams.mail import mail
from atlas.teams.models import AuditVerb, Guest, GuestRole, Scope, ShareLink, User


@login_required
@require_safe
def sharing_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    start = request.GET.get("start", "")
    form = LinkForm(initial={"start_view": f"#{start}" if start else ""})
    return _page(request, find_own(request, team, slug), link_form=form, start=start)


@login_required
@require_POST
def set_visibility(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find_own(request, team, slug)
    form = VisibilityForm(request.POST)
    if not form.is_valid():
        raise Http404
    visibility = Visibility(form.cleaned_data["visibility"])
    change_dataset(dataset, visibility=visibility)
    record_event(dataset, "shared", asker_of(request), f"made it {visibility}")
    _audit(request, AuditVerb.VISIBILITY_CHANGED, dataset, f": {visibility}")
    messages.success(request, "Saved.")
    return _back(dataset)


@login_required
@require_POST
def new_link(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """A link to a private dataset would open nothing, so making one opens the dataset to links."""
    dataset = find_own(request, team, slug)
    form = LinkForm(request.POST)
    if not form.is_valid():
        return _page(request, dataset, link_form=form)
    values = dict(form.cleaned_data)
    scope, last_day = Scope(values.pop("scope")), values.pop("last_day")
    link = create_link(dataset.pk, cast(User, request.user), scope=scope, expires_at=last_day, **values)
    record_event(dataset, "shared", asker_of(request), "made a share link")
    _audit(request, AuditVerb.LINK_MADE, dataset, f": {link} ({scope.label})")
    if dataset.visibility == Visibility.PRIVATE:
        change_dataset(dataset, visibility=Visibility.LINK)
        _audit(request, AuditVerb.VISIBILITY_CHANGED, dataset, f": {Visibility.LINK}")
        messages.success(request, "The link is made. The dataset was private; its links open it now.")
    else:
        messages.success(request, "The link is made.")
    return _back(dataset, "links")


@login_required
@require_POST
def end_link(request: HttpRequest, team: str, slug: str, link_id: UUID) -> HttpResponse:
    dataset = find_own(request, team, slug)
    link = get_object_or_404(ShareLink, dataset_id=dataset.pk, pk=link_id)
    revoke_link(link)
    record_event(dataset, "shared", asker_of(request), "revoked a share link")
    _audit(request, AuditVerb.LINK_REVOKED, dataset, f": {link}")
    messages.success(request, "The link opens nothing any more, for those who have it open neither.")
    return _back(dataset, "links")


@login_required
@require_POST
def new_guest(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find_own(request, team, slug)
    form = GuestForm(request.POST)
    if form.is_valid():
        role = GuestRole(form.cleaned_data["role"])
        try:
            guest = add_guest(
                dataset.pk, dataset.team, form.cleaned_data["email"], role, cast(User, request.user)
            )
        except NotAGuestError as error:
            form.add_error("email", str(error))
        except TooManyError as error:
            form.add_error("email", str(error))
            return refused(_page(request, dataset, guest_form=form), error)
        else:
            record_event(dataset, "shared", asker_of(request), f"made {guest.user} a guest: {guest.role}")
            _audit(request, AuditVerb.GUEST_ADDED, dataset, f": {guest.user.email}, {guest.role}", guest.user)
            _tell_guest(request, dataset, guest)
            return _back(dataset, "guests")
    return _page(request, dataset, guest_form=form)


def _tell_guest(request: HttpRequest, dataset: Dataset, guest: Guest) -> None:
    words = f"{guest.user} {guest.get_role_display().lower()} from now on."
    address = request.build_absolute_uri(dataset.get_absolute_url())
    context = {"dataset": dataset, "guest": guest, "host": request.user, "address": address}
    if mail(guest.user.email, f"“{dataset}” is shared with you on Atlas", "datasets/guest.txt", context):
        messages.success(request, f"{words} A mail tells them.")
    else:
        messages.warning(request, f"{words} The mail to them could not be sent: tell them yourself.")


@login_required
@require_POST
def end_guest(request: HttpRequest, team: str, slug: str, guest_id: int) -> HttpResponse:
    dataset = find_own(request, team, slug)
    guest = get_object_or_404(Guest.objects.select_related("user"), dataset_id=dataset.pk, pk=guest_id)
    guest.delete()
    record_event(dataset, "shared", asker_of(request), f"removed the guest {guest.user}")
    _audit(request, AuditVerb.GUEST_REMOVED, dataset, f": {guest.user.email}", guest.user)
    messages.success(request, f"{guest.user} is no guest any more.")
    return _back(dataset, "guests")


@login_required
@require_POST
def set_embedding(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find_own(request, team, slug)
    form = EmbedForm(request.POST)
    if not form.is_valid():
        return _page(request, dataset, embed_form=form)
    dataset.embed_hosts = form.cleaned_data["hosts"]
    dataset.save(update_fields=["embed_hosts"])
    messages.success(request, "Saved.")
    return _back(dataset, "embed")


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
    return redirect(f"{target}#{link.start_view}" if link.start_view else target)


def _dataset_of(link: ShareLink) -> Dataset | None:
    visitor = Asker(AnonymousUser(), (link,))
    shared = Dataset.objects.shared_with(visitor).select_related("team")
    return shared.filter(pk=link.dataset_id).first()


def _ask_password(request: HttpRequest, link: ShareLink) -> tuple[str | None, int]:
    """What to tell the visitor ("" = nothing yet, None = welcome), and the status of that page."""
    if request.method != "POST":
        return "", 200
    right = unlock(link, request.POST.get("password", ""), address_of(request) or "")
    return (None, 200) if right else ("This is not the password.", 403)


def _page(
    request: HttpRequest,
    dataset: Dataset,
    *,
    link_form: forms.Form | None = None,
    guest_form: forms.Form | None = None,
    embed_form: forms.Form | None = None,
    start: str = "",
) -> HttpResponse:
    links = ShareLink.objects.filter(dataset_id=dataset.pk).select_related("created_by")
    embed = request.build_absolute_uri(reverse("maps:embed", args=[dataset.team.slug, dataset.slug]))
    context: dict[str, Any] = {
        "dataset": dataset,
        "visibilities": Visibility.choices,
        "links": [(link, _address(request, link)) for link in links if link.in_force],
        "ended": [link for link in links if not link.in_force],
        "guests": Guest.objects.filter(dataset_id=dataset.pk).select_related("user"),
        "link_form": link_form or LinkForm(),
        "start": start,
        "guest_form": guest_form or GuestForm(),
        "embed_form": embed_form or EmbedForm(initial={"hosts": "\n".join(dataset.embed_hosts)}),
        "embed_code": _frame(embed, dataset.name),
    }
    bad = any(form.is_bound for form in (context["link_form"], context["guest_form"], context["embed_form"]))
    return render(request, "datasets/sharing.html", context, status=422 if bad else 200)


def _frame(address: str, title: str) -> str:
    """HTML for a page of theirs, so the title is escaped for there."""
    code = '<iframe src="{}" title="{}" width="100%" height="600" loading="lazy" allowfullscreen></iframe>'
    return format_html(code, address, title)


def _address(request: HttpRequest, link: ShareLink) -> str:
    return request.build_absolute_uri(reverse("datasets:shared", args=[token_of(link)]))


def _audit(
    request: HttpRequest, verb: AuditVerb, dataset: Dataset, rest: str, about: User | None = None
) -> None:
    record_audit(request, verb, f"“{dataset}”{rest}", about=about, team=dataset.team)


def _back(dataset: Dataset, part: str = "") -> HttpResponse:
    page = reverse("datasets:sharing", args=[dataset.team.slug, dataset.slug])
    return redirect(f"{page}#{part}" if part else page)
