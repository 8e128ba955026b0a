"""What Celery calls. Two names for one task, because the queue follows from the name."""

from celery import shared_task

from atlas.maps import build, hnsw, publish, run
from atlas.patience import LATER


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
