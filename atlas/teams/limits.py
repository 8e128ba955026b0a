"""How often something may be tried: counted in the cache, which all processes share."""

import time

from django.core.cache import cache


def within(name: str, most: int, seconds: int) -> bool:
    """Count one try of `name`; whether it is among the first `most` of this stretch of so many seconds."""
    key = f"tries:{name}:{int(time.time() // seconds)}"
    # Kept longer than the stretch, so that it cannot go between these two lines.
    cache.add(key, 0, 2 * seconds)
    return bool(cache.incr(key) <= most)
