"""Selections, the table and tags over HTTP, on a dataset with a real map."""

import base64
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from pytest_django import DjangoAssertNumQueries, DjangoDbBlocker

from atlas.datasets import tags
from atlas.datasets.models import Dataset, State, Tag, Visibility
from atlas.datasets.table import sorted_rows
from atlas.maps import access, api, selection_api, tags_api, topics_api
from atlas.maps.models import Build, DataMap, MapVersion, Topic
from atlas.maps.selection import inside, rows_matching
from tests.maps.building import make_maps
from tests.maps.records import add_records, make_dataset
from tests.maps.shared_world import shared_cast
from tests.people import Cast, client_of

pytestmark = pytest.mark.django_db

COUNT = 200


@dataclass
class World:
    cast: Cast
    dataset: Dataset
    version: MapVersion

    def call(self, method: str, url: str, body: Any = None, name: str | None = "alice") -> Any:
        client = client_of(getattr(self.cast, name) if name else None)
        return getattr(client, method)(url, body, content_type="application/json")

    def select(self, content: Any, name: str | None = "alice", **more: Any) -> Any:
        return self.call("post", f"/api/maps/{self.version.map_id}/select", {"filter": content, **more}, name)

    def table(self, name: str | None = "alice", **body: Any) -> Any:
        return self.call("post", f"/api/datasets/{self.dataset.pk}/table", body, name)

    def tag(self, name: str, person: str | None = "bob") -> Any:
        return self.call("post", f"/api/datasets/{self.dataset.pk}/tags", {"name": name}, person)


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with shared_cast(django_db_blocker, tmp_path_factory) as cast:
        dataset = make_dataset(cast.team)
        add_records(dataset, COUNT, captions=True)
        make_maps(dataset.pk)
        shown = (
            DataMap.objects.select_related("current__map__dataset")
            .get(dataset=dataset, space="caption")
            .current
        )
        assert shown is not None
        yield World(cast, dataset, shown)


@pytest.fixture(autouse=True)
def home() -> None:
    """The folder is that of the world."""


