"""A data folder of its own for each test."""

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Settings) -> Path:
    settings.ATLAS_HOME = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path
