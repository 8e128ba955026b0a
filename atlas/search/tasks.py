"""What the query worker runs: one warm process with the towers in memory."""

import logging
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

from atlas.maps.towers import TowerError, embed_query
from atlas.search import engine
from atlas.search.query import Query

log = logging.getLogger(__name__)


@shared_task
def answer(dataset_id: str, row_count: int, query: dict[str, Any]) -> dict[str, Any]:
    """The answer, or `{"error": sentence}`: exceptions do not travel between processes as JSON."""
    try:
        return engine.answer(UUID(dataset_id), row_count, Query.from_json(query)).as_json()
    except (engine.QueryError, TowerError) as error:
        return {"error": str(error)}


@shared_task(ignore_result=True)
def warm() -> None:
    """Load the towers before the first person waits for them."""
    try:
        embed_query(settings.ATLAS_MODEL, "warm")
    except TowerError as error:
        # Said once here, and again to everybody who searches.
        log.warning("%s", error)


@worker_ready.connect
def warm_up(sender: Any, **_: Any) -> None:
    if sender.hostname.startswith("query@"):
        warm.apply_async(queue="query")
