"""What the query worker runs: one warm process with the towers in memory."""

import gc
import logging
from collections.abc import Callable
from functools import cache as cache_of
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from atlas.maps import towers
from atlas.maps.access import WithdrawnError, reading
from atlas.maps.models import Space, version_folder
from atlas.maps.towers import TowerError, Vectors, embed_queries
from atlas.search import across, engine, pictures
from atlas.search import nearest as neighbours
from atlas.search.body import as_body
from atlas.search.passes import Work, alone, together
from atlas.search.query import Query
from atlas.search.replies import Answer, Answering, leave
from atlas.search.vectors import QueryError

log = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def answer_all(asked: list[list[Any]]) -> None:
    """`answer` of several who asked at the same time, `[[id, *arguments], …]`, each told once it is done."""
    unanswered = [each for each, *_ in asked]
    try:
        open_ = cache_of(engine.opened)
        works = [_answering(open_, *arguments) for _, *arguments in asked]
        for place, found in together(works):
            if isinstance(found, Exception):
                log.error("A search broke.", exc_info=found)
            _tell(asked[place][0], None if isinstance(found, Exception) else found)
            unanswered.remove(asked[place][0])
    finally:
        for each in unanswered:
            _tell(each, None)


def _tell(task_id: str, answer: Answer | None) -> None:
    """One who cannot be told keeps nobody else from being told."""
    try:
        leave(task_id, answer)
    except RedisError:
        log.exception("An answer found no way back.")


@shared_task(base=Answering, together=answer_all)
def answer(dataset_id: str, version_id: str, row_count: int, query: dict[str, Any]) -> Answer:
    """`{"content": as by `as_body`}`, `{"error": sentence}`, or `{"withdrawn": True}` where the version went
    meanwhile: exceptions do not travel."""
    return alone(_answering(engine.opened, dataset_id, version_id, row_count, query))


def _answering(
    open_: engine.Opener, dataset_id: str, version_id: str, row_count: int, query: dict[str, Any]
) -> Work[Answer]:
    try:
        found = yield from engine.answering(UUID(dataset_id), row_count, Query.from_json(query), open_)
        with reading(UUID(version_id)):
            return {"content": as_body(found, version_folder(UUID(dataset_id), UUID(version_id)))}
    except WithdrawnError:
        return {"withdrawn": True}
    except (QueryError, TowerError) as error:
        return {"error": str(error)}


@shared_task(base=Answering)
def glow(dataset_id: str, version_id: str, query: dict[str, Any]) -> Answer:
    """`{"content": a byte for each point}`, `{"error": sentence}` or `{"withdrawn": True}`."""
    return _told(lambda: {"content": engine.glow(UUID(dataset_id), UUID(version_id), Query.from_json(query))})


@shared_task(base=Answering)
def answer_across(datasets: list[dict[str, Any]], query: dict[str, Any], until: float) -> Answer:
    """`{"groups", "skipped"}` of the datasets, or `{"error": sentence}`."""
    return _told(lambda: across.answer(datasets, Query.from_json(query), until))


@shared_task(base=Answering)
def embed_texts(texts: list[str], task: str, dimensions: int | None, long_text_mode: str) -> Answer:
    """`{"content": vectors as by `packed`, "tokens"}`, or `{"error": sentence}`."""

    def put() -> Answer:
        model = settings.ATLAS_MODEL
        vectors, tokens = towers.embed_texts(model, texts, task, dimensions, long_text_mode)
        return {"content": packed(vectors), "tokens": tokens}

    return _told(put)


@shared_task(base=Answering)
def embed_pictures(keys: list[str]) -> Answer:
    """Of pictures in the cache: `{"content": vectors as by `packed`, "unreadable": [[place, reason], …]}`, or
    `{"error": sentence}`."""

    def put() -> Answer:
        found = cache.get_many(keys)
        missing = [key for key in keys if key not in found]
        if missing:
            raise QueryError("The pictures are no longer here: send them again.")
        vectors, errors = towers.embed_each(settings.ATLAS_MODEL, [found[key] for key in keys])
        return {"content": packed(vectors), "unreadable": sorted(errors.items())}

    return _told(put)


def packed(vectors: Vectors) -> bytes:
    """(n, d) as float32, row by row: a tenth of the same as JSON."""
    return vectors.astype("<f4").tobytes()


@shared_task(base=Answering)
def nearest(dataset_id: str, space: Space, row: int, row_count: int, k: int) -> Answer:
    """`{"found": [[row, cosine], …]}`, best first."""
    return {"found": neighbours.nearest(UUID(dataset_id), Space(space), row, row_count, k)}


@shared_task(ignore_result=True)
def warm() -> None:
    """Load the towers before the first person waits for them; what stays for good, the collector of garbage
    need not go through again and again: that took a tenth of a search."""
    try:
        embed_queries(settings.ATLAS_MODEL, ["warm"])
        towers.revision(settings.ATLAS_MODEL)  # may read its files whole
    except TowerError as error:
        # Said once here, and again to everybody who searches.
        log.warning("%s", error)
    gc.collect()
    gc.freeze()


@shared_task(ignore_result=True)
def remove_unused_pictures() -> None:
    pictures.remove_unused_pictures()


@worker_ready.connect
def warm_up(sender: Any, **_: Any) -> None:
    if sender.hostname.startswith("query@"):
        warm.apply_async(queue="query")


def _told(verb: Callable[[], Answer]) -> Answer:
    try:
        return verb()
    except WithdrawnError:
        return {"withdrawn": True}
    except (QueryError, TowerError) as error:
        return {"error": str(error)}
