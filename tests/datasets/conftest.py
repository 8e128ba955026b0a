"""A data folder of its own for each test, and a small dataset of Alice's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from atlas.datasets.models import Dataset
from atlas.datasets.signals import records_imported
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


@pytest.fixture
def heard() -> Iterator[list[Any]]:
    """What is announced: the dataset, and how many records it has by then."""
    told: list[Any] = []

    def listen(sender: Any, dataset_id: Any, **_: Any) -> None:
        told.append((dataset_id, Dataset.objects.get(pk=dataset_id).row_count))

    records_imported.connect(listen)
    yield told
    records_imported.disconnect(listen)