def ordinals(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    body = answer.json()
    bits = np.unpackbits(np.frombuffer(base64.b64decode(body["bits"]), np.uint8), bitorder="little")
    found = np.flatnonzero(bits[: body["n"]])
    assert body["count"] == len(found)
    return [int(each) for each in found]


def rows_of(world: World, found: list[int]) -> set[int]:
    rows = np.fromfile(world.version.folder / "rows.bin", "<u4")
    return {int(rows[ordinal]) for ordinal in found}


def test_a_selection_by_column_is_exact(world: World) -> None:
    found = ordinals(world.select({"column": "size", "from": 10, "to": 19}))
    assert rows_of(world, found) == set(range(10, 20))


def test_a_region_holds_the_points_inside_it(world: World) -> None:
    points = np.fromfile(world.version.folder / "points.bin", "<f4").reshape(-1, 2)
    middle = np.median(points, axis=0)
    box = [[0, 0], [float(middle[0]), 0], [float(middle[0]), float(middle[1])], [0, float(middle[1])]]
    found = ordinals(world.select({"region": box, "map": str(world.version.map_id)}))
    assert found == np.flatnonzero((points < middle).all(axis=1)).tolist()


def test_the_even_odd_rule_leaves_holes() -> None:
    star = np.array([[0.5, 1], [0.8, 0], [0, 0.62], [1, 0.62], [0.2, 0]])
    points = np.array([[0.5, 0.5], [0.5, 0.8], [0.05, 0.05]], np.float32)
    assert inside(points, star).tolist() == [False, True, False]


def test_a_region_agrees_with_the_plain_way(world: World) -> None:
    random = np.random.default_rng(3)
    corners = random.random((30, 2))
    points = random.random((500, 2)).astype(np.float32)

    def plainly(x: float, y: float) -> bool:
        odd = False
        for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
                odd = not odd
        return odd

    assert inside(points, corners).tolist() == [plainly(float(x), float(y)) for x, y in points]


def test_a_topic_holds_its_descendants(world: World) -> None:
    topics = list(Topic.objects.filter(version=world.version))
    assert topics
    for topic in topics:
        found = ordinals(world.select({"topic": topic.number, "map": str(world.version.map_id)}))
        assert len(found) == topic.count
    parents = [topic for topic in topics if topic.parent_id is None]
    assert len({topic.level for topic in parents}) == 1


def test_regions_and_columns_compose(world: World) -> None:
    everywhere = [[-1, -1], [2, -1], [2, 2], [-1, 2]]
    content = {
        "all": [
            {"region": everywhere, "map": str(world.version.map_id)},
            {"not": {"column": "colour", "in": ["red"]}},
            {"rows": [0, 1, 2, 3]},
        ]
    }
    assert rows_of(world, ordinals(world.select(content))) == {1, 2, 3}


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"region": [[0, 0], [1, 1]], "map": "MAP"},
        {"region": [[0, 0], [1, 1], [1, "x"]], "map": "MAP"},
        {"region": [[0, 0], [1, 1], [1, None]], "map": "MAP"},
        {"region": [[0, 0, 0]] * 3, "map": "MAP"},
        {"region": [[0, 0], [1, 1], [1, 1e300]], "map": "MAP"},
        {"region": [[0, 0], [1, 1], [1, 0]]},
        {"region": [[0, 0], [1, 1], [1, 0]], "map": "x"},
        {"region": [[0, 0], [1, 1], [1, 0]], "map": "MAP", "version": "6b1f5a52-0000-4000-8000-000000000000"},
        {"topic": 9999, "map": "MAP"},
        {"topic": "1", "map": "MAP"},
        {"topic": -1, "map": "MAP"},
        {"column": "size", "from": "a"},
        {"caption": "\0"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_in_words(world: World, content: Any) -> None:
    if content.get("map") == "MAP":
        content = content | {"map": str(world.version.map_id)}
    answer = world.select(content)
    assert answer.status_code == 422, answer.content
    assert answer.json()["detail"]


def test_the_maps_of_other_datasets_do_not_exist_in_a_filter(world: World) -> None:
    other = make_dataset(world.cast.team)
    add_records(other, 3, captions=True)
    content = {"region": [[0, 0], [1, 1], [1, 0]], "map": str(world.version.map_id)}
    answer = world.call("post", f"/api/datasets/{other.pk}/table", {"filter": content})
    assert answer.status_code == 422


@pytest.mark.parametrize(("name", "status"), [("bob", 200), ("victor", 200), ("charlie", 404), (None, 404)])
def test_only_the_team_selects_and_reads_the_table(world: World, name: str | None, status: int) -> None:
    assert world.select({"has": "caption"}, name).status_code == status
    assert world.table(name).status_code == status


def test_anybody_selects_in_a_public_dataset(world: World) -> None:
    Dataset.objects.filter(pk=world.dataset.pk).update(visibility=Visibility.PUBLIC)
    assert world.select({"has": "caption"}, None).json()["count"] == COUNT


def test_the_table_is_sorted_and_paged(world: World) -> None:
    first = world.table(sort="-size", limit=3).json()
    assert first["total"] == COUNT
    assert [record["values"]["size"] for record in first["records"]] == [COUNT - 1, COUNT - 2, COUNT - 3]
    second = world.table(sort="-size", limit=3, offset=3).json()
    assert [record["row"] for record in second["records"]] == [COUNT - 4, COUNT - 5, COUNT - 6]
    assert world.table(offset=COUNT).json()["records"] == []


def test_the_table_keeps_what_a_filter_finds(world: World) -> None:
    page = world.table(
        filter={"column": "colour", "in": ["red"]}, sort="caption", map=str(world.version.map_id)
    ).json()
    assert {record["values"]["colour"] for record in page["records"]} == {"red"}
    assert page["total"] == COUNT // 8
    assert all(record["ordinal"] is not None for record in page["records"])
    captions = [record["caption"] for record in page["records"]]
    assert captions == sorted(captions)


def test_the_table_says_what_is_before_and_after_a_record(world: World) -> None:
    def around(row: int, **body: Any) -> tuple[list[int], int]:
        page = world.table(around=row, limit=3, **body).json()
        return [record["row"] for record in page["records"]], page["total"]

    red = {"column": "colour", "in": ["red"]}
    assert around(16) == ([15, 16, 17], COUNT)
    assert around(16, sort="-size", filter=red) == ([24, 16, 8], COUNT // 8)
    assert around(19, filter=red) == ([16, 19, 24], COUNT // 8)
    assert around(0, filter=red) == ([0, 8, 16], COUNT // 8)
    assert around(COUNT - 1, sort="-size") == ([COUNT - 1, COUNT - 2, COUNT - 3], COUNT)
    assert around(COUNT, filter=red) == ([], COUNT // 8)


@pytest.mark.parametrize("sort", ["key", "size", "-caption"])
def test_the_table_leaves_out_what_an_import_is_just_adding(world: World, sort: str) -> None:
    known = Dataset.objects.get(pk=world.dataset.pk)
    add_records(world.dataset, 3, captions=True)
    assert len(sorted_rows(known, sort)) == COUNT


def older_version(shown: MapVersion) -> MapVersion:
    """A copy, with files of its own."""
    build = Build.objects.create(dataset=shown.map.dataset, row_count=COUNT, state=State.DONE)
    older = MapVersion.objects.create(map=shown.map, build=build, number=99, count=COUNT)
    shutil.copytree(shown.folder, older.folder)
    return older


def test_a_page_that_shows_an_older_version_selects_by_its_layout(world: World) -> None:
    shown = world.version
    older = older_version(shown)
    points = np.fromfile(older.folder / "points.bin", "<f4").reshape(-1, 2)
    (points / 2).tofile(older.folder / "points.bin")
    corner = {"region": [[-9, -9], [0.5, -9], [0.5, 0.5], [-9, 0.5]], "map": str(shown.map_id)}
    inside_now, inside_then = ((each < 0.5).all(axis=1).sum() for each in (points, points / 2))
    assert inside_now != inside_then

    assert world.select(corner).json()["count"] == inside_now
    assert world.select(corner, version=str(older.pk)).json()["count"] == inside_then
    page = world.table(filter=corner, map=str(shown.map_id), version=str(older.pk)).json()
    assert page["total"] == inside_then


def test_a_region_of_an_older_version_is_tagged_and_exported_by_that_layout(world: World) -> None:
    older = older_version(world.version)
    points = np.fromfile(older.folder / "points.bin", "<f4").reshape(-1, 2)
    (points / 2).tofile(older.folder / "points.bin")
    corner = {"region": [[-9, -9], [0.5, -9], [0.5, 0.5], [-9, 0.5]], "map": str(older.map_id)}
    asked = {**corner, "version": str(older.pk)}
    inside_then = int((points / 2 < 0.5).all(axis=1).sum())
    dataset = f"/api/datasets/{world.dataset.pk}"

    exported = world.call("post", f"{dataset}/export/check", {"format": "csv", "filter": asked}).json()
    tag = world.tag("corner").json()["id"]
    tagged = world.call("post", f"{dataset}/tags/{tag}/records", {"add": asked}).json()

    assert exported == {"records": inside_then}
    assert tagged == {"changed": inside_then, "count": inside_then}
    assert world.select(corner).json()["count"] != inside_then


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("post", "/api/maps/{}/select", {"filter": {"rows": [1]}}),
        ("get", "/api/maps/{}/records", {"ordinals": "0,1"}),
        ("get", "/api/maps/{}/records/1", {}),
        ("get", "/api/maps/{}/topics", {}),
        ("get", "/api/maps/{}/tags.bin", {}),
    ],
)
def test_a_map_that_is_withdrawn_while_it_is_read_is_not_found(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str, address: str, body: dict[str, Any]
) -> None:
    older = older_version(world.version)
    good = access.visible_version

    def withdrawn_at_once(*asked: Any) -> MapVersion:
        found = good(*asked)
        MapVersion.objects.filter(pk=found.pk).delete()
        shutil.rmtree(found.folder)
        return found

    for module in (api, selection_api, tags_api, topics_api):
        monkeypatch.setattr(module, "visible_version", withdrawn_at_once)
    answer = world.call(method, address.format(older.map_id), {**body, "version": str(older.pk)})
    assert (answer.status_code, "newer map" in answer.json()["detail"]) == (404, True)


def test_a_page_that_shows_an_older_version_reads_its_ordinals_in_the_table(world: World) -> None:
    shown = world.version
    older = older_version(shown)
    np.arange(COUNT, dtype="<u4")[::-1].tofile(older.folder / "ordinals.bin")

    page = world.table(map=str(shown.map_id), version=str(older.pk), limit=3).json()

    assert [record["ordinal"] for record in page["records"]] == [COUNT - 1, COUNT - 2, COUNT - 3]
    assert world.table(map=str(shown.map_id), version=str(world.dataset.pk)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"sort": "nothing"},
        {"sort": "-"},
        {"limit": 501},
        {"limit": 0},
        {"offset": -1},
        {"around": -1},
        {"filter": {"x": 1}},
        {"map": "x"},
    ],
)
def test_a_table_that_makes_no_sense_is_refused(world: World, body: dict[str, Any]) -> None:
    assert world.table(**body).status_code == 422


def test_a_tag_is_put_on_what_a_filter_finds_and_taken_off(world: World) -> None:
    tag = world.tag("blurry").json()
    url = f"/api/datasets/{world.dataset.pk}/tags/{tag['id']}/records"
    red = {"column": "colour", "in": ["red"]}
    assert world.call("post", url, {"add": red}).json() == {"changed": 25, "count": 25}
    assert world.call("post", url, {"add": {"rows": [0, 1]}}).json() == {"changed": 1, "count": 26}
    assert rows_of(world, ordinals(world.select({"tag": tag["id"]}))) == {1, *range(0, COUNT, 8)}
    assert world.call("post", url, {"remove": red}).json() == {"changed": 25, "count": 1}
    told = [event.text for event in world.dataset.events.filter(verb="tagged")]
    assert told == [
        "took the tag blurry off 25 records",
        "put the tag blurry on 1 record",
        "put the tag blurry on 25 records",
    ]
    of_record = world.call("get", f"/api/datasets/{world.dataset.pk}/records/1/tags").json()["tags"]
    assert [(each["name"], each["count"]) for each in of_record] == [("blurry", 1)]


def test_a_tag_that_was_deleted_while_its_records_were_looked_for_does_not_exist(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = world.tag("blurry").json()["id"]

    def late(*arguments: Any) -> Any:
        Tag.objects.filter(pk=tag).delete()
        return rows_matching(*arguments)

    monkeypatch.setattr(tags_api, "rows_matching", late)
    url = f"/api/datasets/{world.dataset.pk}/tags/{tag}/records"
    answer = world.call("post", url, {"add": {"rows": [1]}})
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is no such tag."})


def test_the_tags_of_all_records_take_as_many_queries_as_those_of_one(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for name in ("one", "two", "three"):
        world.tag(name)
    with django_assert_num_queries(2):
        assert tags.tag_codes(world.dataset, 3).tolist() == [tags.NO_TAG] * 3


def test_the_points_of_a_map_say_their_tags(world: World) -> None:
    first, second = (world.tag(name).json()["id"] for name in ("one", "two"))
    for tag, rows in ((first, [3, 4]), (second, [4, 5])):
        world.call("post", f"/api/datasets/{world.dataset.pk}/tags/{tag}/records", {"add": {"rows": rows}})
    by_ordinal = world.call("get", f"/api/maps/{world.version.map_id}/tags.bin").content
    on_map = np.fromfile(world.version.folder / "rows.bin", "<u4")
    by_row = {int(row): by_ordinal[ordinal] for ordinal, row in enumerate(on_map)}
    assert [by_row[row] for row in (3, 4, 5, 6)] == [0, tags.SEVERAL, 1, tags.NO_TAG]
    assert rows_of(world, ordinals(world.select({"tags": "any"}))) == {3, 4, 5}
    assert rows_of(world, ordinals(world.select({"tags": "several"}))) == {4}
    assert world.call("get", f"/api/maps/{world.version.map_id}/tags.bin", name="charlie").status_code == 404


def test_names_of_tags_are_taken_once_whatever_the_case(world: World) -> None:
    assert world.tag("  Good   ones ").json()["name"] == "Good ones"
    answer = world.tag("good ONES")
    assert (answer.status_code, answer.json()["detail"]) == (409, "There is a tag “good ONES” already.")
    other = world.tag("other").json()["id"]
    url = f"/api/datasets/{world.dataset.pk}/tags/{other}"
    assert world.call("patch", url, {"name": "GOOD ones"}).status_code == 409
    assert world.call("patch", url, {"name": "better", "colour": 5}).json()["colour"] == 5
    assert world.call("delete", url).status_code == 204
    assert [tag.name for tag in Tag.objects.filter(dataset=world.dataset)] == ["Good ones"]


@pytest.mark.parametrize("name", ["", "  ", "\0", "x" * 61, None, 7])
def test_a_tag_has_a_name(world: World, name: Any) -> None:
    assert world.tag(name).status_code == 422


def test_there_is_an_end_to_tags(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "MOST_TAGS", 1)
    assert world.tag("one").status_code == 201
    assert world.tag("two").status_code == 409


@pytest.mark.parametrize(
    "body", [{}, {"add": {"rows": [1]}, "remove": {"rows": [1]}}, {"add": {"x": 1}}, {"add": 7}]
)
def test_what_to_tag_must_be_said(world: World, body: dict[str, Any]) -> None:
    tag = world.tag("one").json()["id"]
    url = f"/api/datasets/{world.dataset.pk}/tags/{tag}/records"
    assert world.call("post", url, body).status_code == 422


@pytest.mark.parametrize(
    ("name", "may"), [("alice", True), ("bob", True), ("victor", False), ("charlie", False), (None, False)]
)
def test_editors_tag_and_viewers_look(world: World, name: str | None, may: bool) -> None:
    assert (world.tag("one", name).status_code == 201) is may
    tag = Tag.objects.filter(dataset=world.dataset).first() or Tag.objects.create(
        dataset=world.dataset, name="one"
    )
    url = f"/api/datasets/{world.dataset.pk}/tags/{tag.pk}"
    assert (world.call("post", f"{url}/records", {"add": {"rows": [1]}}, name).status_code == 200) is may
    assert (world.call("patch", url, {"name": "two"}, name).status_code == 200) is may
    assert (world.call("delete", url, None, name).status_code == 204) is may
    looks = name in ("alice", "bob", "victor")
    assert (
        world.call("get", f"/api/datasets/{world.dataset.pk}/tags", name=name).status_code == 200
    ) is looks


def test_rows_matching_is_as_long_as_asked_for(world: World) -> None:
    assert rows_matching(world.dataset, {"rows": [5, 150]}, 100).tolist() == [row == 5 for row in range(100)]
