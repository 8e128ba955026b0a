"""What Celery calls."""

from celery import shared_task

from atlas.teams import audit


@shared_task(ignore_result=True)
def prune_audit() -> None:
    """By the beat, every hour."""
    audit.prune_audit()
