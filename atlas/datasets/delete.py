"""The verb `delete_dataset`: hidden at once, removed by a worker. Every step of that may be run again."""

from uuid import UUID

from django.core.files.storage import Storage, default_storage
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from atlas.datasets.imports import OPEN
from atlas.datasets.models import Dataset, Import, ImportState, Record
from atlas.datasets.queue import send_on_commit
from atlas.datasets.signals import dataset_deleted
from atlas.datasets.uploads import remove_upload
from atlas.datasets.vectors import remove_vectors
from atlas.patience import SILENCE
from atlas.teams.guests import forget_dataset
from atlas.teams.models import Team

#: Rows in one statement: locks and the log stay small.
ROWS = 10_000


@transaction.atomic
def delete_dataset(dataset: Dataset) -> None:
    """From here on nobody sees it, and its name is free for another."""
    dataset.deleting = True
    dataset.slug = f"-{dataset.pk.hex}"  # no name makes a slug that begins with a hyphen
    dataset.save(update_fields=["deleting", "slug"])
    Import.objects.filter(dataset=dataset, state__in=OPEN).update(
        state=ImportState.CANCELLED, finished_at=timezone.now()
    )
    send_on_commit("remove_dataset", dataset.pk)


def remove_dataset(dataset_id: UUID) -> None:
    """Remove records, files, vectors and what other rooms derived. The row itself goes last."""
    dataset = Dataset.objects.filter(pk=dataset_id, deleting=True).first()
    if dataset is None or _import_still_stops(dataset):
        return  # in the latter case the beat sends this again
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 1))", [str(dataset.pk)])
        if cursor.fetchone() != (True,):
            return
        try:
            _remove(dataset)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 1))", [str(dataset_id)])


def requeue_deletions() -> None:
    for pk in Dataset.objects.filter(deleting=True).values_list("pk", flat=True):
        send_on_commit("remove_dataset", pk)


def remove_folder(storage: Storage, name: str) -> None:
    """Delete everything below a name; a folder that is not there is fine."""
    try:
        folders, files = storage.listdir(name)
    except FileNotFoundError:
        return
    for folder in folders:
        remove_folder(storage, f"{name}/{folder}")
    for file in files:
        storage.delete(f"{name}/{file}")
    storage.delete(name)


def _import_still_stops(dataset: Dataset) -> bool:
    """A worker that has not noticed yet would store pictures after we have cleared the folder."""
    return dataset.imports.filter(claim__isnull=False, heartbeat_at__gt=Now() - SILENCE).exists()


def _remove(dataset: Dataset) -> None:
    for start in range(0, dataset.row_count, ROWS):
        Record.objects.filter(dataset=dataset, row__gte=start, row__lt=start + ROWS).delete()
    for job in dataset.imports.all():
        for upload in job.uploads.all():
            remove_upload(upload)
    for kind in ("originals", "thumbnails"):
        remove_folder(default_storage, dataset.folder(kind))
    remove_vectors(dataset.pk)
    forget_dataset(dataset.pk)
    dataset_deleted.send(sender=Dataset, dataset_id=dataset.pk)
    dataset.delete()
    # The last dataset of a team whose last member went takes it along.
    Team.objects.filter(pk=dataset.team_id, memberships=None, datasets=None).delete()
