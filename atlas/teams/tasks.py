"""What Celery calls."""

from celery import shared_task
from django.core.management import call_command

from atlas.teams import audit


@shared_task(ignore_result=True)
def prune_audit() -> None:
    """By the beat, every hour."""
    audit.prune_audit()


@shared_task(ignore_result=True)
def clear_sessions() -> None:
    """By the beat, every day: those that have expired. Django itself removes none."""
    call_command("clearsessions")
