"""A small world: a dataset of Alice's with pictures, captions and its maps, built once for a module."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.test import override_settings

from atlas.datasets.models import Dataset
from atlas.maps import towers
from atlas.maps.models import DataMap
from tests.maps.building import make_maps
from tests.maps.fake_towers import FakeModel
from tests.maps.records import add_records, make_dataset
from tests.people import Cast, make_cast

COUNT = 24


@dataclass(frozen=True)
class World:
    cast: Cast
    #: Of Alice's team.
    dataset: Dataset
    #: Of its pictures and captions.
    map: DataMap

    @property
    def files(self) -> str:
        """Where the files of the shown version lie."""
        return f"/maps/{self.map.pk}/{self.map.current_id}/"


@contextmanager
def small_world(folder: Path) -> Iterator[World]:
    """Its rows are committed, so that each test may change them in a transaction of its own."""
    with (
        override_settings(ATLAS_HOME=folder, MEDIA_ROOT=folder / "media"),
        pytest.MonkeyPatch.context() as monkeypatch,
    ):
        monkeypatch.setattr(towers, "model", lambda _: FakeModel())
        cast = make_cast()
        dataset = make_dataset(cast.team)
        add_records(dataset, COUNT, pictures=True, captions=True)
        make_maps(dataset.pk)
        yield World(cast, dataset, DataMap.objects.get(dataset=dataset, space="image"))
        dataset.delete()
        for person in (cast.alice, cast.bob, cast.victor, cast.charlie):
            person.teams.all().delete()
            person.delete()
