"""A small world: a dataset of Alice's with pictures, captions and its maps, built once for a module."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atlas.datasets.models import Dataset
from atlas.maps.models import DataMap
from tests.maps.building import make_maps
from tests.maps.records import add_records, make_dataset
from tests.maps.shared_world import cast_in
from tests.people import Cast

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
    with cast_in(folder) as cast:
        dataset = make_dataset(cast.team)
        add_records(dataset, COUNT, pictures=True, captions=True)
        make_maps(dataset.pk)
        yield World(cast, dataset, DataMap.objects.get(dataset=dataset, space="image"))
