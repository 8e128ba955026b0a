"""Verbs for people: every person gets a team of their own on the first day."""

from django.db import transaction
from django.utils.text import slugify

from atlas.slugs import free_slug
from atlas.teams.models import Membership, Role, Team, User


@transaction.atomic
def create_person(email: str, password: str, *, name: str = "") -> User:
    user = User.objects.create_user(email, password, first_name=name)
    create_own_team(user)
    return user


@transaction.atomic
def create_own_team(user: User) -> Team:
    """Give a new person the team that their first datasets go to."""
    name = user.get_full_name() or user.email.partition("@")[0]
    team = Team.objects.create(name=name, slug=free_slug(slugify(name) or "team", Team.objects.all(), 60))
    Membership.objects.create(team=team, user=user, role=Role.OWNER)
    return team
