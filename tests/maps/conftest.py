"""A data folder of its own for each test, towers without weights, a dataset without records."""

from pathlib import Path

import pytest
from pytest_django import Settings

from atlas.datasets.models import Dataset
from atlas.maps import towers
from tests.maps.fake_towers import FakeModel
from tests.maps.records import make_dataset


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Settings) -> Path:
    settings.ATLAS_HOME = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    model = FakeModel()
    monkeypatch.setattr(towers, "model", lambda _: model)
    return model


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()
