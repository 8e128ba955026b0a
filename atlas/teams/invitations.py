"""Invitations to a team: sent, revoked, accepted.

An invitation says nothing about whether its e-mail address has an account: it is the same for everybody, and
who follows it signs in or signs up. The token in its address is the id and a MAC of it under the secret key,
like a share link's: the database alone opens nothing.
"""

from datetime import timedelta
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from atlas.teams.limits import require_within
from atlas.teams.models import AT_LEAST, Invitation, Membership, Role, Team, User
from atlas.teams.people import confirmed_people

LIFETIME = timedelta(days=7)
#: One person may invite so many in so many seconds.
TRIES, TRY_SECONDS = 60, 3600
#: `team: Team`, `user: User`: somebody is new on it. Sent within the transaction.
member_joined = Signal()
_signer = Signer(sep=".", salt="atlas.teams.invitations")


class InvitationEndedError(Exception):
    """It was used, was revoked or has expired; one sentence for who follows it."""


@transaction.atomic
def invite(team: Team, email: str, role: Role, invited_by: User) -> Invitation:
    """An earlier one to the same address ends. Raises TooManyError."""
    sentence = "Those were many invitations in one hour. Go on later."
    require_within(f"invite:{invited_by.pk}", TRIES, TRY_SECONDS, sentence)
    team.invitations.filter(email__iexact=email).revoke()
    ends = timezone.now() + LIFETIME
    return team.invitations.create(email=email, role=role, created_by=invited_by, expires_at=ends)


def revoke_invitation(invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk).revoke()


def token_of(invitation: Invitation) -> str:
    return _signer.sign(invitation.pk.hex)


def invitations_for(user: User) -> QuerySet[Invitation]:
    """The open ones to this person's confirmed address: anybody may sign up with somebody's, and then needs
    the token.
    """
    if not confirmed_people().filter(pk=user.pk).exists():
        return Invitation.objects.none()
    sent = Invitation.objects.open().filter(email__iexact=user.email).exclude(team__members=user)
    return sent.select_related("team", "created_by")


def invitation_of(token: str) -> Invitation | None:
    """The open one that has this token. One answer for what never was and what has ended."""
    try:
        invitation_id = UUID(_signer.unsign(token))
    except BadSignature:
        return None
    return Invitation.objects.open().select_related("team", "created_by").filter(pk=invitation_id).first()


def gives_nothing(invitation: Invitation, user: User) -> bool:
    """Whether this person is as much on the team already."""
    enough = AT_LEAST[Role(invitation.role)]
    return invitation.team.memberships.filter(user=user, role__in=enough).exists()


@transaction.atomic
def accept(invitation: Invitation, user: User) -> bool:
    """Whether they are new on the team. A member of a lower role gets the higher one.

    Raises InvitationEndedError.
    """
    # The count says whether it was us: of two who accept at the same time, one does.
    if not Invitation.objects.open().filter(pk=invitation.pk).update(used_at=timezone.now()):
        raise InvitationEndedError("This invitation was used, was revoked or has expired.")
    team, role = invitation.team, Role(invitation.role)
    member, joined = Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})
    if joined:
        member_joined.send(Team, team=team, user=user)
    elif member.role not in AT_LEAST[role]:
        member.role = role
        member.save(update_fields=["role"])
    return joined
