"""The verb `close_account`: a person goes, and no team is left without an owner.

It lives here and not with the teams because what a team owns goes too where nobody is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from atlas.datasets.imports import OPEN
from atlas.datasets.models import Dataset, Import
from atlas.datasets.team_deletion import delete_team
from atlas.teams.asker import Asker
from atlas.teams.membership import change_role
from atlas.teams.models import Invitation, Membership, Role, Team, User


class ClosingRefusedError(Exception):
    """The account cannot be closed so; one sentence for who wants to."""


@dataclass(frozen=True)
class Estate:
    """What becomes of one team when this member goes."""

    team: Team
    role: Role
    datasets: int
    records: int
    #: Members who could own it; empty where other owners stay, or nobody does.
    heirs: list[User]
    #: Nobody else is in it: it goes, with its datasets.
    last: bool


def estates_of(user: User) -> list[Estate]:
    memberships = user.memberships.select_related("team").order_by("team__name")
    return [_estate(membership) for membership in memberships]


def open_imports_of(user: User) -> int:
    """Imports that still read what this person uploaded."""
    return Import.objects.filter(uploads__user=user, state__in=OPEN).distinct().count()


@transaction.atomic
def close_account(user: User, heirs: Mapping[UUID, int | None]) -> None:
    """heirs: who owns a team from now on, for each one that would lose its last owner; None = nobody, it is
    deleted with its datasets. Raises ClosingRefusedError.
    """
    # Held until the end: no other owner leaves one of these teams meanwhile.
    teams = list(Team.objects.select_for_update().filter(memberships__user=user).order_by("pk"))
    if open_imports_of(user):
        raise ClosingRefusedError("An import still reads files of yours. Wait for it, or cancel it.")
    for estate in estates_of(user):
        if estate.last:
            delete_team(estate.team, Asker(user))
        elif estate.heirs:
            _hand_over(estate, heirs, Asker(user))
    files = [upload.path for upload in user.uploads.all()]
    Invitation.objects.filter(created_by=user).revoke()
    user.delete()
    transaction.on_commit(lambda: _unlink(files))
    Team.objects.filter(pk__in=[team.pk for team in teams], memberships=None, datasets=None).delete()


def _unlink(files: list[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _estate(membership: Membership) -> Estate:
    team = membership.team
    others = team.memberships.exclude(pk=membership.pk).filter(user__is_active=True)
    orphaned = membership.role == Role.OWNER and not others.filter(role=Role.OWNER).exists()
    # Editors first, "editor" before "viewer" as letters go.
    heirs = others.select_related("user").order_by("role", "created_at") if orphaned else []
    datasets = Dataset.objects.filter(team=team, deleting=False)
    return Estate(
        team=team,
        role=Role(membership.role),
        datasets=datasets.count(),
        records=datasets.aggregate(records=Sum(F("row_count") - F("removed_count")))["records"] or 0,
        heirs=[each.user for each in heirs],
        last=orphaned and not others.exists(),
    )


def _hand_over(estate: Estate, heirs: Mapping[UUID, int | None], by: Asker) -> None:
    team = estate.team
    if team.pk not in heirs:
        raise ClosingRefusedError(f"Say who owns {team} from now on.")
    heir = heirs[team.pk]
    if heir is None:
        delete_team(team, by)
    elif heir in [person.pk for person in estate.heirs]:
        change_role(team, heir, Role.OWNER)
    else:
        raise ClosingRefusedError(f"{team} has no such member any more. Choose again.")
