"""What a build makes of pictures, captions, vectors and columns."""

import json
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from atlas.datasets.models import Dataset, Import, ImportState, Record, SkippedItem, State
from atlas.maps import findings, vectors
from atlas.maps.build import create_build
from atlas.maps.computed import computed_of
from atlas.maps.models import DataMap, Space, VectorSet
from embeddings.errors import FolderError, WeightsError
from tests.maps.building import make_maps, rows_of, shown, work_off
from tests.maps.fake_towers import FakeModel
from tests.maps.records import add_records

# The thread that watches a step has a connection of its own: what it reads must be committed.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake")]


def test_pictures_and_captions_become_three_maps(dataset: Dataset) -> None:
    add_records(dataset, 20, pictures=True, captions=True)

    build = make_maps(dataset.pk)

    assert build.finished_at is not None
    maps = DataMap.objects.filter(dataset=dataset).select_related("current")
    assert {each.space: each.current and each.current.count for each in maps} == {
        "image": 20, "caption": 20, "joint": 20,
    }  # fmt: skip
    assert rows_of(dataset, Space.IMAGE) == rows_of(dataset, Space.CAPTION) == list(range(20))


@pytest.mark.parametrize(("content", "space"), [("pictures", "image"), ("captions", "caption")])
def test_one_modality_becomes_one_map(dataset: Dataset, content: str, space: str) -> None:
    add_records(dataset, 5, **{content: True})

    make_maps(dataset.pk)

    assert [each.space for each in DataMap.objects.filter(dataset=dataset)] == [space]


def test_records_without_content_are_on_no_map(dataset: Dataset) -> None:
    add_records(dataset, 4)
    add_records(dataset, 3, captions=True)

    make_maps(dataset.pk)

    caption = DataMap.objects.get(dataset=dataset)
    assert caption.current is not None
    assert caption.current.count == 3
    assert rows_of(dataset, Space.CAPTION) == [4, 5, 6]


def test_a_dataset_of_columns_only_is_done_without_a_map(dataset: Dataset) -> None:
    add_records(dataset, 4)

    make_maps(dataset.pk)

    assert not DataMap.objects.filter(dataset=dataset).exists()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_records_has_a_map(dataset: Dataset, count: int) -> None:
    add_records(dataset, count, pictures=True, captions=True)

    make_maps(dataset.pk)

    assert {each.current and each.current.count for each in DataMap.objects.filter(dataset=dataset)} == {
        count
    }


def test_pictures_that_cannot_be_embedded_are_left_out_and_reported(dataset: Dataset) -> None:
    first, second = (
        Import.objects.create(dataset=dataset, state=ImportState.DONE, imported=3, started_at=timezone.now())
        for _ in range(2)
    )
    add_records(dataset, 6, pictures=True)
    damaged, gone = dataset.records.get(row=2), dataset.records.get(row=4)
    assert damaged.original is not None
    assert gone.original is not None
    Path(default_storage.path(damaged.original)).write_bytes(b"nonsense")
    default_storage.delete(gone.original)

    make_maps(dataset.pk)
    make_maps(dataset.pk)  # tries them once more, and says it once

    assert rows_of(dataset, Space.IMAGE) == [0, 1, 3, 5]
    lines = SkippedItem.objects.filter(job__dataset=dataset).values_list(
        "job", "row", "source", "reason", "detail"
    )
    assert list(lines) == [
        (first.pk, 2, "test.zip/2.png", "not_embedded", "It cannot be embedded: It is not a picture."),
        (second.pk, 4, "test.zip/4.png", "not_embedded", "The stored file of the picture is gone."),
    ]


def test_pictures_that_are_mended_come_onto_a_map_that_had_no_points(dataset: Dataset) -> None:
    Import.objects.create(dataset=dataset, state=ImportState.DONE, imported=4, started_at=timezone.now())
    add_records(dataset, 4, pictures=True)
    originals = [Path(default_storage.path(str(record.original))) for record in dataset.records.all()]
    good = [path.read_bytes() for path in originals]
    for path in originals:
        path.write_bytes(b"nonsense")
    make_maps(dataset.pk)
    assert shown(dataset).count == 0
    frames = []
    for count in (3, 4):
        for at in range(count):
            originals[at].write_bytes(good[at])

        make_maps(dataset.pk, append=True)

        version = shown(dataset)
        assert version.count == len(vectors.open_matrix(dataset.pk, Space.IMAGE, 4).rows) == count
        frames.append(json.loads((version.folder / "manifest.json").read_text())["frame"])
    assert frames[0] == frames[1]


