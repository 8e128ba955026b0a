"""The server-sent events of a dataset: what is true when a page begins to listen, then what changes."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from time import monotonic
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, StreamingHttpResponse
from django.http.response import HttpResponseBase

from atlas import events
from atlas.datasets.models import Dataset
from atlas.datasets.permit import permit
from atlas.maps import progress
from atlas.teams.asker import asker_again, asker_of_async


async def dataset_events(request: HttpRequest, dataset_id: UUID) -> HttpResponseBase:
    """`GET /api/datasets/<id>/events`"""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    asker = await asker_of_async(request)
    dataset = await Dataset.objects.visible_to(asker).filter(pk=dataset_id).afirst()
    if dataset is None:
        raise Http404
    texts = feed(dataset, request.headers.get("Last-Event-ID"))
    if not (await sync_to_async(permit)(asker, dataset_id)).sees_all:
        texts = _without_reasons(texts)
    response = StreamingHttpResponse(
        _while_visible(request, texts, dataset), content_type="text/event-stream"
    )
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"  # nginx would collect events until it has a few kilobytes
    return response


async def _while_visible(
    request: HttpRequest, texts: AsyncGenerator[str, None], dataset: Dataset
) -> AsyncIterator[str]:
    """Until the page may see the dataset no more: it is asked again at every heartbeat."""
    asked = monotonic()
    async with aclosing(texts):
        async for text in texts:
            if monotonic() - asked >= events.HEARTBEAT_SECONDS:
                if not await sync_to_async(_still_visible)(request, dataset):
                    return
                asked = monotonic()
            yield text


def _still_visible(request: HttpRequest, dataset: Dataset) -> bool:
    try:
        return Dataset.objects.visible_to(asker_again(request)).filter(pk=dataset.pk).exists()
    finally:
        connection.close()  # it must not be held until the next heartbeat


async def feed(dataset: Dataset, last_id: str | None) -> AsyncGenerator[str, None]:
    """Events as text, for ever.

    The first one is a snapshot, unless the page comes back with the id of the last event it saw: then the
    ones that it missed follow. Should Redis have lost its memory meanwhile, a snapshot again.
    """
    newest = await events.latest_id(dataset.pk)
    if last_id is None or _order(last_id) > _order(newest):
        last_id = newest
        yield f"id: {newest}\ndata: {json.dumps(await sync_to_async(progress.snapshot)(dataset))}\n\n"
    # A page listens for hours: it must not hold a database connection all that time.
    # (Looked up in that thread: here `connection` would be another one.)
    await sync_to_async(lambda: connection.close())()
    async for text in events.stream(dataset.pk, last_id):
        yield text


async def _without_reasons(texts: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    async with aclosing(texts):
        async for text in texts:
            head, found, data = text.partition("data: ")
            if found:
                text = f"{head}{found}{json.dumps(progress.without_reasons(json.loads(data)))}\n\n"
            yield text


def _order(event_id: str) -> tuple[int, int]:
    """Redis counts events as milliseconds-number; what is not of that form comes after everything."""
    milliseconds, _, number = event_id.partition("-")
    if not (milliseconds.isdecimal() and number.isdecimal() and len(event_id) < 41):
        return (2**64, 0)
    return int(milliseconds), int(number)
