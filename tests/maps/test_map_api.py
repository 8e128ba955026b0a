"""Maps and the records on them over HTTP: what each of the cast may see."""

import gzip
import struct
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from atlas.datasets.models import Dataset, Record, Visibility
from atlas.maps.models import DataMap, MapVersion
from tests.maps.building import make_maps
from tests.maps.records import add_records, make_dataset
from tests.maps.shared_world import shared_cast
from tests.people import Cast, client_of

pytestmark = pytest.mark.django_db

COUNT = 30
Name = str | None


@dataclass
class World:
    cast: Cast
    dataset: Dataset
    old: MapVersion
    version: MapVersion

    def get(self, url: str, name: Name = "alice", **headers: str) -> Any:
        return client_of(getattr(self.cast, name) if name else None).get(url, headers=headers)


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """One dataset with two versions of its maps for all tests here, which only look at it."""
    with shared_cast(django_db_blocker, tmp_path_factory) as cast:
        dataset = make_dataset(cast.team)
        versions = []
        for count in (10, COUNT - 10):
            add_records(dataset, count, pictures=True, captions=True)
            make_maps(dataset.pk, append=True)
            shown = DataMap.objects.select_related("current__map").get(dataset=dataset, space="image").current
            assert shown is not None
            versions.append(shown)
        yield World(cast, dataset, *versions)


@pytest.fixture(autouse=True)
def home() -> None:
    """The folder is that of the world."""


MayLook = list[tuple[Name, bool]]
LOOKERS: MayLook = [("alice", True), ("bob", True), ("victor", True), ("charlie", False), (None, False)]
PATHS: list[Callable[[World], str]] = [
    lambda w: f"/api/datasets/{w.dataset.pk}/maps",
    lambda w: f"/api/datasets/{w.dataset.pk}/progress",
    lambda w: f"/api/maps/{w.version.map_id}/records?ordinals=0,1",
    lambda w: f"/api/maps/{w.version.map_id}/records/3",
    lambda w: f"/api/maps/{w.version.map_id}/records/3/neighbours",
    lambda w: f"/maps/{w.version.map_id}/{w.version.pk}/manifest.json",
]


def test_the_team_sees_a_private_map_and_nobody_else(world: World) -> None:
    for path in PATHS:
        for name, may in LOOKERS:
            assert world.get(path(world), name).status_code == (200 if may else 404), (path(world), name)


def test_everybody_sees_a_public_map(world: World) -> None:
    Dataset.objects.update(visibility=Visibility.PUBLIC)

    for path in PATHS:
        for name, _ in LOOKERS:
            assert world.get(path(world), name).status_code == 200, (path(world), name)


def test_a_deleted_dataset_has_no_maps(world: World) -> None:
    Dataset.objects.update(deleting=True)

    for path in PATHS:
        assert world.get(path(world)).status_code == 404


def test_the_list_names_the_files_of_each_map(world: World) -> None:
    maps = world.get(f"/api/datasets/{world.dataset.pk}/maps").json()["maps"]

    assert [(each["space"], each["number"], each["count"]) for each in maps] == [
        ("image", 2, COUNT), ("caption", 2, COUNT), ("joint", 2, COUNT),
    ]  # fmt: skip
    manifest = world.get(maps[0]["base_url"] + "manifest.json").json()
    assert (manifest["format"], manifest["n"]) == ("ATM1", COUNT)


def test_a_tile_holds_every_point(world: World) -> None:
    body = world.get(f"/maps/{world.version.map_id}/{world.version.pk}/t/0-0-0.atm").content

    assert body[:4] == b"ATM1"
    assert struct.unpack_from("<I", body, 4) == (COUNT,)


def test_files_may_be_kept_for_ever_by_the_browser_alone(world: World) -> None:
    response = world.get(f"/maps/{world.version.map_id}/{world.version.pk}/manifest.json")

    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    assert response["Content-Type"] == "application/json"


def test_a_file_that_was_packed_is_sent_packed_to_who_understands(world: World) -> None:
    url = f"/maps/{world.version.map_id}/{world.version.pk}/manifest.json"
    plain = world.get(url)
    packed = world.get(url, **{"Accept-Encoding": "br, gzip"})

    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert packed["Vary"] == plain["Vary"] != ""


