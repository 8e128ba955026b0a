"""Verbs for people: every person gets a team of their own on the first day."""

from django.db import transaction

from atlas.teams.membership import create_team
from atlas.teams.models import Team, User

#: People and addresses may be called by more letters than teams.
MOST_OF_A_NAME = 100


@transaction.atomic
def create_person(email: str, password: str, *, name: str = "") -> User:
    user = User.objects.create_user(email, password, first_name=name)
    create_own_team(user)
    return user


def create_own_team(user: User) -> Team:
    """Give a new person the team that their first datasets go to."""
    name = user.get_full_name() or user.email.partition("@")[0]
    return create_team(user, name[:MOST_OF_A_NAME])
