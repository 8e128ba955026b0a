"""What happens to a dataset, as it happens: written by the workers, read by the pages through SSE.

A Redis stream per dataset keeps the last few hundred events, so a browser that reconnects with the id of the
last event it saw gets the ones it missed. Events are news, not the truth: that is in Postgres.
"""

import json
import logging
import re
from collections.abc import AsyncIterator
from functools import cache
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
from django.conf import settings

log = logging.getLogger(__name__)

KEPT_EVENTS = 500
KEPT_SECONDS = 24 * 3600
#: A proxy closes a silent connection after about a minute.
HEARTBEAT_SECONDS = 15
_EVENT_ID = re.compile(r"\d{1,20}-\d{1,20}")


@cache
def _client() -> redis.Redis:
    # Short: a worker must not stand still because nobody can be told about its progress.
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def publish(dataset_id: UUID, event: dict[str, Any]) -> None:
    """Tell everyone who watches the dataset. A Redis that is away raises nothing: work goes on without it."""
    key = _key(dataset_id)
    try:
        with _client().pipeline(transaction=False) as pipe:
            pipe.xadd(key, {"data": json.dumps(event)}, maxlen=KEPT_EVENTS, approximate=True)
            pipe.expire(key, KEPT_SECONDS)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("event of dataset %s not published: %s", dataset_id, error)


async def latest_id(dataset_id: UUID) -> str:
    """Where the stream ends now. Ask, read a snapshot, then `stream` from here: nothing falls between."""
    try:
        async with _async_client() as client:
            # Any: redis-py's types allow for every protocol and decoding at once.
            newest: Any = await client.xrevrange(_key(dataset_id), count=1)
    except redis.RedisError as error:
        log.warning("events of dataset %s not read: %s", dataset_id, error)
        return "0-0"
    return str(newest[0][0].decode()) if newest else "0-0"


async def stream(dataset_id: UUID, last_id: str) -> AsyncIterator[str]:
    """The events after `last_id` as server-sent events, for ever, with a comment now and then as heartbeat.

    A malformed id (it comes from a header) reads from the oldest event kept. Ends when Redis goes away: the
    browser then reconnects by itself.
    """
    position = last_id if _EVENT_ID.fullmatch(last_id) else "0-0"
    try:
        async with _async_client() as client:
            while True:
                streams: Any = await client.xread(
                    {_key(dataset_id): position}, block=HEARTBEAT_SECONDS * 1000
                )
                if not streams:
                    yield ": still here\n\n"
                    continue
                for event_id, fields in streams[0][1]:
                    position = event_id.decode()
                    yield f"id: {position}\ndata: {fields[b'data'].decode()}\n\n"
    except redis.RedisError as error:
        log.warning("events of dataset %s ended: %s", dataset_id, error)


def _key(dataset_id: UUID) -> str:
    return f"events:{dataset_id}"


def _async_client() -> redis.asyncio.Redis:
    # One for each stream: a client belongs to the event loop and the connection is busy while it blocks.
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=HEARTBEAT_SECONDS + 5, protocol=2
    )
