"""Django's cache in Redis, with one pool of connections for the whole process.

Django keeps a pool for each thread, and under ASGI each request has a thread of its own: so every request
that looked into the cache opened a connection for it. And it makes a client for each question, which takes
longer than to ask it.
"""

from typing import Any, ClassVar, cast

from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class SharedClient(RedisCacheClient):
    #: {servers: their pools}; threads may share those.
    _shared: ClassVar[dict[tuple[str, ...], dict[int, Any]]] = {}
    #: {id of a pool: its client}
    _clients: ClassVar[dict[int, Any]] = {}

    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **options)
        self._pools = self._shared.setdefault(tuple(servers), {})

    def get_client(self, key: str | None = None, *, write: bool = False) -> Any:  # type: ignore[override]
        pool: Any = self._get_connection_pool(write)  # type: ignore[attr-defined]  # not in the stubs
        client = self._clients.get(id(pool))  # pools stay for ever
        if client is None:
            client = self._clients[id(pool)] = super().get_client(key, write=write)
        return client


class SharedRedisCache(RedisCache):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._class = SharedClient

    def counted(self, key: str, count: int, seconds: int) -> int:
        """Add to a number, which begins with 0 and goes after so many seconds; what it is then.

        In one message: `add` and `incr` take three.
        """
        name = self.make_and_validate_key(key)
        with self._cache.get_client(name, write=True).pipeline(transaction=False) as pipeline:
            pipeline.incrby(name, count)
            pipeline.expire(name, seconds)
            return int(pipeline.execute()[0])


def counted(key: str, count: int, seconds: int) -> int:
    """As `SharedRedisCache.counted`."""
    return cast(SharedRedisCache, cache).counted(key, count, seconds)
