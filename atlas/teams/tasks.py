"""What Celery calls."""

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.contrib.sessions.models import Session
from django.core.management import call_command

from atlas.teams import audit


@shared_task(ignore_result=True)
def prune_audit() -> None:
    """By the beat, every hour."""
    audit.prune_audit()


@shared_task(ignore_result=True)
def clear_sessions() -> None:
    """By the beat, every day: those that have expired, and from where they came. Django itself removes none,
    allauth those of whoever signs in again."""
    call_command("clearsessions")
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
