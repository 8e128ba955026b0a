"""The verb `transfer_dataset`: a dataset and all that belongs to it moves to another team."""

from django.db import transaction

from atlas.datasets.models import Dataset, DatasetQuerySet, Visibility
from atlas.slugs import free_slug
from atlas.teams.asker import Asker
from atlas.teams.models import Guest, Role, Team, TeamQuerySet


def possible_teams(asker: Asker, dataset: Dataset) -> TeamQuerySet:
    """Where who asks may put it: the other teams in which they may make datasets."""
    return Team.objects.of(asker, Role.EDITOR).exclude(pk=dataset.team_id)


@transaction.atomic
def transfer_dataset(dataset: Dataset, team: Team, by: Asker) -> None:
    """Share links, guests, tags and comments come along. The members of the old team lose it, those of the
    new one who were guests are members now. Its slug changes only where the new team has one like it.

    It becomes private where `by` is no owner: only owners show others what stands under their team's name.
    """
    # Two that come at the same time must not both find the same slug free.
    Team.objects.select_for_update().get(pk=team.pk)
    others: DatasetQuerySet = Dataset.objects.filter(team=team)
    dataset.team, dataset.slug = team, free_slug(dataset.slug, others, 80)
    if not Team.objects.of(by, Role.OWNER).filter(pk=team.pk).exists():
        dataset.visibility, dataset.embed_hosts = Visibility.PRIVATE, []
    dataset.save(update_fields=["team", "slug", "visibility", "embed_hosts"])
    Guest.objects.filter(dataset_id=dataset.pk, user__in=team.members.all()).delete()
