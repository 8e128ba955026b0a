"""The verb `delete_team`: here and not with the teams, because what a team owns goes too, or moves."""

from django.db import transaction

from atlas.datasets.delete import delete_dataset
from atlas.datasets.models import Dataset
from atlas.datasets.transfer import transfer_dataset
from atlas.teams.asker import Asker
from atlas.teams.models import Team


@transaction.atomic
def delete_team(team: Team, by: Asker, heir: Team | None = None) -> list[Dataset]:
    """Nobody sees it from here on; the row goes with the last dataset, which a worker removes.

    heir: to whom its datasets move; None: they are deleted with it. Returns them as they were.
    """
    # Locked, so that the last owner of the heir does not delete that one at the same time.
    both = [team.pk, heir.pk] if heir else [team.pk]
    list(Team.objects.select_for_update().filter(pk__in=both).order_by("pk"))
    datasets = list(Dataset.objects.filter(team=team, deleting=False))
    for dataset in datasets:
        if heir is None:
            delete_dataset(dataset)
        else:
            transfer_dataset(dataset, heir, by)
    team.invitations.revoke()
    team.memberships.all().delete()
    Team.objects.filter(pk=team.pk, datasets=None).delete()
    return datasets
