"""The pages of teams: members, invitations, and the address that accepts one."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from atlas.teams.adapter import INVITATION
from atlas.teams.asker import asker_of
from atlas.teams.audit import record_audit
from atlas.teams.forms import ROLES, InvitationForm, RoleForm, TeamForm
from atlas.teams.invitations import (
    InvitationEndedError,
    accept,
    gives_nothing,
    invitation_of,
    invite,
    revoke_invitation,
    token_of,
)
from atlas.teams.limits import TooManyError, refused
from atlas.teams.mail import mail
from atlas.teams.membership import LastOwnerError, change_role, create_team, remove_member, rename_team
from atlas.teams.models import AT_LEAST, AuditVerb, Invitation, Membership, Role, Team, User


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_team(request: HttpRequest) -> HttpResponse:
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        team = create_team(cast(User, request.user), form.cleaned_data["name"])
        return redirect("teams:members", team.slug)
    return render(request, "teams/new.html", {"form": form})


@login_required
@never_cache
@require_safe
def members_page(request: HttpRequest, team: str) -> HttpResponse:
    return _page(request, find_team(request, team, Role.VIEWER))


@login_required
@require_POST
def rename(request: HttpRequest, team: str) -> HttpResponse:
    found = find_team(request, team)
    form = TeamForm(request.POST)
    if not form.is_valid():
        return _page(request, found, team_form=form)
    name = form.cleaned_data["name"]
    rename_team(found, name)
    record_audit(request, AuditVerb.TEAM_RENAMED, f"“{found}” to “{name}”", team=found)
    messages.success(request, "Saved.")
    return redirect("teams:members", team)


@login_required
@require_POST
def set_role(request: HttpRequest, team: str, user_id: int) -> HttpResponse:
    found = find_team(request, team)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise Http404
    role = Role(form.cleaned_data["role"])
    try:
        change_role(found, user_id, role)
    except Membership.DoesNotExist as error:
        raise Http404 from error
    except LastOwnerError as error:
        messages.error(request, str(error))
    else:
        person = User.objects.get(pk=user_id)
        record_audit(request, AuditVerb.ROLE_CHANGED, f"{person.email}: {role}", about=person, team=found)
        messages.success(request, "Saved.")
    return redirect("teams:members", team)


@login_required
@require_POST
def remove(request: HttpRequest, team: str, user_id: int) -> HttpResponse:
    """Owners remove anybody; everybody may leave."""
    leaves = user_id == request.user.pk
    found = find_team(request, team, Role.VIEWER if leaves else Role.OWNER)
    try:
        remove_member(found, user_id)
    except Membership.DoesNotExist as error:
        raise Http404 from error
    except LastOwnerError as error:
        messages.error(request, str(error))
        return redirect("teams:members", team)
    person = User.objects.get(pk=user_id)
    record_audit(request, AuditVerb.MEMBER_REMOVED, f"{person.email} of {found}", about=person, team=found)
    if leaves:
        messages.success(request, f"You have left {found}.")
        return redirect("datasets:list")
    messages.success(request, "Removed. What is open in their browser stops at its next request.")
    return redirect("teams:members", team)


@login_required
@require_POST
def new_invitation(request: HttpRequest, team: str) -> HttpResponse:
    found = find_team(request, team)
    form = InvitationForm(request.POST)
    if form.is_valid():
        email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
        try:
            invitation = invite(found, email, role, cast(User, request.user))
        except TooManyError as error:
            form.add_error(None, str(error))
            return refused(_page(request, found, invitation_form=form), error)
        else:
            record_audit(request, AuditVerb.INVITED, f"{email}: {role}", team=found)
            _send(request, invitation)
            return redirect("teams:members", team)
    return _page(request, found, invitation_form=form)


@login_required
@require_POST
def end_invitation(request: HttpRequest, team: str, invitation_id: UUID) -> HttpResponse:
    found = find_team(request, team)
    invitation = get_object_or_404(found.invitations, pk=invitation_id)
    revoke_invitation(invitation)
    record_audit(request, AuditVerb.INVITATION_REVOKED, invitation.email, team=found)
    messages.success(request, "The invitation opens nothing any more.")
    return redirect("teams:members", team)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, invite: str) -> HttpResponse:
    """Looking at it uses nothing up: mail programs follow links before people do."""
    invitation = invitation_of(invite)
    if invitation is None:
        return render(request, "teams/no_invitation.html", status=404)
    person = request.user if isinstance(request.user, User) else None
    in_vain = person is not None and gives_nothing(invitation, person)
    if request.method != "POST":
        request.session[INVITATION] = invite
        return render(request, "teams/join.html", {"invitation": invitation, "in_vain": in_vain})
    if person is None or in_vain:
        return redirect("teams:join", invite)
    team, role = invitation.team, Role(invitation.role)
    try:
        joined = accept(invitation, person)
    except InvitationEndedError:
        return render(request, "teams/no_invitation.html", status=404)
    request.session.pop(INVITATION, None)
    verb = AuditVerb.JOINED if joined else AuditVerb.ROLE_CHANGED
    record_audit(request, verb, f"{person.email}: {role}", team=team)
    messages.success(request, f"Welcome to {team}." if joined else f"{role.label} of {team} from now on.")
    return redirect(team)


@login_required
@require_POST
def decline(request: HttpRequest, invite: str) -> HttpResponse:
    invitation = invitation_of(invite)
    if invitation is None:
        return render(request, "teams/no_invitation.html", status=404)
    revoke_invitation(invitation)
    record_audit(request, AuditVerb.INVITATION_REVOKED, f"{invitation.email} declined", team=invitation.team)
    messages.success(request, f"You declined the invitation to {invitation.team}.")
    return redirect("datasets:list")


def find_team(request: HttpRequest, slug: str, at_least: Role = Role.OWNER) -> Team:
    """Raises Http404."""
    return get_object_or_404(Team.objects.of(asker_of(request), at_least), slug=slug)


def _page(request: HttpRequest, team: Team, **forms: Any) -> HttpResponse:
    members = team.memberships.select_related("user").order_by("created_at", "pk")
    owners = [member.user_id for member in members if member.role == Role.OWNER]
    context = {
        "only_owner": owners[0] if len(owners) == 1 else None,
        "team": team,
        "members": members,
        "may_edit": members.filter(user=request.user.pk, role__in=AT_LEAST[Role.EDITOR]).exists(),
        "has_keys": team.api_keys.filter(created_by=request.user.pk).exists(),
        "is_owner": members.filter(user=request.user.pk, role=Role.OWNER).exists(),
        "roles": Role.choices,
        "role_words": ROLES,
        "invitations": [(each, _address(request, each)) for each in team.invitations.open()],
        "team_form": TeamForm(instance=Team.objects.get(pk=team.pk)),
        "invitation_form": InvitationForm(),
    }
    return render(request, "teams/members.html", context | forms)


def _address(request: HttpRequest, invitation: Invitation) -> str:
    return request.build_absolute_uri(reverse("teams:join", args=[token_of(invitation)]))


def _send(request: HttpRequest, invitation: Invitation) -> None:
    context = {"invitation": invitation, "address": _address(request, invitation)}
    subject = f"Invitation to {invitation.team} on Atlas"
    if mail(invitation.email, subject, "teams/invitation.txt", context):
        messages.success(request, f"The invitation is on its way to {invitation.email}.")
    else:
        messages.warning(request, "No mail was sent. Copy the invitation's address below and pass it on.")
