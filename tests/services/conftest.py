"""Data folders for the services."""

from collections.abc import Iterator

import pytest

from atlas.services.home import Home
from tests.embedded import embedded_services
from tests.stack import open_folder


@pytest.fixture(scope="session")
def made_home() -> Iterator[Home]:
    """A data folder with a database in it, made once: a start then takes a fraction of a second."""
    with open_folder() as folder:
        home = Home(folder / "home")
        with embedded_services(home):
            pass
        yield home


@pytest.fixture
def home() -> Iterator[Home]:
    with open_folder() as folder:
        yield Home(folder / "home")
