"""A data folder of its own for each test, and the cast."""

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.people import Cast, make_cast


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Settings) -> Path:
    settings.ATLAS_HOME = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return tmp_path


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()
