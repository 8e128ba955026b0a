"""What the pages are told about imports: the same words as an event while it happens and as a snapshot."""

from typing import Any

from atlas import events
from atlas.datasets.models import Dataset, Import


def publish_import(job: Import) -> None:
    events.publish(job.dataset_id, {"import": import_progress(job)})


def import_snapshot(dataset: Dataset) -> dict[str, Any]:
    """{"import": …} as `publish_import` sends it, of the oldest import that is not over, or of the latest;
    {"import": None} before the first."""
    jobs = list(dataset.imports.all())
    job = next((each for each in jobs if each.open), jobs[-1] if jobs else None)
    return {"import": None if job is None else import_progress(job)}


def import_progress(job: Import) -> dict[str, Any]:
    return {
        "id": str(job.pk),
        "state": job.state,
        "read": job.read,
        "imported": job.imported,
        "skipped": job.skipped,
        "total": job.total,
        "rate": None if job.rate is None else round(job.rate, 1),
        "seconds_left": job.seconds_left,
        "started_at": job.started_at and job.started_at.isoformat(),
        "error": job.error,
    }
