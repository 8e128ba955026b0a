"""What follows from what others announce."""

from typing import Any

from allauth.account.signals import user_signed_up
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from atlas.teams.adapter import INVITATION
from atlas.teams.invitations import invitation_of
from atlas.teams.models import Invitation, User
from atlas.teams.sealing import sealed_anew
from atlas.teams.second_steps import change_secrets


@receiver(user_signed_up)
def note_account(sender: type[User], request: HttpRequest, user: User, **kwargs: Any) -> None:  # noqa: ARG001
    """The invitation that somebody signs up with lets no second one sign up, whether they join or not."""
    invitation = invitation_of(request.session.get(INVITATION, ""))
    if invitation is not None:
        Invitation.objects.filter(pk=invitation.pk, account=None).update(account=user)


def seal_with_the_present_key(**_: Any) -> None:
    """At every start of the system: after one with a new secret key nothing needs the old one any more."""
    with transaction.atomic():
        change_secrets(Authenticator.objects, sealed_anew)
