"""Django's cache in Redis, with one pool of connections for the whole process.

Django keeps a pool for each thread, and under ASGI each request has a thread of its own: so every request
that looked into the cache opened a connection for it.
"""

from typing import Any, ClassVar

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class SharedClient(RedisCacheClient):
    #: {servers: their pools}; threads may share those.
    _shared: ClassVar[dict[tuple[str, ...], dict[int, Any]]] = {}

    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **options)
        self._pools = self._shared.setdefault(tuple(servers), {})


class SharedRedisCache(RedisCache):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._class = SharedClient
