"""Where a tile's points lie on another map of the same records."""

import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from atlas.datasets.models import Dataset
from atlas.maps.models import Build, DataMap, MapVersion, Space
from atlas.maps.places import places_of, rows_at
from atlas.maps.tiles import drawing_order, write_tiles
from tests.maps.records import make_dataset
from tests.people import Cast, client_of, make_cast

pytestmark = pytest.mark.django_db

#: More points than a tile holds, so that there are tiles below the root.
COUNT = 20_000


@dataclass
class World:
    cast: Cast
    dataset: Dataset
    image: MapVersion
    caption: MapVersion

    def url(self, tile: str = "0-0-0", other: uuid.UUID | None = None) -> str:
        return f"/maps/{self.image.map_id}/{self.image.pk}/from/{other or self.caption.pk}/{tile}.bin"

    def get(self, url: str, name: str | None = "alice") -> Any:
        return client_of(getattr(self.cast, name) if name else None).get(url)


def publish(dataset: Dataset, space: Space, rows: NDArray[np.int64]) -> MapVersion:
    """A version whose records lie anywhere."""
    datamap = DataMap.objects.create(dataset=dataset, space=space)
    build = Build.objects.create(dataset=dataset, row_count=len(rows), state="done")
    version = MapVersion.objects.create(map=datamap, build=build, number=1, count=len(rows))
    version.folder.mkdir(parents=True)
    places = np.random.default_rng(len(rows)).random((len(rows), 2), np.float32)
    write_tiles(places, drawing_order(len(rows), 1), {}, version.folder, rows=rows)
    return version


@pytest.fixture
def world() -> World:
    """The caption map lacks the last quarter of the records, and has some that the image map lacks."""
    cast = make_cast()
    dataset = make_dataset(cast.team)
    image = publish(dataset, Space.IMAGE, np.arange(100, COUNT + 100))
    caption = publish(dataset, Space.CAPTION, np.arange(COUNT * 3 // 4))
    return World(cast, dataset, image, caption)


def positions(answer: Any) -> NDArray[np.uint16]:
    return np.frombuffer(answer.content, "<u2").reshape(-1, 2)


def test_every_point_starts_where_its_record_lies_on_the_other_map(world: World) -> None:
    root = (world.image.folder / "t" / "0-0-0.atm").stat().st_size
    there = positions(world.get(world.url()))
    rows = rows_at(world.image.folder, range(len(there)))
    places = places_of(world.caption.folder, rows)

    assert 80 + 4 * len(there) == root
    assert 0 < len(places) < len(there)
    for row, (x, y) in zip(rows, there.tolist(), strict=True):
        place = places.get(row)
        if place is None:
            assert (x, y) == (65535, 65535)
        else:
            assert (x, y) == pytest.approx((place.x * 65534, place.y * 65534), abs=0.51)


def test_a_deeper_tile_holds_the_points_behind_its_start(world: World) -> None:
    first = len(positions(world.get(world.url())))
    there = positions(world.get(world.url("1-0-0")))
    rows = rows_at(world.image.folder, range(first, first + len(there)))
    places = places_of(world.caption.folder, rows)

    assert [row for row, (x, _) in zip(rows, there.tolist(), strict=True) if x < 65535] == [
        row for row in rows if row in places
    ]


def test_a_map_without_points_lends_no_place(world: World) -> None:
    empty = publish(world.dataset, Space.JOINT, np.arange(0))

    assert (positions(world.get(world.url(other=empty.pk))) == 65535).all()


def test_it_may_be_kept_for_ever_by_the_browser_alone(world: World) -> None:
    answer = world.get(world.url())

    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer["Content-Type"] == "application/octet-stream"


def test_the_team_gets_it_and_nobody_else(world: World) -> None:
    for name, status in [("alice", 200), ("bob", 200), ("victor", 200), ("charlie", 404), (None, 404)]:
        assert world.get(world.url(), name).status_code == status, name


def test_a_map_of_another_dataset_is_refused(world: World) -> None:
    other = publish(make_dataset(world.cast.team), Space.CAPTION, np.arange(10))

    assert world.get(world.url(other=other.pk)).status_code == 404


@pytest.mark.parametrize("tile", ["1-7-7", "9-9-9", "99999999999-0-0", "x-0-0"])
def test_a_tile_or_version_that_is_not_there_is_not_found(world: World, tile: str) -> None:
    assert world.get(world.url(tile)).status_code == 404
    assert world.get(world.url(other=uuid.uuid4())).status_code == 404
