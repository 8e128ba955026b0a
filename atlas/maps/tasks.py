"""What Celery calls. Two names for one task, because the queue follows from the name."""

from celery import shared_task

from atlas.maps import build, publish, run


@shared_task(ignore_result=True)
def embed_step(step_id: int) -> None:
    run.run_step(step_id)


@shared_task(ignore_result=True)
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
