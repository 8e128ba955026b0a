"""Teams and their members: made, renamed, changed. A team always keeps an owner."""

from django.db import transaction
from django.utils.text import slugify

from atlas.slugs import save_with_free_slug
from atlas.teams.models import Membership, Role, Team, User
from atlas.text import one_line


class LastOwnerError(Exception):
    """The team would be left without an owner; one sentence for who asked."""


@transaction.atomic
def create_team(owner: User, name: str) -> Team:
    team = Team(name=one_line(name))
    save_with_free_slug(team, slugify(team.name) or "team", Team.objects.all(), 60)
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    return team


def rename_team(team: Team, name: str) -> None:
    """Its address stays: links to its datasets go on working."""
    Team.objects.filter(pk=team.pk).update(name=one_line(name))


@transaction.atomic
def change_role(team: Team, user_id: int, role: Role) -> None:
    """Raises Membership.DoesNotExist, LastOwnerError."""
    member = _locked(team, user_id)
    if role != Role.OWNER:
        _require_another_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    if role != Role.OWNER:
        _end_invitations(member)


@transaction.atomic
def remove_member(team: Team, user_id: int) -> None:
    """Raises Membership.DoesNotExist, LastOwnerError."""
    member = _locked(team, user_id)
    _require_another_owner(member)
    member.delete()
    _end_invitations(member)


def _locked(team: Team, user_id: int) -> Membership:
    """The lock is on the team: two owners who leave at the same time must not both find the other one."""
    Team.objects.select_for_update().get(pk=team.pk)
    return Membership.objects.get(team=team, user_id=user_id)


def _end_invitations(member: Membership) -> None:
    """Those of an owner who is none any more: one to another address of theirs would bring them back."""
    member.team.invitations.filter(created_by=member.user_id).revoke()


def _require_another_owner(member: Membership) -> None:
    owners = Membership.objects.filter(team_id=member.team_id, role=Role.OWNER)
    if member.role == Role.OWNER and not owners.exclude(pk=member.pk).exists():
        raise LastOwnerError("A team needs an owner. Make somebody else an owner first.")
