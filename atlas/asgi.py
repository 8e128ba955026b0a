"""The web process."""

import asyncio
import contextvars
import gc
import os
import resource
import warnings
from typing import cast

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas.settings")
# Many threads share few connections here; a worker has one of its own and no pool.
os.environ.setdefault("ATLAS_DATABASE_POOL", "10")

# WhiteNoise's files: small ones of our own, which may be read whole. What we stream is asynchronous.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")

# A file for each visitor and for each picture of a request: shells allow 1,024 unless they are asked.
_, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))

django.setup(set_prefix=False)

from psycopg_pool import ConnectionPool  # noqa: E402

from atlas.connections import require_open  # noqa: E402
from atlas.datasets.streaming import Application, Receive, Scope, Send, stream_bodies  # noqa: E402 - Django first
from atlas.handler import Handler  # noqa: E402


def in_own_context(application: Application) -> Application:
    """Wrap the ASGI application: each request begins with no context variables.

    An upload that resumes reading leaves its context to the next request of its connection (asyncio
    keeps that of whoever added the reader), and with it asgiref's executor, which ended with the upload: 500.
    """

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.get_running_loop().create_task(
            _coroutine(application, scope, receive, send), context=contextvars.Context()
        )

    return wrapped


async def _coroutine(application: Application, scope: Scope, receive: Receive, send: Send) -> None:
    await application(scope, receive, send)


# Django gives its pools this check and lets nobody choose another.
ConnectionPool.check_connection = staticmethod(require_open)  # type: ignore[method-assign,assignment]

application = in_own_context(stream_bodies(cast(Application, Handler())))

# What is here by now stays. The collector would go through all of it again and again: a tenth of a search.
gc.collect()
gc.freeze()
