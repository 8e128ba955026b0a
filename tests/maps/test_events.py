"""What a page that watches a dataset is told: first how things are, then what changes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from statistics import median
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections
from django.http import StreamingHttpResponse

from atlas import events
from atlas.datasets.models import Dataset, Visibility
from atlas.maps import embed, progress, run, towers
from atlas.maps.models import Space, Stage, Step
from atlas.maps.steps import Watch
from atlas.teams.links import create_link, token_of
from atlas.teams.models import Membership, Role
from tests.maps.building import make_maps
from tests.maps.fake_towers import FakeModel
from tests.maps.records import add_records, make_dataset
from tests.people import Cast, async_client_of

pytestmark = pytest.mark.django_db(transaction=True)

Name = str | None


@pytest.fixture
def dataset(cast: Cast) -> Dataset:
    dataset = make_dataset(cast.team)
    add_records(dataset, 3, captions=True)
    return dataset


def play(story: Callable[[], Awaitable[None]]) -> None:
    """Run it in a loop of its own; the connections of its threads are closed as a server would."""

    async def whole() -> None:
        try:
            await story()
        finally:
            await sync_to_async(connections.close_all)()

    asyncio.run(whole())


async def open_stream(cast: Cast, dataset: Dataset, name: Name = "alice", **headers: str) -> Any:
    client = await sync_to_async(async_client_of)(getattr(cast, name) if name else None)
    return await client.get(f"/api/datasets/{dataset.pk}/events", headers=headers)


async def told(response: StreamingHttpResponse, count: int) -> list[tuple[str, dict[str, Any]]]:
    """The next events as (id, content), comments left out."""
    found: list[tuple[str, dict[str, Any]]] = []
    stream = aiter(response)
    async with asyncio.timeout(60):
        while len(found) < count:
            text = (await anext(stream)).decode()
            if not text.startswith(":"):
                lines = dict(line.split(": ", 1) for line in text.strip().splitlines())
                found.append((lines["id"], json.loads(lines["data"])))
    await close(stream)
    return found


async def close(stream: AsyncIterator[bytes]) -> None:
    if hasattr(stream, "aclose"):
        await stream.aclose()


@pytest.mark.parametrize(
    ("name", "status"), [("alice", 200), ("bob", 200), ("victor", 200), ("charlie", 404), (None, 404)]
)
def test_the_team_listens_to_a_private_dataset(cast: Cast, dataset: Dataset, name: Name, status: int) -> None:
    async def story() -> None:
        response = await open_stream(cast, dataset, name)
        assert response.status_code == status

    play(story)


def test_everybody_listens_to_a_public_dataset(cast: Cast, dataset: Dataset) -> None:
    Dataset.objects.update(visibility=Visibility.PUBLIC)

    async def story() -> None:
        assert (await open_stream(cast, dataset, None)).status_code == 200

    play(story)


def test_a_page_that_may_see_the_dataset_no_more_hears_no_more(
    cast: Cast, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removed from the team, or signed out elsewhere: at the next heartbeat the stream ends."""
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 1)

    async def story() -> None:
        for end in (
            lambda: Membership.objects.filter(user=cast.victor).delete(),
            lambda: Session.objects.all().delete(),
        ):
            response = await open_stream(cast, dataset, "victor")
            stream = aiter(response)
            async with asyncio.timeout(60):
                assert (await anext(stream)).startswith(b"id: ")
                assert await anext(stream) == b": still here\n\n"
                await sync_to_async(end)()
                assert [text async for text in stream if not text.startswith(b":")] == []
            await sync_to_async(Membership.objects.get_or_create)(
                team=cast.team, user=cast.victor, defaults={"role": Role.VIEWER}
            )

    play(story)


def test_the_answer_is_streamed_past_proxies(cast: Cast, dataset: Dataset) -> None:
    async def story() -> None:
        response = await open_stream(cast, dataset)
        assert response["Content-Type"] == "text/event-stream"
        assert response["Cache-Control"] == "no-cache"
        assert response["X-Accel-Buffering"] == "no"

    play(story)


def test_the_first_event_is_how_things_are(cast: Cast, dataset: Dataset) -> None:
    async def story() -> None:
        [(_, first)] = await told(await open_stream(cast, dataset), 1)
        assert first == await sync_to_async(progress.snapshot)(dataset)
        assert first["kind"] == "snapshot"

    play(story)


def test_what_happens_later_follows(cast: Cast, dataset: Dataset) -> None:
    async def story() -> None:
        stream = aiter(await open_stream(cast, dataset))
        async with asyncio.timeout(60):
            assert (await anext(stream)).startswith(b"id: ")
            later = asyncio.ensure_future(anext(stream))
            await sync_to_async(events.publish)(dataset.pk, {"import": "moved"})
            assert b'{"import": "moved"}' in await later
        await close(stream)

    play(story)


