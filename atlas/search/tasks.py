"""What the query worker runs: one warm process with the towers in memory."""

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

from atlas.maps.towers import TowerError, model
from atlas.search import engine
from atlas.search.query import Query


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
    model(settings.ATLAS_MODEL).encode_texts(["warm"], task="search_query")


@worker_ready.connect
def warm_up(sender: Any, **_: Any) -> None:
    if sender.hostname.startswith("query@"):
        warm.apply_async(queue="query")
