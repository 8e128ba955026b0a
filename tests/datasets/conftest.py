"""A data folder of its own for each test, and a small dataset of Alice's."""

from pathlib import Path

import pytest
from pytest_django import Settings

from atlas.datasets.models import Dataset
from tests.datasets.material import imported_dataset
from tests.people import Cast


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: Settings) -> Path:
    settings.ATLAS_HOME = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path


@pytest.fixture
def fruit(cast: Cast) -> Dataset:
    """Three records with pictures, captions, ids and two columns; one item was skipped."""
    return imported_dataset(cast)
