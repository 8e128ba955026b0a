"""`/health`."""

import pytest
import redis
from django.conf import settings as site
from django.test import Client
from pytest_django import Settings

from atlas.celery import PARTS, sign_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def signs(live_services: None) -> redis.Redis:
    """Redis, with a fresh sign of life of every worker and the beat."""
    client = redis.Redis.from_url(site.REDIS_URL)
    for part in PARTS.values():
        client.set(sign_key(part), "here", ex=60)
    return client


def test_it_is_ready_when_every_part_answers(client: Client, signs: redis.Redis) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["live"] is True
    assert answer.json()["ready"] is True
    assert set(answer.json()["parts"].values()) == {"ok"}


def test_it_names_the_versions(client: Client, signs: redis.Redis) -> None:
    versions = client.get("/health").json()["versions"]
    assert set(versions) == {"atlas", "python", "django", "torch", "postgres", "pgvector", "redis"}
    assert versions["postgres"].startswith("18")


def test_it_tells_strangers_no_versions(client: Client, signs: redis.Redis) -> None:
    answer = client.get("/health", REMOTE_ADDR="192.0.2.7")
    assert answer.status_code == 200
    assert answer.json().keys() == {"live", "ready", "parts"}


@pytest.mark.parametrize(("part", "name"), [("query", "query worker"), ("beat", "beat")])
def test_it_is_not_ready_and_says_what_is_missing(
    client: Client, signs: redis.Redis, part: str, name: str
) -> None:
    signs.delete(sign_key(part))
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["parts"][name] == "gives no sign of life"
    assert answer.json()["parts"]["default worker"] == "ok"


def test_it_is_not_ready_while_redis_is_away(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["parts"]["redis"] == "does not answer"
    assert answer.json()["parts"]["postgres"] == "ok"


def test_it_is_never_stored(client: Client) -> None:
    assert client.get("/health")["Cache-Control"] == "no-store"
