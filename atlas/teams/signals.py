"""A person who signs up through the page gets a team, like one made by `create_person`."""

from typing import Any

from allauth.account.signals import user_signed_up
from django.dispatch import receiver

from atlas.teams.models import User
from atlas.teams.people import create_own_team


@receiver(user_signed_up)
def give_own_team(sender: type[User], user: User, **kwargs: Any) -> None:  # noqa: ARG001  # Django's signature
    create_own_team(user)