@pytest.mark.parametrize(
    "name",
    [
        "points.npz", "rows.bin", "points.bin", "manifest.json.gz", "t/0-0-0.atm.gz", "t/9-9-9.atm", "t/",
        "../../../secret_key", "%2e%2e/%2e%2e/secret_key", "t/../manifest.json", "c/../manifest.json",
        "c/none/values.json", "manifest.json/", "/etc/passwd",
    ],
)  # fmt: skip
def test_nothing_else_of_the_folder_is_served(world: World, name: str) -> None:
    assert world.get(f"/maps/{world.version.map_id}/{world.version.pk}/{name}").status_code == 404


def test_a_version_is_served_under_its_own_map_only(world: World) -> None:
    other = DataMap.objects.get(dataset=world.dataset, space="caption")

    assert world.get(f"/maps/{other.pk}/{world.version.pk}/manifest.json").status_code == 404
    assert world.get(f"/maps/{world.version.map_id}/{uuid.uuid4()}/manifest.json").status_code == 404


def test_ordinals_are_translated_to_records(world: World) -> None:
    url = f"/api/maps/{world.version.map_id}/records?ordinals={','.join(map(str, range(COUNT)))}"

    records = world.get(url).json()["records"]

    assert [each["ordinal"] for each in records] == list(range(COUNT))
    assert {each["row"] for each in records} == set(range(COUNT))
    for each in records:
        assert each["caption"].endswith(f"number {each['row']}")
        assert each["values"]["size"] == each["row"]
        assert each["image"]["thumbnail"].endswith(f"/records/{each['row']}/thumbnail")
        assert 0 <= each["x"] < 1
        assert 0 <= each["y"] < 1


def test_ordinals_that_are_not_there_are_left_out(world: World) -> None:
    records = world.get(f"/api/maps/{world.version.map_id}/records?ordinals=5,{COUNT}").json()["records"]

    assert [each["ordinal"] for each in records] == [5]


@pytest.mark.parametrize("ordinals", ["", "a", "-1", "1;2", "1.5", ",".join(map(str, range(501)))])
def test_what_is_no_list_of_ordinals_is_refused(world: World, ordinals: str) -> None:
    refused = world.get(f"/api/maps/{world.version.map_id}/records?ordinals={ordinals}")

    assert refused.status_code == 422
    assert "ordinals" in refused.json()["detail"]


def test_ordinals_of_an_older_version_are_understood(world: World) -> None:
    every = ",".join(map(str, range(COUNT)))
    url = f"/api/maps/{world.version.map_id}/records?ordinals={every}&version={world.old.pk}"

    records = world.get(url).json()["records"]

    assert [each["ordinal"] for each in records] == list(range(10))
    assert {each["row"] for each in records} == set(range(10))


def test_a_replaced_version_is_still_served(world: World) -> None:
    assert world.get(f"/maps/{world.old.map_id}/{world.old.pk}/manifest.json").json()["n"] == 10


def test_one_record_has_its_place(world: World) -> None:
    record = world.get(f"/api/maps/{world.version.map_id}/records/4").json()

    url = f"/api/maps/{world.version.map_id}/records?ordinals={record['ordinal']}"
    assert world.get(url).json()["records"] == [record]


def test_a_record_that_is_not_on_the_map_has_no_place(world: World) -> None:
    Record.objects.create(dataset=world.dataset, row=COUNT, source="later.png")

    record = world.get(f"/api/maps/{world.version.map_id}/records/{COUNT}").json()

    assert (record["row"], record["ordinal"], record["x"], record["y"]) == (COUNT, None, None, None)
    assert world.get(f"/api/maps/{world.version.map_id}/records/{COUNT}/neighbours").json() == {"records": []}


def test_a_record_that_does_not_exist_is_not_found(world: World) -> None:
    for path in ("records/99999", "records/99999/neighbours", "records/99999999999999999999"):
        assert world.get(f"/api/maps/{world.version.map_id}/{path}").status_code == 404


def test_neighbours_are_alike_and_best_first(world: World) -> None:
    url = f"/api/maps/{world.version.map_id}/records/0/neighbours?k=3"

    records = world.get(url).json()["records"]

    assert {each["row"] for each in records} == {8, 16, 24}  # the other red ones
    scores = [each["score"] for each in records]
    assert scores == sorted(scores, reverse=True)
    assert all(each["ordinal"] is not None for each in records)


@pytest.mark.parametrize("k", [0, 101, "many"])
def test_a_number_of_neighbours_out_of_range_is_refused(world: World, k: object) -> None:
    assert world.get(f"/api/maps/{world.version.map_id}/records/0/neighbours?k={k}").status_code == 422
