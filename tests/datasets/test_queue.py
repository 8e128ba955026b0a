"""Whose work comes first: a newcomer's fifty pictures do not wait behind somebody's million."""

from datetime import timedelta
from uuid import uuid4

import pytest
from celery import current_app
from django.utils import timezone
from pytest_django import Settings

from atlas.datasets import claims, imports
from atlas.datasets.imports import requeue_orphans
from atlas.datasets.ingest import run_import
from atlas.datasets.models import Import, ImportState
from tests.datasets.material import added, fruit_zip, new_import
from tests.people import Cast

LARGE = 100 << 20


def grown(job: Import, state: ImportState) -> Import:
    """As if its files were large."""
    job.size, job.state = LARGE, state
    job.claim, job.heartbeat_at = (uuid4(), timezone.now()) if state == ImportState.RUNNING else (None, None)
    job.save()
    return job


@pytest.mark.django_db(transaction=True)
def test_a_small_import_overtakes_large_ones_in_the_queue(cast: Cast) -> None:
    large, small = (new_import(cast, f"{name}.zip", fruit_zip()) for name in ("large", "small"))
    with current_app.connection_for_write() as connection:
        queue = connection.SimpleQueue("ingest")
        queue.clear()
        for job in (grown(large, ImportState.QUEUED), small):
            imports._send(job)
        waiting = [queue.get(timeout=5) for _ in range(2)]
        for message in waiting:
            message.ack()
        queue.close()
    assert [message.payload[0] for message in waiting] == [[str(small.pk)], [str(large.pk)]]


def test_a_large_import_waits_where_another_would_leave_no_worker(cast: Cast, settings: Settings) -> None:
    settings.ATLAS_WORKERS = 2
    other = grown(new_import(cast, "other.zip", fruit_zip()), ImportState.RUNNING)
    job = grown(new_import(cast, "fruit.zip", fruit_zip()), ImportState.QUEUED)
    run_import(job.pk)
    job.refresh_from_db()
    assert job.state == ImportState.QUEUED

    small = added(other.dataset, cast.alice, "small.zip", fruit_zip())
    assert small.state == ImportState.DONE

    Import.objects.filter(pk=other.pk).update(state=ImportState.DONE, claim=None)
    Import.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(hours=1))
    assert requeue_orphans() == 1
    run_import(job.pk)
    job.refresh_from_db()
    assert job.state == ImportState.DONE


def test_a_killed_large_import_keeps_nobody_waiting(cast: Cast, settings: Settings) -> None:
    settings.ATLAS_WORKERS = 2
    other = grown(new_import(cast, "other.zip", fruit_zip()), ImportState.RUNNING)
    Import.objects.filter(pk=other.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    job = grown(new_import(cast, "fruit.zip", fruit_zip()), ImportState.QUEUED)
    assert claims.leaves_a_worker(job.pk)