def test_what_hides_captions_hides_why_an_import_failed_in_later_events_too(
    cast: Cast, dataset: Dataset
) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.LINK)
    link = create_link(dataset.pk, cast.alice, hide_captions=True)

    async def story() -> None:
        client = await sync_to_async(async_client_of)(None)
        await client.get(f"/s/{token_of(link)}")
        response: Any = await client.get(f"/api/datasets/{dataset.pk}/events")
        [(seen, _)] = await told(response, 1)
        job = {"state": "failed", "error": "“A secret caption” is no id."}
        await sync_to_async(events.publish)(dataset.pk, {"import": job})
        response = await client.get(f"/api/datasets/{dataset.pk}/events", headers={"Last-Event-ID": seen})

        [(_, event)] = await told(response, 1)
        assert event == {"import": {"state": "failed", "error": ""}}

    play(story)


def test_a_page_that_comes_back_gets_what_it_missed(cast: Cast, dataset: Dataset) -> None:
    async def story() -> None:
        [(seen, _)] = await told(await open_stream(cast, dataset), 1)
        for number in range(3):
            await sync_to_async(events.publish)(dataset.pk, {"number": number})

        response = await open_stream(cast, dataset, **{"Last-Event-ID": seen})

        assert [content for _, content in await told(response, 3)] == [{"number": each} for each in range(3)]

    play(story)


#: Python refuses to read a number of so many digits.
ENDLESS = pytest.param("9" * 5000 + "-0", id="endless")


@pytest.mark.parametrize("last", ["99999999999999-0", "nonsense", "1-2-3", "", ENDLESS])
def test_an_id_that_redis_never_gave_begins_with_a_snapshot(cast: Cast, dataset: Dataset, last: str) -> None:
    async def story() -> None:
        [(_, first)] = await told(await open_stream(cast, dataset, **{"Last-Event-ID": last}), 1)
        assert first["kind"] == "snapshot"

    play(story)


def test_a_build_tells_its_end(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(towers, "model", lambda _: FakeModel())

    build = make_maps(dataset.pk)

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        told = [json.loads(fields[b"data"]) for _, fields in client.xrange(f"events:{dataset.pk}")]
    assert {each["kind"] for each in told} == {"build"}
    last = told[-1]
    assert (last["build"]["id"], last["build"]["state"]) == (str(build.pk), "done")
    assert {each["state"] for each in last["stages"]} == {"done"}
    assert [each["count"] for each in last["maps"]] == [3]


def test_a_long_step_is_heard_of_every_second(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(towers, "model", lambda _: FakeModel(seconds=3.5))

    make_maps(dataset.pk)

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        entries = client.xrange(f"events:{dataset.pk}")
    running = []
    for number, fields in entries:
        stage = json.loads(fields[b"data"])["stages"][0]
        if (stage["stage"], stage["state"]) == ("embed", "running"):
            running.append(int(number.split(b"-")[0]))
    assert len(running) >= 3
    assert median(later - earlier for earlier, later in pairwise(running)) < 2000


def test_a_long_stage_says_every_second_how_far_it_is_and_how_long_it_will_take(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at 100,000 records: the embedding of three takes seconds, and so do their topics."""
    monkeypatch.setattr(towers, "model", lambda _: FakeModel(seconds=1))
    monkeypatch.setattr(embed, "BATCH_ROWS", dict.fromkeys(Space, 1))
    good = run.VERBS[Stage.TOPICS]

    def slow(step: Step, watch: Watch) -> None:
        for done in range(60):
            watch.report(done, 60)
            time.sleep(0.05)
        good(step, watch)

    monkeypatch.setitem(run.VERBS, Stage.TOPICS, slow)

    make_maps(dataset.pk)

    told: dict[str, list[tuple[float, dict[str, Any]]]] = {}
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for number, fields in client.xrange(f"events:{dataset.pk}"):
            for stage in json.loads(fields[b"data"])["stages"]:
                if stage["state"] == "running":
                    told.setdefault(stage["stage"], []).append((int(number.split(b"-")[0]) / 1000, stage))
    for name, total in (("embed", 3), ("topics", 60)):
        times, stages = zip(*told[name], strict=True)
        assert len(times) >= 3
        assert median(later - earlier for earlier, later in pairwise(times)) < 2
        done = [stage["done"] for stage in stages]
        assert done == sorted(done)
        assert len(set(done)) >= 3
        assert {stage["total"] for stage in stages} <= {1, total}  # 1 until it is known
        under_way = [stage for stage in stages if stage["done"]]
        assert all(0 <= stage["seconds_left"] < 30 for stage in under_way)
    assert any(stage["rate"] for _, stage in told["embed"])


def test_a_build_goes_on_while_redis_is_away(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(towers, "model", lambda _: FakeModel())

    def away() -> redis.Redis:
        return redis.Redis.from_url("unix:///nowhere/redis.sock")

    monkeypatch.setattr(events, "_client", away)

    make_maps(dataset.pk)
