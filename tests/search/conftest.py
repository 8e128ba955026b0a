"""Towers without weights, the query worker's work done at once, and one dataset with its maps."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from atlas.datasets.models import Dataset
from atlas.maps import towers
from atlas.search import asking
from tests.maps.building import make_maps
from tests.maps.fake_towers import FakeModel
from tests.maps.records import add_records, make_dataset
from tests.maps.shared_world import shared_cast
from tests.people import Cast
from tests.search.queries import COUNT, World


@pytest.fixture(autouse=True)
def fake_towers(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    model = FakeModel()
    monkeypatch.setattr(towers, "model", lambda _: model)
    return model


@pytest.fixture(autouse=True)
def _worker_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ask", lambda task, *arguments, **_: task(*arguments))


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """One dataset with its maps for all tests here, which only look at it."""
    with shared_cast(django_db_blocker, tmp_path_factory) as cast:
        datasets = [make_dataset(person.teams.get()) for person in (cast.alice, cast.charlie)]
        for dataset in datasets:
            add_records(dataset, COUNT, pictures=True, captions=True)
            make_maps(dataset.pk)
        yield World(cast, datasets[0])


@pytest.fixture
def cast(world: World) -> Cast:
    return world.cast


@pytest.fixture
def dataset(world: World) -> Dataset:
    return world.dataset
