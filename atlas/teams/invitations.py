"""Invitations to a team: sent, revoked, accepted.

An invitation says nothing about whether its e-mail address has an account: it is the same for everybody, and
who follows it signs in or signs up. The token in its address is the id and a MAC of it under the secret key,
like a share link's: the database alone opens nothing.
"""

from datetime import timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from atlas.teams.limits import require_within
from atlas.teams.models import Invitation, Membership, Role, Team, User

LIFETIME = timedelta(days=7)
#: One person may invite so many in so many seconds.
TRIES, TRY_SECONDS = 60, 3600
_signer = Signer(sep=".", salt="atlas.teams.invitations")


class InvitationEndedError(Exception):
    """It was used, was revoked or has expired; one sentence for who follows it."""


@transaction.atomic
def invite(team: Team, email: str, role: Role, invited_by: User) -> Invitation:
    """An earlier one to the same address ends. Raises TooManyError."""
    sentence = "Those were many invitations in one hour. Go on later."
    require_within(f"invite:{invited_by.pk}", TRIES, TRY_SECONDS, sentence)
    now = timezone.now()
    team.invitations.open().filter(email__iexact=email).update(revoked_at=now)
    return team.invitations.create(email=email, role=role, created_by=invited_by, expires_at=now + LIFETIME)


def revoke_invitation(invitation: Invitation) -> None:
    """For good; a used one stays used."""
    Invitation.objects.open().filter(pk=invitation.pk).update(revoked_at=timezone.now())


def token_of(invitation: Invitation) -> str:
    return _signer.sign(invitation.pk.hex)


def invitations_for(user: User) -> QuerySet[Invitation]:
    """The open ones to this person's account: it was here when they were sent, or has confirmed the address
    since. Whoever signs up later with somebody's address needs the token.
    """
    sent = Invitation.objects.open().filter(email__iexact=user.email).exclude(team__members=user)
    if not EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists():
        sent = sent.filter(created_at__gt=user.date_joined)
    return sent.select_related("team", "created_by")


def invitation_of(token: str) -> Invitation | None:
    """The open one that has this token. One answer for what never was and what has ended."""
    try:
        invitation_id = UUID(_signer.unsign(token))
    except BadSignature:
        return None
    return Invitation.objects.open().select_related("team", "created_by").filter(pk=invitation_id).first()


@transaction.atomic
def accept(invitation: Invitation, user: User) -> Team:
    """Who is a member already keeps their role. Raises InvitationEndedError."""
    # The count says whether it was us: of two who accept at the same time, one does.
    if not Invitation.objects.open().filter(pk=invitation.pk).update(used_at=timezone.now()):
        raise InvitationEndedError("This invitation was used, was revoked or has expired.")
    Membership.objects.get_or_create(
        team=invitation.team, user=user, defaults={"role": Role(invitation.role)}
    )
    return invitation.team
