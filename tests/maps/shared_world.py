"""A cast, towers without weights and a folder of their own, for all tests of a module."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from atlas.datasets.models import Dataset
from atlas.maps import towers
from tests.maps.fake_towers import FakeModel
from tests.people import Cast, make_cast


@contextmanager
def shared_cast(blocker: DjangoDbBlocker, folders: pytest.TempPathFactory) -> Iterator[Cast]:
    """For tests that only look."""
    with blocker.unblock(), cast_in(folders.mktemp("home")) as cast:
        yield cast


@contextmanager
def cast_in(folder: Path) -> Iterator[Cast]:
    """Everybody; afterwards they and all of their datasets are gone from the database.

    Its rows are committed, so that each test may change them in a transaction of its own.
    """
    with (
        override_settings(ATLAS_HOME=folder, MEDIA_ROOT=folder / "media"),
        pytest.MonkeyPatch.context() as monkeypatch,
    ):
        monkeypatch.setattr(towers, "model", lambda _: FakeModel())
        cast = make_cast()
        yield cast
        people = (cast.alice, cast.bob, cast.victor, cast.charlie)
        for dataset in Dataset.objects.filter(team__memberships__user__in=people).distinct():
            dataset.delete()
        for person in people:
            person.teams.all().delete()
            person.delete()
