"""What the query worker runs: one warm process with the towers in memory."""

import base64
import logging
import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.core.cache import cache

from atlas.maps import towers
from atlas.maps.models import Space
from atlas.maps.towers import TowerError, Vectors, embed_query
from atlas.search import across, engine, pictures
from atlas.search import nearest as neighbours
from atlas.search.query import Query
from atlas.search.vectors import QueryError

log = logging.getLogger(__name__)

GLOW_SECONDS = 60


@shared_task
def answer(dataset_id: str, row_count: int, query: dict[str, Any]) -> dict[str, Any]:
    """The answer, or `{"error": sentence}`: exceptions do not travel between processes as JSON."""
    return _told(lambda: engine.answer(UUID(dataset_id), row_count, Query.from_json(query)).as_json())


@shared_task
def glow(dataset_id: str, version_id: str, query: dict[str, Any]) -> dict[str, Any]:
    """`{"key"}` of the bytes in the cache, or `{"error": sentence}`: a million bytes are no message."""

    def put() -> dict[str, Any]:
        key = f"glow:{secrets.token_urlsafe(16)}"
        found = engine.glow(UUID(dataset_id), UUID(version_id), Query.from_json(query))
        cache.set(key, found, GLOW_SECONDS)
        return {"key": key}

    return _told(put)


@shared_task
def answer_across(datasets: list[dict[str, Any]], query: dict[str, Any]) -> dict[str, Any]:
    """`{"groups", "skipped"}` of the datasets, or `{"error": sentence}`."""
    return _told(lambda: across.answer(datasets, Query.from_json(query)))


@shared_task
def embed_texts(texts: list[str], task: str, dimensions: int | None, long_text_mode: str) -> dict[str, Any]:
    """`{"vectors": as by `packed`, "tokens"}`, or `{"error": sentence}`."""

    def put() -> dict[str, Any]:
        model = settings.ATLAS_MODEL
        vectors, tokens = towers.embed_texts(model, texts, task, dimensions, long_text_mode)
        return {"vectors": packed(vectors), "tokens": tokens}

    return _told(put)


@shared_task
def embed_pictures(keys: list[str]) -> dict[str, Any]:
    """Of pictures in the cache: `{"vectors": as by `packed`, "unreadable": [[place, reason], …]}`, or
    `{"error": sentence}`."""

    def put() -> dict[str, Any]:
        found = cache.get_many(keys)
        missing = [key for key in keys if key not in found]
        if missing:
            raise QueryError("The pictures are no longer here: send them again.")
        vectors, errors = towers.embed_each(settings.ATLAS_MODEL, [found[key] for key in keys])
        return {"vectors": packed(vectors), "unreadable": sorted(errors.items())}

    return _told(put)


def packed(vectors: Vectors) -> str:
    """(n, d) as base64 of float32, row by row: a tenth of the same as JSON."""
    return base64.b64encode(vectors.astype("<f4").tobytes()).decode()


@shared_task
def nearest(dataset_id: str, space: Space, row: int, row_count: int, k: int) -> dict[str, Any]:
    """`{"found": [[row, cosine], …]}`, best first."""
    return {"found": neighbours.nearest(UUID(dataset_id), Space(space), row, row_count, k)}


@shared_task(ignore_result=True)
def warm() -> None:
    """Load the towers before the first person waits for them."""
    try:
        embed_query(settings.ATLAS_MODEL, "warm")
    except TowerError as error:
        # Said once here, and again to everybody who searches.
        log.warning("%s", error)


@shared_task(ignore_result=True)
def remove_unused_pictures() -> None:
    pictures.remove_unused_pictures()


@worker_ready.connect
def warm_up(sender: Any, **_: Any) -> None:
    if sender.hostname.startswith("query@"):
        warm.apply_async(queue="query")


def _told(verb: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return verb()
    except (QueryError, TowerError) as error:
        return {"error": str(error)}
