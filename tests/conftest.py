"""What every test may ask for: the cast, the real Postgres and Redis, and the whole system on a port."""

import time
from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace

import pytest
from django.conf import settings
from xdist.remote import Producer

from atlas.services.home import Home
from tests.embedded import embedded_services
from tests.people import Cast, make_cast
from tests.sharing_out import Shares, longest_first
from tests.stack import Stack, open_folder, running_stack


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    longest_first(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    return Shares(config, log)


@pytest.fixture(scope="session")
def live_services() -> Iterator[None]:
    """The embedded Postgres and Redis, started once; tests that use the database get them by themselves."""
    with embedded_services(Home(settings.ATLAS_HOME)):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    live_services: None, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Called by pytest-django before it creates the test database."""


@pytest.fixture
def one_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tries of a test are counted together, however long it takes: by a clock that hardly moves, in the
    beginning of an hour."""
    ticks = count(time.time() // 3600 * 3600, 0.001)
    clock = SimpleNamespace(time=lambda: next(ticks), monotonic=time.monotonic, sleep=time.sleep)
    for limits in ("atlas.teams.limits", "allauth.core.internal.ratelimit"):
        monkeypatch.setattr(f"{limits}.time", clock)


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole system as `manage.py up` starts it, on a free port with a data folder of its own."""
    with open_folder() as folder, running_stack(folder) as stack:
        yield stack
