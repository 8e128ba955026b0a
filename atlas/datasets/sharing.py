"""The page on which owners share a dataset: who may see it, its guests, the sites that may embed it."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from atlas.datasets.change import change_dataset
from atlas.datasets.models import Dataset, Visibility
from atlas.datasets.sharing_forms import EmbedForm, GuestForm, LinkForm, VisibilityForm
from atlas.datasets.telling import tell_sharing, tell_visibility
from atlas.datasets.views import find_own
from atlas.teams.audit import record_audit
from atlas.teams.guests import NotAGuestError, add_guest
from atlas.teams.limits import TooManyError, refused
from atlas.teams.links import token_of
from atlas.teams.mail import mail
from atlas.teams.models import AuditVerb, Guest, GuestRole, ShareLink, User
from atlas.teams.people import confirmed_people


@login_required
@require_safe
def sharing_page(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    start = request.GET.get("start", "")
    form = LinkForm(initial={"start_view": f"#{start}" if start else ""})
    return answer_with_page(request, find_own(request, team, slug), link_form=form, start=start)


@login_required
@require_POST
def set_visibility(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find_own(request, team, slug)
    form = VisibilityForm(request.POST)
    if not form.is_valid():
        raise Http404
    change_dataset(dataset, visibility=Visibility(form.cleaned_data["visibility"]))
    tell_visibility(request, dataset)
    messages.success(request, "Saved.")
    return back_to(dataset)


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
            return refused(answer_with_page(request, dataset, guest_form=form), error)
        else:
            done, rest = f"made {guest.user} a guest: {guest.role}", f": {guest.user.email}, {guest.role}"
            tell_sharing(request, dataset, done, AuditVerb.GUEST_ADDED, rest, guest.user)
            _tell_guest(request, dataset, guest)
            return back_to(dataset, "guests")
    return answer_with_page(request, dataset, guest_form=form)


def _tell_guest(request: HttpRequest, dataset: Dataset, guest: Guest) -> None:
    words = f"{guest.user} {guest.get_role_display().lower()} from now on."
    address = request.build_absolute_uri(dataset.get_absolute_url())
    context = {"dataset": dataset, "guest": guest, "host": request.user, "address": address}
    if mail(guest.user.email, f"“{dataset}” is shared with you on Atlas", "datasets/guest.txt", context):
        messages.success(request, f"{words} A mail tells them.")
    else:
        messages.warning(request, f"{words} No mail was sent: tell them yourself.")


@login_required
@require_POST
def end_guest(request: HttpRequest, team: str, slug: str, guest_id: int) -> HttpResponse:
    dataset = find_own(request, team, slug)
    guest = get_object_or_404(Guest.objects.select_related("user"), dataset_id=dataset.pk, pk=guest_id)
    guest.delete()
    done, rest = f"removed the guest {guest.user}", f": {guest.user.email}"
    tell_sharing(request, dataset, done, AuditVerb.GUEST_REMOVED, rest, guest.user)
    messages.success(request, f"{guest.user} is no guest any more.")
    return back_to(dataset, "guests")


@login_required
@require_POST
def set_embedding(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    dataset = find_own(request, team, slug)
    form = EmbedForm(request.POST)
    if not form.is_valid():
        return answer_with_page(request, dataset, embed_form=form)
    dataset.embed_hosts = form.cleaned_data["hosts"]
    dataset.save(update_fields=["embed_hosts"])
    hosts = ", ".join(dataset.embed_hosts) or "none"
    record_audit(request, AuditVerb.FRAMES_CHANGED, f"“{dataset}”: {hosts}", team=dataset.team)
    messages.success(request, "Saved.")
    return back_to(dataset, "embed")


def answer_with_page(
    request: HttpRequest,
    dataset: Dataset,
    *,
    link_form: forms.Form | None = None,
    guest_form: forms.Form | None = None,
    embed_form: forms.Form | None = None,
    start: str = "",
) -> HttpResponse:
    links = ShareLink.objects.filter(dataset_id=dataset.pk).select_related("created_by")
    guests = Guest.objects.filter(dataset_id=dataset.pk).select_related("user")
    embed = request.build_absolute_uri(reverse("maps:embed", args=[dataset.team.slug, dataset.slug]))
    context: dict[str, Any] = {
        "dataset": dataset,
        "visibilities": Visibility.choices,
        "links": [(link, _address(request, link)) for link in links if link.in_force],
        "ended": [link for link in links if not link.in_force],
        "guests": guests,
        "unconfirmed": set(guests.exclude(user__in=confirmed_people()).values_list("user", flat=True)),
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


def back_to(dataset: Dataset, part: str = "") -> HttpResponse:
    page = reverse("datasets:sharing", args=[dataset.team.slug, dataset.slug])
    return redirect(f"{page}#{part}" if part else page)
