"""The pages of one's own account that allauth does not have."""

from typing import cast

from allauth.usersessions.adapter import get_adapter as get_sessions_adapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from atlas.teams.forms import ProfileForm
from atlas.teams.models import User


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = ProfileForm(request.POST or None, initial={"name": user.get_full_name()})
    if request.method == "POST" and form.is_valid():
        user.first_name, user.last_name = form.cleaned_data["name"], ""
        user.save(update_fields=["first_name", "last_name"])
        messages.success(request, "Saved.")
        return redirect("teams:profile")
    memberships = user.memberships.select_related("team").order_by("team__name")
    return render(request, "account/profile.html", {"form": form, "memberships": memberships})


@login_required
@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign one browser out; what it has open stops at its next request."""
    session = get_object_or_404(UserSession, pk=session_id, user=request.user)
    get_sessions_adapter().end_sessions([session])
    messages.success(request, "That browser is signed out.")
    return redirect("usersessions_list")
