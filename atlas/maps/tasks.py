"""What Celery calls. Two names for one task, because the queue follows from the name."""

from typing import Any

from celery import shared_task

from atlas.maps import build, hnsw, publish, run
from atlas.patience import AWAY

#: A step that could not even be claimed waits for the database.
LATER: dict[str, Any] = {"autoretry_for": AWAY, "retry_kwargs": {"countdown": 2, "max_retries": 30}}


@shared_task(ignore_result=True, **LATER)
def embed_step(step_id: int) -> None:
    run.run_step(step_id)


@shared_task(ignore_result=True, **LATER)
def build_step(step_id: int) -> None:
    run.run_step(step_id)


@shared_task(ignore_result=True)
def rescue() -> None:
    """By the beat, every few seconds."""
    build.rescue()


@shared_task(ignore_result=True)
def sweep() -> None:
    """By the beat, every hour."""
    publish.sweep()


@shared_task(ignore_result=True)
def index_large_sets() -> None:
    """By the beat, every few minutes."""
    hnsw.index_large_sets()
