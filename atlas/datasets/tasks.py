"""What Celery calls, on the queue `ingest`."""

from uuid import UUID

from celery import shared_task
from django.core.files.storage import default_storage

from atlas.datasets import delete, describe, imports, ingest, remove, uploads
from atlas.datasets.storage import ContentStorage
from atlas.patience import LATER


@shared_task(ignore_result=True, **LATER)
def describe_import(import_id: str) -> None:
    describe.describe_import(UUID(import_id))


@shared_task(ignore_result=True, **LATER)
def run_import(import_id: str) -> None:
    ingest.run_import(UUID(import_id))


@shared_task(ignore_result=True)
def remove_dataset(dataset_id: str) -> None:
    delete.remove_dataset(UUID(dataset_id))


@shared_task(ignore_result=True)
def clear_removed(dataset_id: str) -> None:
    remove.clear_removed(UUID(dataset_id))


@shared_task(ignore_result=True)
def requeue_orphans() -> None:
    """By the beat, every few seconds."""
    imports.requeue_orphans()
    delete.requeue_deletions()
    remove.requeue_removals()


@shared_task(ignore_result=True)
def remove_expired_uploads() -> None:
    """By the beat, every hour."""
    uploads.remove_expired()
    if isinstance(default_storage, ContentStorage):
        default_storage.remove_unfinished()
