"""Whoever joins a team is a guest of its datasets no longer: leaving it then leaves nothing behind."""

from typing import Any

from django.dispatch import receiver

from atlas.datasets.models import Dataset
from atlas.teams.invitations import member_joined
from atlas.teams.models import Guest, Team, User


@receiver(member_joined)
def end_guest(sender: type[Team], team: Team, user: User, **_: Any) -> None:  # noqa: ARG001 - Django's signature
    Guest.objects.filter(user=user, dataset_id__in=Dataset.objects.filter(team=team).values("pk")).delete()
