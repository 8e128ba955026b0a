"""The small world, and the query worker's work done at once."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from atlas.maps import towers
from atlas.search import asking
from tests.maps.fake_towers import FakeModel
from tests.world import World, small_world


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with django_db_blocker.unblock(), small_world(tmp_path_factory.mktemp("home")) as world:
        yield world


@pytest.fixture(autouse=True)
def fake_towers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(towers, "model", lambda _: FakeModel())


@pytest.fixture
def worker_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ask", lambda task, *arguments, **_: task(*arguments))
