"""The end of a build: all maps at once or none, and what their files say."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from atlas.datasets.models import Dataset, Import, SkippedItem, State
from atlas.maps import codes, labels, publish, run, writing
from atlas.maps.build import cancel_build, create_build, retry_build
from atlas.maps.kept import Points
from atlas.maps.models import DataMap, MapVersion, Space, Stage, Step, Topic, version_folder
from atlas.maps.places import places_of, rows_at
from atlas.maps.run import run_step
from atlas.maps.steps import Stopped, Watch, claim
from tests.maps.building import interrupt_publishing, make_maps, sent_steps, shown, versions_on_disk, work_off
from tests.maps.records import COLOURS, add_records

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake")]


@pytest.fixture
def dataset(dataset: Dataset) -> Dataset:
    add_records(dataset, 40, pictures=True, captions=True)
    return dataset


def manifest(version: MapVersion) -> Any:
    return json.loads((version.folder / "manifest.json").read_text())


def test_an_interrupted_publication_shows_nothing(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    build = interrupt_publishing(dataset, monkeypatch)

    assert build.state == State.FAILED
    assert not MapVersion.objects.exists()
    assert not DataMap.objects.filter(current__isnull=False).exists()


def test_an_interrupted_publication_leaves_the_old_maps(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_maps(dataset.pk)
    before = {each.space: each.current_id for each in DataMap.objects.all()}

    build = interrupt_publishing(dataset, monkeypatch)

    assert {each.space: each.current_id for each in DataMap.objects.all()} == before
    retry_build(build)
    assert work_off(build).state == State.DONE
    assert {each.current.number for each in DataMap.objects.select_related("current") if each.current} == {2}


def test_a_cancelled_build_is_not_published(dataset: Dataset) -> None:
    build = work_off(create_build(dataset.pk, append=False), until=lambda step: step.stage == Stage.PUBLISH)
    step = sent_steps(build)[0]
    cancel_build(build)
    Step.objects.filter(pk=step.pk).update(state=State.QUEUED)

    run_step(step.pk)

    assert not MapVersion.objects.exists()


def test_publishing_twice_does_no_harm(dataset: Dataset) -> None:
    build = make_maps(dataset.pk)
    step = build.steps.get(stage=Stage.PUBLISH)
    Step.objects.filter(pk=step.pk).update(state=State.QUEUED)

    run_step(step.pk)

    assert MapVersion.objects.count() == 3


def test_tiles_written_twice_are_the_same(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = []
    write = writing.write_version

    def twice(step: Step, watch: Watch) -> None:
        for _ in range(2):
            write(step, watch)
            folder = version_folder(dataset.pk, publish.version_id(step.build_id, step.space))
            contents.append({path: path.read_bytes() for path in folder.rglob("*") if path.is_file()})

    monkeypatch.setitem(run.VERBS, Stage.TILES, twice)
    make_maps(dataset.pk)

    assert len(contents) == 6
    for first, second in zip(contents[::2], contents[1::2], strict=True):
        assert first == second


def test_tiles_that_die_leave_no_half_folder(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(*args: object, **kwargs: object) -> None:
        raise OSError("disk gone")

    monkeypatch.setattr(labels, "write_labels", half)

    build = work_off(create_build(dataset.pk, append=False))

    assert build.state == State.FAILED
    assert versions_on_disk(dataset) == set()


def test_a_worker_that_was_taken_for_dead_puts_nothing_in_place_of_what_the_next_one_wrote(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = work_off(create_build(dataset.pk, append=False), until=lambda step: step.stage == Stage.TILES)
    step = claim(build.steps.get(stage=Stage.TILES, space=Space.IMAGE).pk)
    assert step is not None
    watch = Watch(step)
    monkeypatch.setattr(writing, "save_pairs", lambda *_: watch._stop.set())  # the last of its files

    with pytest.raises(Stopped):
        writing.write_version(step, watch)

    assert versions_on_disk(dataset) == set()


def test_the_columns_of_the_records_are_on_the_map(dataset: Dataset) -> None:
    make_maps(dataset.pk)

    columns = {each["key"]: each for each in manifest(shown(dataset))["columns"]}
    assert columns["colour"]["kind"] == "category"
    assert columns["colour"]["size"] == len(COLOURS)
    assert (columns["size"]["kind"], columns["size"]["min"], columns["size"]["max"]) == ("number", 0, 39)
    assert columns["trust"]["kind"] == "number"
    assert columns["topic-0"]["kind"] == "topic"
    assert manifest(shown(dataset))["embedded"] == "topic-0"


def test_a_category_of_too_many_values_is_left_out_and_the_import_report_says_so(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "MOST_VALUES", len(COLOURS) - 1)
    job = Import.objects.create(dataset=dataset, imported=40)
    make_maps(dataset.pk)

    assert "colour" not in {each["key"] for each in manifest(shown(dataset))["columns"]}
    note = SkippedItem.objects.get(job=job)  # one, though three maps found it out
    assert (note.reason, note.source) == ("note", "colour")
    assert note.detail.startswith(f"It has {len(COLOURS)} different values, too many to colour a map by")


@pytest.mark.parametrize("space", list(Space))
def test_every_map_has_thumbnails_where_there_are_pictures(dataset: Dataset, space: Space) -> None:
    make_maps(dataset.pk)

    folder = shown(dataset, space).folder
    index = json.loads((folder / "thumbs" / "index.json").read_text())
    count = index["sheets"]["count"][0]
    assert 1 <= count <= 40
    assert (folder / "thumbs" / "0-0-0.idx").stat().st_size == 12 * count
    with Image.open(folder / "thumbs" / "0-0-0.webp") as sheet:
        assert sheet.width == 1024


def test_ordinals_and_rows_translate_both_ways(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    folder = shown(dataset).folder

    rows = rows_at(folder, range(40))

    assert sorted(rows) == list(range(40))
    places = places_of(folder, rows)
    assert [places[row].ordinal for row in rows] == list(range(40))


def test_topics_are_rows_too(dataset: Dataset) -> None:
    make_maps(dataset.pk)

    version = shown(dataset)
    labels = json.loads((version.folder / "labels.json").read_text())["topics"]
    topics = Topic.objects.filter(version=version).order_by("number")
    assert [(each.number, each.name, each.count, each.representative) for each in topics] == [
        (each["id"], each["name"], each["count"], each["row"]) for each in labels
    ]
    assert sum(each.count for each in topics if each.level == 0) == 40


def test_an_appended_version_keeps_the_world_and_the_topics(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    old = shown(dataset)
    add_records(dataset, 16, pictures=True, captions=True)

    make_maps(dataset.pk, append=True)

    new = shown(dataset)
    assert manifest(new)["frame"] == manifest(old)["frame"]
    rows = range(40)
    before, after = places_of(old.folder, rows), places_of(new.folder, rows)
    assert [(before[row].x, before[row].y) for row in rows] == [(after[row].x, after[row].y) for row in rows]
    names = [list(each.topics.order_by("number").values_list("name", flat=True)) for each in (old, new)]
    assert names[0] == names[1]
    assert sum(each.count for each in new.topics.filter(level=0)) == 56


def test_new_points_lie_among_their_like(dataset: Dataset) -> None:
    add_records(dataset, 200, pictures=True)
    make_maps(dataset.pk)
    add_records(dataset, 16, pictures=True)

    make_maps(dataset.pk, append=True)

    points = Points.load(shown(dataset).folder)
    middles = np.stack([np.median(points.coordinates[:240][colour::8], axis=0) for colour in range(8)])
    for row in range(240, 256):
        nearest = np.linalg.norm(middles - points.coordinates[row], axis=1).argmin()
        assert nearest == row % 8


def test_a_map_that_was_never_written_is_never_shown(dataset: Dataset) -> None:
    build = work_off(create_build(dataset.pk, append=False), until=lambda step: step.stage == Stage.PUBLISH)
    lost = version_folder(dataset.pk, publish.version_id(build.pk, Space.JOINT))
    os.rename(lost, lost.with_name("lost"))

    assert work_off(build).state == State.FAILED
    assert not MapVersion.objects.exists()


def test_places_on_a_map_without_points_are_nowhere(tmp_path: Path) -> None:
    for name in ("rows.bin", "ordinals.bin", "points.bin"):
        (tmp_path / name).touch()
    assert rows_at(tmp_path, [0, 1]) == []
    assert places_of(tmp_path, [0, 1]) == {}
