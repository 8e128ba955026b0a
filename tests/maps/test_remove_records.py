"""Maps whose records are removed: made again by themselves, without these, and nothing of them is left."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.db import connection
from numpy.typing import NDArray

from atlas.datasets import remove
from atlas.datasets.filters import FilterError
from atlas.datasets.models import Dataset, Record, RemovedRecord, State
from atlas.datasets.remove import clear_removed, remove_records
from atlas.maps import embed, export_api, places, towers, vectors
from atlas.maps.build import BuildError, cancel_build, create_build, rescue, retry_build
from atlas.maps.computed import values_of
from atlas.maps.kept import NOBODY, Points, load_pairs, load_topics
from atlas.maps.models import Build, DataMap, MapVersion, Space, Stage, VectorSet
from atlas.maps.renaming import labels_now, rename_topic
from atlas.maps.selection import rows_matching
from atlas.maps.stages import _extended
from atlas.maps.topic import Topic, Topics
from atlas.teams.asker import Asker
from tests.maps.building import interrupt_publishing, make_maps, rows_of, shown, versions_on_disk, work_off
from tests.maps.fake_towers import FakeModel
from tests.maps.records import add_records
from tests.people import client_of, content_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake")]

COUNT = 40


@pytest.fixture
def dataset(dataset: Dataset) -> Dataset:
    add_records(dataset, COUNT, pictures=True, captions=True)
    return dataset


def owner(dataset: Dataset) -> Asker:
    return Asker(dataset.team.members.get())


def take(dataset: Dataset, *rows: int) -> Build | None:
    """The build that begins then."""
    dataset.refresh_from_db()
    mask = np.zeros(dataset.row_count, bool)
    mask[list(rows)] = True
    assert remove_records(dataset.pk, mask, owner(dataset)) == len(rows)
    dataset.refresh_from_db()
    return dataset.builds.filter(state=State.QUEUED).first()


def take_and_build(dataset: Dataset, *rows: int) -> Build:
    build = take(dataset, *rows)
    assert build is not None
    work_off(build)
    assert build.state == State.DONE, build.error
    return build


def matrices(dataset: Dataset) -> set[str]:
    return {path.name for path in (Path(settings.ATLAS_HOME) / "vectors" / str(dataset.pk)).glob("*")}


def test_old_points_stay_without_those_that_were_removed(dataset: Dataset, fake: FakeModel) -> None:
    make_maps(dataset.pk)
    before = {space: Points.load(shown(dataset, space).folder) for space in Space}
    embedded = fake.embedded

    build = take_and_build(dataset, 3, 17)

    assert (build.append, build.row_count, fake.embedded) == (True, COUNT, embedded)
    kept = [row for row in range(COUNT) if row not in (3, 17)]
    for space in Space:
        version = shown(dataset, space)
        now = Points.load(version.folder)
        assert (version.build_id, version.number, version.count) == (build.pk, 2, COUNT - 2)
        assert now.rows.tolist() == kept
        np.testing.assert_array_equal(now.coordinates, before[space].coordinates[kept])
        assert not np.isin(now.nearest, [3, 17]).any()
        assert ((now.nearest == NOBODY) == np.isinf(now.distances)).all()
        assert (np.diff(now.distances[:, :6], axis=1) >= 0).all()
        found = load_topics(version.folder, now.rows)
        assert sum(topic.count for topic in found.topics if topic.level == 0) == COUNT - 2
        assert not {topic.representative for topic in version.topics.all()} & {3, 17}
    assert rows_of(dataset, Space.IMAGE) == kept
    assert rows_of(dataset, Space.CAPTION) == kept


def test_the_old_versions_and_all_that_shows_a_removed_picture_are_gone(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    old = [shown(dataset, space) for space in Space]
    build = take(dataset, 3)
    assert build is not None
    client = client_of(dataset.team.members.get())
    files = [f"/maps/{version.map_id}/{version.pk}/manifest.json" for version in old]
    assert [client.get(file).status_code for file in files] == [200] * 3  # open pages go on till then

    work_off(build)

    assert [client.get(file).status_code for file in files] == [404] * 3
    assert set(MapVersion.objects.values_list("build", flat=True)) == {build.pk}
    assert versions_on_disk(dataset) == {str(pk) for pk in MapVersion.objects.values_list("pk", flat=True)}
    generations = set(VectorSet.objects.values_list("generation", flat=True))
    assert generations == {1}
    assert all(name.endswith("-1") for name in matrices(dataset))
    clear_removed(dataset.pk)
    assert client.get(f"/api/maps/{old[0].map_id}/records/3").status_code == 404


def export(dataset: Dataset, **body: Any) -> Any:
    return client_of(dataset.team.members.get()).post(
        f"/api/datasets/{dataset.pk}/export",
        {"map": str(shown(dataset).map_id), **body},
        content_type="application/json",
    )


def records_in(content: bytes, form: str) -> list[dict[str, Any]]:
    if form == "jsonl":
        return [json.loads(line) for line in content.decode().splitlines()]
    found: list[dict[str, Any]] = pq.read_table(io.BytesIO(content)).to_pylist()
    return found


@pytest.mark.parametrize("body", [{"format": "jsonl"}, {"format": "parquet", "vectors": "image"}])
def test_an_export_that_has_begun_ends_though_the_map_is_replaced(
    dataset: Dataset, body: dict[str, Any]
) -> None:
    make_maps(dataset.pk)
    whole = records_in(content_of(export(dataset, **body)), body["format"])
    assert len(whole) == COUNT
    assert all(record["topics"] and record["trust"] is not None for record in whole)
    begun, before = export(dataset, **body), shown(dataset)

    take_and_build(dataset, 3)
    places._layout_of.cache_clear()  # of eight other maps
    vectors._mapped.cache_clear()

    assert not before.folder.exists()
    assert records_in(content_of(begun), body["format"]) == [each for each in whole if each["row"] != 3]


@pytest.mark.parametrize("part", ["place_part", "computed_part"])
def test_an_export_of_a_map_that_is_just_replaced_is_to_be_asked_for_again(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    make_maps(dataset.pk)
    good = getattr(export_api, part)

    def late(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(export_api, part, good)
        take_and_build(dataset, 3)
        return good(*arguments, **options)

    monkeypatch.setattr(export_api, part, late)
    refused = export(dataset, format="jsonl")
    assert (refused.status_code, refused.json()) == (
        409, {"detail": "A newer map took the place of this one just now: export again."},
    )  # fmt: skip
    assert len(records_in(content_of(export(dataset, format="jsonl")), "jsonl")) == COUNT - 1


def test_a_build_that_runs_gives_way_to_one_without_them(dataset: Dataset, fake: FakeModel) -> None:
    make_maps(dataset.pk)
    running = work_off(create_build(dataset.pk, append=False), until=lambda step: step.stage == Stage.TOPICS)

    following = take(dataset, 5)

    assert following is not None
    running.refresh_from_db()
    assert (running.state, following.append) == (State.CANCELLED, False)
    work_off(running)
    assert work_off(following).state == State.DONE
    assert 5 not in Points.load(shown(dataset).folder).rows
    assert fake.embedded == 2 * COUNT


def test_the_first_build_too(dataset: Dataset) -> None:
    work_off(create_build(dataset.pk, append=True), until=lambda step: step.stage == Stage.PROJECT)
    take_and_build(dataset, 0, COUNT - 1)
    assert shown(dataset).count == COUNT - 2


@pytest.mark.parametrize("space", [Space.IMAGE, Space.CAPTION])
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_is_removed_while_it_is_embedded_gets_no_vector(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, space: Space, when: str
) -> None:
    name = "embed_pictures" if space == Space.IMAGE else "embed_captions"
    good: Callable[..., Any] = getattr(towers, name)
    reads = "_pictures" if space == Space.IMAGE else "_captions"
    read: Callable[..., Any] = getattr(embed, reads)
    times: list[None] = []

    def once() -> None:
        if not times:
            times.append(None)
            take(dataset, 2)

    def embedded(*arguments: Any) -> Any:
        found = good(*arguments)
        if when == "after":
            once()
        return found

    def was_read(*arguments: Any) -> Any:
        if when == "before":
            once()
        return read(*arguments)

    monkeypatch.setattr(towers, name, embedded)
    monkeypatch.setattr(embed, reads, was_read)
    work_off(create_build(dataset.pk, append=True))
    build = Build.objects.latest("created_at")
    assert work_off(build).state == State.DONE, build.error
    assert rows_of(dataset, space) == [row for row in range(COUNT) if row != 2]
    present = vectors.open_matrix(dataset.pk, space, COUNT).rows
    assert 2 not in present


def test_a_failed_build_cannot_be_tried_again_with_them(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = interrupt_publishing(dataset, monkeypatch)
    assert failed.state == State.FAILED
    following = take(dataset, 1)
    assert following is not None
    work_off(following)
    with pytest.raises(BuildError):
        retry_build(failed)
    assert shown(dataset).build_id == following.pk


def test_records_that_come_after_a_removal_are_placed(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    take_and_build(dataset, 4)
    dataset.refresh_from_db()
    add_records(dataset, 5, pictures=True, captions=True)
    make_maps(dataset.pk, append=True)
    version = shown(dataset)
    assert Points.load(version.folder).rows.tolist() == [row for row in range(COUNT + 5) if row != 4]


def points_at(rows: NDArray[np.uint32], places: NDArray[np.float32], placed: list[int]) -> Points:
    n = len(rows)
    nobody = np.empty((n, 0), np.uint32), np.empty((n, 0), np.float32)
    return Points(rows, places, np.ones(n, np.float32), np.array(placed, bool), *nobody)


def test_given_names_stay_and_another_record_stands_for_its_topic(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    [topic] = shown(dataset).topics.all()
    rename_topic(shown(dataset), topic.number, "Given", owner(dataset))

    take_and_build(dataset, topic.representative)

    version = shown(dataset)
    [now] = version.topics.all()
    assert (now.name, now.count) == ("Given", COUNT - 1)
    assert now.representative in Points.load(version.folder).rows
    assert now.representative != topic.representative


def test_links_to_topics_mean_the_same_after_another_was_emptied(dataset: Dataset) -> None:
    dataset.refresh_from_db()
    add_records(dataset, 200, captions=True)
    make_maps(dataset.pk)
    version = shown(dataset, Space.CAPTION)
    before = topics_of(version)
    [first, *others] = (number for number, (level, *_) in before.items() if level == 0)
    assert others
    rows = load_topics(version.folder, np.arange(dataset.row_count, dtype=np.uint32)).ids[0]
    members = {number: np.flatnonzero(rows == number).tolist() for number in others}

    take_and_build(dataset, *np.flatnonzero(rows == first).tolist())

    version = shown(dataset, Space.CAPTION)
    now = topics_of(version)
    assert first not in now
    assert now == {number: before[number] for number in now}
    drawn = json.loads((version.folder / "labels.json").read_text())["topics"]
    assert [each["id"] for each in drawn] == [each["id"] for each in labels_now(version)["topics"]] == [*now]
    for number in others:
        link = {"topic": number, "map": str(version.map_id)}
        assert np.flatnonzero(rows_matching(dataset, link, dataset.row_count)).tolist() == members[number]
    with pytest.raises(FilterError, match=f"There is no topic {first} on this map"):
        rows_matching(dataset, {"topic": first, "map": str(version.map_id)}, dataset.row_count)


def topics_of(version: MapVersion) -> dict[int, tuple[int, int | None, str]]:
    rows = version.topics.order_by("number").select_related("parent")
    return {row.number: (row.level, row.parent.number if row.parent else None, row.name) for row in rows}


def test_a_topic_of_which_no_point_is_left_goes() -> None:
    rows = np.arange(10, 16, dtype=np.uint32)
    places = np.array([[0, 0], [0, 1], [0, 2], [9, 0], [9, 1], [9, 2]], np.float32)
    old_points = points_at(rows, places, placed=[0] * 6)
    old = Topics(
        [
            Topic(0, 0, None, "left", 0, 1, 1, 3, row=1),
            Topic(1, 0, None, "right", 9, 1, 1, 3, row=4),
            Topic(2, 1, 0, "left, finer", 0, 1, 1, 3, row=1),
            Topic(3, 1, 1, "right, finer", 9, 1, 1, 2, row=4),
        ],
        np.array([[0, 0, 0, 1, 1, 1], [2, 2, 2, 3, 3, -1]], np.int32),
    )
    # Gone: all of the left, and the one that stands for the right; row 20 is new there.
    points = points_at(np.array([13, 15, 20], np.uint32), places[[3, 5, 3]], placed=[0, 0, 1])

    found = _extended(old, old_points, points)

    described = [(each.id, each.level, each.parent, each.name, each.count, each.row) for each in found.topics]
    assert described == [(1, 0, None, "right", 3, 0), (3, 1, 1, "right, finer", 2, 0)]
    assert found.ids.tolist() == [[1, 1, 1], [3, -1, 3]]
    # Once more, where ids are missing already.
    again = _extended(found, points, points_at(np.array([13], np.uint32), places[3:4], placed=[0]))
    assert [(each.id, each.parent, each.count) for each in again.topics] == [(1, None, 1), (3, 1, 1)]
    assert again.ids.tolist() == [[1], [3]]


def test_a_copy_whose_original_was_removed_is_no_copy(dataset: Dataset) -> None:
    original = Record.objects.get(dataset=dataset, row=1)
    Record.objects.filter(dataset=dataset, row=2).update(sha256=original.sha256)
    make_maps(dataset.pk)
    before = values_of(shown(dataset), "duplicate_of")
    assert before is not None
    assert before[2] == 1

    take_and_build(dataset, 1)

    version = shown(dataset)
    now = values_of(version, "duplicate_of")
    assert now is not None
    assert now[2] == 2
    assert np.isnan(now[1])
    assert 1 not in load_pairs(version.folder)
    table = client_of(dataset.team.members.get()).post(
        f"/api/datasets/{dataset.pk}/table",
        {"sort": "-duplicates", "by": "computed", "map": str(version.map_id), "limit": 100},
        content_type="application/json",
    )
    assert table.json()["total"] == COUNT - 1
    assert 1 not in {each["row"] for each in table.json()["records"]}


def test_maps_of_a_space_of_which_nothing_is_left_go(dataset: Dataset) -> None:
    dataset.refresh_from_db()
    add_records(dataset, 8, captions=True)
    make_maps(dataset.pk)

    take_and_build(dataset, *range(COUNT))

    maps = DataMap.objects.filter(dataset=dataset).select_related("current")
    counts = {each.space: each.current and each.current.count for each in maps}
    assert counts == {"image": None, "caption": 8, "joint": None}
    assert versions_on_disk(dataset) == {str(shown(dataset, Space.CAPTION).pk)}


@pytest.mark.parametrize("latest", ["done", "running", "failed"])
def test_of_a_dataset_without_records_no_map_is_left(
    dataset: Dataset, latest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_maps(dataset.pk)
    if latest == "running":
        create_build(dataset.pk, append=False)
    if latest == "failed":
        assert interrupt_publishing(dataset, monkeypatch).state == State.FAILED
        assert len(versions_on_disk(dataset)) == 6

    assert take(dataset, *range(COUNT)) is None

    rescue()
    assert not Build.objects.filter(state__in=(State.QUEUED, State.RUNNING)).exists()
    assert not MapVersion.objects.exists()
    assert versions_on_disk(dataset) == set()
    assert matrices(dataset) == set()
    client = client_of(dataset.team.members.get())
    assert client.get(f"/api/datasets/{dataset.pk}/maps").json() == {"maps": []}
    progress = client.get(f"/api/datasets/{dataset.pk}/progress").json()["build"]
    assert progress["maps"] == []

    add_records(dataset, 6, pictures=True, captions=True)
    make_maps(dataset.pk, append=True)
    assert shown(dataset).count == 6


def test_other_vectors_may_come_when_none_is_left(dataset: Dataset, fake: FakeModel) -> None:
    make_maps(dataset.pk)
    take(dataset, *range(COUNT))
    fake.revision = "2"
    add_records(dataset, 6, pictures=True, captions=True)
    make_maps(dataset.pk, append=True)
    assert shown(dataset).count == 6


def test_a_region_finds_no_removed_point_on_the_map_of_before(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    take(dataset, 3)
    version = shown(dataset)
    everywhere = [[-1, -1], [2, -1], [2, 2], [-1, 2]]
    answer = client_of(dataset.team.members.get()).post(
        f"/api/maps/{version.map_id}/select",
        {"filter": {"region": everywhere, "map": str(version.map_id)}},
        content_type="application/json",
    )
    assert (answer.json()["n"], answer.json()["count"]) == (COUNT, COUNT - 1)


def test_it_is_refused_while_somebody_else_holds_the_dataset(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remove, "LOCK_SECONDS", 0.1)
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM datasets_dataset WHERE id = %s FOR KEY SHARE", [dataset.pk])
        answer = client_of(dataset.team.members.get()).post(
            f"/api/datasets/{dataset.pk}/records/remove",
            {"filter": {"rows": [1]}},
            content_type="application/json",
        )
    finally:
        other.close()
    assert (answer.status_code, answer.json()) == (
        409,
        {"detail": "Something else is changing this dataset. Try again soon."},
    )
    assert dataset.records.count() == COUNT


def test_no_worker_waits_while_another_one_clears(dataset: Dataset) -> None:
    take(dataset, 1)
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM datasets_dataset WHERE id = %s FOR NO KEY UPDATE", [dataset.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        clear_removed(dataset.pk)
        assert RemovedRecord.objects.filter(cleared=False).exists()
    finally:
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    clear_removed(dataset.pk)
    assert not RemovedRecord.objects.filter(cleared=False).exists()


def test_a_build_that_was_cancelled_by_hand_begins_again(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    cancel_build(create_build(dataset.pk, append=False))
    take_and_build(dataset, 2)
    assert 2 not in Points.load(shown(dataset).folder).rows
