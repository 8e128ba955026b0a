"""`/health`: is this site alive, is it ready, and what is it made of."""

import logging
import platform
from importlib.metadata import version
from typing import Any

import django
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

import atlas
from atlas.celery import PARTS, sign_key

SERVICE_UNAVAILABLE = 503


class OtherPages(logging.Filter):
    """Keeps `/health` out of the log, where each of its 503 would be an error."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", "") != "/health"


def health(request: HttpRequest) -> JsonResponse:
    """200 when every part answers, 503 otherwise; both name each part's state.

    The versions are told on the machine itself only: to strangers they would say which holes to try.
    """
    versions = {
        "atlas": atlas.__version__,
        "python": platform.python_version(),
        "django": django.get_version(),
        "torch": version("torch"),
    }
    parts = {**check_database(versions), **check_redis(versions)}
    ready = all(state == "ok" for state in parts.values())
    answer: dict[str, Any] = {"live": True, "ready": ready, "parts": parts}
    if request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1"):
        answer["versions"] = versions
    response = JsonResponse(answer, status=200 if ready else SERVICE_UNAVAILABLE)
    response["Cache-Control"] = "no-store"
    return response


def check_database(versions: dict[str, str]) -> dict[str, str]:
    """The state of Postgres; adds its version and pgvector's."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('server_version'),"
                " (SELECT extversion FROM pg_extension WHERE extname = 'vector')"
            )
            versions["postgres"], vector = cursor.fetchone()
    except DatabaseError:
        return {"postgres": "does not answer"}
    if vector is None:
        return {"postgres": "has no pgvector: run the migrations"}
    versions["pgvector"] = vector
    return {"postgres": "ok"}


def check_redis(versions: dict[str, str]) -> dict[str, str]:
    """The states of Redis and, by the signs of life they leave there, of the workers and the beat."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, decode_responses=True) as client:
            versions["redis"] = client.info("server")["redis_version"]
            signs = client.mget([sign_key(part) for part in PARTS.values()])
    except redis.RedisError:
        return {"redis": "does not answer", **dict.fromkeys(PARTS, "unknown")}
    states = ["ok" if sign else "gives no sign of life" for sign in signs]
    return {"redis": "ok", **dict(zip(PARTS, states, strict=True))}