@pytest.mark.parametrize(
    "error",
    [
        WeightsError("/srv/models/mini is not a whole mini: it lacks model.safetensors"),
        FolderError("/srv/models/mini/config.json is not JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_damaged_models_are_told_without_the_folders_of_the_server(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(FakeModel, "encode_texts", broken)
    add_records(dataset, 3, captions=True)

    build = work_off(create_build(dataset.pk, append=False))

    assert build.state == State.FAILED
    assert "The model's files are missing on this server" in build.error
    assert "/srv" not in build.error + "".join(build.steps.values_list("error", flat=True))
    assert str(error) in caplog.text


def test_vectors_that_came_with_pictures_for_some_of_them_are_all_on_the_map(dataset: Dataset) -> None:
    from atlas.datasets.vectors import keep_vectors

    add_records(dataset, 5, captions=True)
    add_records(dataset, 5, pictures=True)
    dataset.vector_size = 5
    dataset.save()
    keep_vectors(dataset, 0, list(np.ones((10, 5), np.float32)))  # all near

    make_maps(dataset.pk)

    assert shown(dataset).count == 10
    assert [set(each) for each in computed_of(shown(dataset), [0, 7])] == 2 * [
        {"trust", "outlier", "duplicates", "duplicate_of", "alike"}
    ]
    assert [each["alike"] for each in computed_of(shown(dataset), [0, 7])] == [None, 1]


def test_the_same_words_are_no_copies_where_vectors_came_along(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from atlas.datasets.vectors import keep_vectors

    monkeypatch.setattr(findings, "BLOCK", 4)  # row 9 is compared with row 2 of another block
    add_records(dataset, 10, captions=True)
    Record.objects.filter(dataset=dataset).update(caption="cat")
    dataset.vector_size = 5
    dataset.save()
    given = np.random.default_rng(0).normal(size=(10, 5)).astype(np.float32)
    given[9] = given[2]
    given[8] = given[2] * 1.001
    keep_vectors(dataset, 0, [None if row == 3 else vector for row, vector in enumerate(given)])

    make_maps(dataset.pk)

    found = computed_of(shown(dataset, Space.CAPTION), list(range(10)))
    assert [each["duplicate_of"] for each in found] == [0, 1, 2, None, 4, 5, 6, 7, 8, 2]
    assert [each["alike"] for each in found] == [1, 1, 2, None, 1, 1, 1, 1, 1, 2]


def test_a_record_is_no_outlier_any_more_once_others_like_it_came(dataset: Dataset) -> None:
    from atlas.datasets.vectors import keep_vectors

    noise = np.random.default_rng(0).normal(scale=0.02, size=(180, 8)).astype(np.float32)
    given = np.eye(8, dtype=np.float32)[np.arange(180) % 8] + noise
    given[[13, *range(160, 180)]] = noise[[13, *range(160, 180)]] + [1, 1, 0, 0, 0, 0, 0, 0]
    dataset.vector_size = 8
    found = []
    for start, stop in ((0, 160), (160, 180)):
        add_records(dataset, stop - start, captions=True)
        dataset.save()
        keep_vectors(dataset, start, list(given[start:stop]))
        make_maps(dataset.pk, append=start > 0)
        [computed] = computed_of(shown(dataset, Space.CAPTION), [13])
        found.append(float(str(computed["outlier"])))

    alone, among_its_like = found
    assert among_its_like < 0.01 < 0.2 < alone


def test_faults_are_found_in_vectors_that_came_along_and_in_those_that_are_appended(
    dataset: Dataset,
) -> None:
    from atlas.datasets.vectors import keep_vectors

    middles = np.eye(8, dtype=np.float32)  # one for each colour: 20 of each, then 10
    noise = np.random.default_rng(0).normal(scale=0.02, size=(240, 8)).astype(np.float32)
    given = middles[np.arange(240) % 8] + noise
    outliers, wrong = [13, 204], [22, 191]
    given[outliers] = [[1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, -1, 0, 0]]
    dataset.vector_size = 8
    for start, stop in ((0, 160), (160, 240)):
        add_records(dataset, stop - start, captions=True)
        dataset.save()
        keep_vectors(dataset, start, list(given[start:stop]))
        for row in wrong:
            dataset.records.filter(row=row).update(values={"colour": "red"})
        make_maps(dataset.pk, append=start > 0)

    version = shown(dataset, Space.CAPTION)
    found = computed_of(version, list(range(240)))
    farthest = sorted(range(240), key=lambda row: -float(str(found[row]["outlier"])))
    strangest = sorted(range(240), key=lambda row: -float(str(found[row]["strangers"])))
    assert sorted(farthest[:2]) == outliers
    assert [found[row]["strangers"] for row in wrong] == [1, 1]
    assert sorted(set(strangest[:4]) - set(outliers)) == wrong
    unit = given / np.linalg.norm(given, axis=1, keepdims=True)
    nearest = np.sort(1 - unit @ unit.T, axis=1)[:, 1:15].mean(axis=1)
    np.testing.assert_allclose(
        [float(str(found[row]["outlier"])) for row in range(160, 240)], nearest[160:], atol=2e-3
    )
    columns = json.loads((version.folder / "manifest.json").read_text())["columns"]
    assert {each["key"]: each["name"] for each in columns if each.get("computed")} == {
        "trust": "Trust",
        "outlier": "Outlier",
        "strangers": "Strangers by colour",
        "duplicates": "Duplicates",
    }


def test_a_map_of_an_older_atlas_takes_in_newcomers(dataset: Dataset) -> None:
    add_records(dataset, 20, captions=True)
    make_maps(dataset.pk)
    path = shown(dataset, Space.CAPTION).folder / "points.npz"
    with np.load(path) as arrays:
        np.savez(path, **{name: arrays[name] for name in ("rows", "coordinates", "trust")})
    add_records(dataset, 4, captions=True)

    make_maps(dataset.pk, append=True)

    found = computed_of(shown(dataset, Space.CAPTION), list(range(24)))
    assert [each["outlier"] is None for each in found] == [True] * 20 + [False] * 4


def test_vectors_that_came_with_the_records_are_copied(dataset: Dataset, fake: FakeModel) -> None:
    from atlas.datasets.vectors import keep_vectors

    add_records(dataset, 10, captions=True)
    dataset.vector_size = 5
    dataset.save()
    given = np.random.default_rng(0).normal(size=(10, 5)).astype(np.float32)
    keep_vectors(dataset, 0, [None if row == 3 else vector for row, vector in enumerate(given)])

    make_maps(dataset.pk)

    assert fake.embedded == 0
    assert rows_of(dataset, Space.CAPTION) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert VectorSet.objects.get(dataset=dataset).dimensions == 5
