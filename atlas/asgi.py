"""The web process."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas.settings")
# Many threads share few connections here; a worker has one of its own and no pool.
os.environ.setdefault("ATLAS_DATABASE_POOL", "10")

django = get_asgi_application()

from atlas.datasets.streaming import stream_bodies  # noqa: E402 - Django must be set up first

application = stream_bodies(django)
