"""The server-sent events of a dataset: what is true when a page begins to listen, then what changes."""

import json
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.db import connection

from atlas import events
from atlas.datasets.models import Dataset
from atlas.maps import progress


async def feed(dataset: Dataset, last_id: str | None) -> AsyncIterator[str]:
    """Events as text, for ever.

    The first one is a snapshot, unless the page comes back with the id of the last event it saw: then the
    ones that it missed follow. Should Redis have lost its memory meanwhile, a snapshot again.
    """
    newest = await events.latest_id(dataset.pk)
    if last_id is None or _order(last_id) > _order(newest):
        last_id = newest
        yield f"id: {newest}\ndata: {json.dumps(await _snapshot(dataset))}\n\n"
    async for text in events.stream(dataset.pk, last_id):
        yield text


@sync_to_async
def _snapshot(dataset: Dataset) -> dict[str, object]:
    try:
        return progress.snapshot(dataset)
    finally:
        # A page listens for hours: it must not hold a connection all that time.
        connection.close()


def _order(event_id: str) -> tuple[int, int]:
    """Redis counts events as milliseconds-number; what is not of that form comes after everything."""
    milliseconds, _, number = event_id.partition("-")
    if not (milliseconds.isdecimal() and number.isdecimal()):
        return (2**64, 0)
    return int(milliseconds), int(number)
