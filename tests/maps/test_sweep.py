"""What is removed: old versions, the rests of cancelled builds, everything of a deleted dataset."""

import os
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from atlas.datasets.models import Dataset, State
from atlas.datasets.signals import dataset_deleted
from atlas.maps import publish, towers, vectors
from atlas.maps.build import cancel_build, create_build, retry_build
from atlas.maps.models import Build, DataMap, MapVersion, Space, Stage, VectorSet
from atlas.maps.run import run_step
from tests.maps.building import interrupt_publishing, make_maps, sent_steps, shown, versions_on_disk, work_off
from tests.maps.records import add_records, make_dataset

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake")]


@pytest.fixture
def dataset(dataset: Dataset) -> Dataset:
    add_records(dataset, 40, pictures=True, captions=True)
    return dataset


def test_an_old_version_is_kept_for_open_pages_and_then_removed(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    old = shown(dataset)
    make_maps(dataset.pk)
    new = shown(dataset)

    publish.sweep()
    assert old.folder.exists()

    later = timezone.now() - timedelta(hours=2)
    MapVersion.objects.filter(build=new.build).update(published_at=later)
    publish.sweep()

    assert not old.folder.exists()
    assert set(MapVersion.objects.values_list("build", flat=True)) == {new.build_id}
    assert versions_on_disk(dataset) == {str(each.pk) for each in MapVersion.objects.all()}
    assert new.folder.exists()


def test_sweeping_leaves_what_a_failed_build_needs_for_its_retry(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = interrupt_publishing(dataset, monkeypatch)

    publish.sweep()

    retry_build(build)
    assert work_off(build).state == State.DONE


def test_sweeping_keeps_maps_that_are_published_while_it_looks_for_what_needs_them(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = work_off(create_build(dataset.pk, append=False), until=lambda step: step.stage == Stage.PUBLISH)
    good = publish._unfinished

    def late() -> QuerySet[Build]:
        monkeypatch.setattr(publish, "_unfinished", good)
        assert work_off(build).state == State.DONE
        return good()

    monkeypatch.setattr(publish, "_unfinished", late)
    publish.sweep()

    assert versions_on_disk(dataset) == {str(each.pk) for each in MapVersion.objects.all()} != set()


def test_sweeping_removes_what_a_cancelled_build_left(dataset: Dataset) -> None:
    build = work_off(create_build(dataset.pk, append=False), until=lambda step: step.stage == Stage.PUBLISH)
    cancel_build(build)
    assert len(versions_on_disk(dataset)) == 3

    publish.sweep()

    assert versions_on_disk(dataset) == set()
    assert list((Path(settings.ATLAS_HOME) / "builds").glob("*")) == []


def test_sweeping_removes_what_a_deleted_dataset_left(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    home = Path(settings.ATLAS_HOME)
    Dataset.objects.filter(pk=dataset.pk).delete()

    publish.sweep()

    for kind in ("maps", "vectors", "builds"):
        assert list((home / kind).glob(f"{dataset.pk}/*")) == []


def test_sweeping_removes_what_a_killed_worker_was_writing(
    dataset: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    make_maps(dataset.pk)
    build = create_build(dataset.pk, append=False)
    maps = shown(dataset).folder.parent
    version = publish.version_id(build.pk, Space.IMAGE)
    written, left, old = (maps / f".{name}.draft" for name in (f"{version}.1", f"{uuid4()}.1", uuid4()))
    for draft in (written, left, old):
        draft.mkdir()

    publish.sweep()

    assert written.exists()
    assert not left.exists()
    assert not old.exists()
    cancel_build(build)
    publish.sweep()
    assert not written.exists()
    assert "left alone" not in caplog.text


def test_sweeping_keeps_the_matrix_in_use_only(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    in_use = vectors.open_matrix(dataset.pk, Space.IMAGE, 40).folder
    stale = vectors.open_matrix(dataset.pk, Space.IMAGE, 7).folder

    publish.sweep()

    assert in_use.exists()
    assert not stale.exists()


def test_sweeping_after_a_removal_keeps_the_matrix_that_searches_use_until_a_build_has_written_another(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_maps(dataset.pk)
    before = vectors.open_matrix(dataset.pk, Space.IMAGE, 40).folder
    stale = vectors.open_matrix(dataset.pk, Space.IMAGE, 7).folder
    vectors.remove(dataset.pk, np.array([3]))
    build = create_build(dataset.pk, append=True)

    publish.sweep()

    assert not stale.exists()
    with monkeypatch.context() as patch:
        patch.setattr(vectors, "_write_matrix", None)
        found = vectors.open_matrices(dataset.pk, [Space.IMAGE], 40)[Space.IMAGE]
    assert (found.folder, 3 in found.rows) == (before, False)

    assert work_off(build).state == State.DONE
    publish.sweep()
    assert not before.exists()


def test_a_matrix_with_a_removed_record_goes_where_no_build_is_to_write_another(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    before = vectors.open_matrix(dataset.pk, Space.IMAGE, 40).folder
    vectors.remove(dataset.pk, np.array([3]))
    cancel_build(create_build(dataset.pk, append=True))

    publish.sweep()

    assert not before.exists()


def test_sweeping_during_a_build_keeps_what_this_needs_and_nothing_of_older_failed_ones(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = interrupt_publishing(dataset, monkeypatch)
    add_records(dataset, 2, pictures=True, captions=True)
    work_off(create_build(dataset.pk, append=True), until=lambda step: step.stage == Stage.TOPICS)
    folder = vectors.open_matrix(dataset.pk, Space.IMAGE, 40).folder.parent
    written, left = folder / ".new-now", folder / ".new-long-ago"
    for unfinished in (written, left):
        unfinished.mkdir()
    os.utime(left, (0, 0))

    publish.sweep()

    assert not publish.scratch_folder(failed.pk, Space.IMAGE).exists()
    assert versions_on_disk(dataset) == set()
    assert written.exists()
    assert not left.exists()
    assert {path.name.rsplit("-", 2)[0] for path in folder.glob("[!.]*")} == {"image-42"}


def test_sweeping_touches_nothing_that_is_not_ours(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    strange = Path(settings.ATLAS_HOME) / "maps" / "do-not-touch-me-please"
    strange.mkdir()

    publish.sweep()

    assert strange.exists()


def test_a_deleted_dataset_takes_everything_along(dataset: Dataset) -> None:
    make_maps(dataset.pk)
    other = make_dataset()
    add_records(other, 5, captions=True)
    make_maps(other.pk)
    running = create_build(dataset.pk, append=False)
    ids = [dataset.pk, other.pk]

    for _ in range(2):  # a deletion that was cut short is run again
        dataset_deleted.send(sender=Dataset, dataset_id=dataset.pk)

    assert not Build.objects.filter(dataset=dataset).exists()
    assert not DataMap.objects.filter(dataset=dataset).exists()
    home = Path(settings.ATLAS_HOME)
    left = [
        path for path in home.rglob("*") if str(dataset.pk) in path.parts or str(running.pk) in path.parts
    ]
    assert [path for path in left if "media" not in path.parts] == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT dataset_id FROM maps_vector WHERE dataset_id IN (%s, %s)", ids)
        assert cursor.fetchall() == [(other.pk,)]
    assert shown(other, Space.CAPTION).folder.exists()
    assert VectorSet.objects.filter(dataset=other).exists()


def test_a_step_of_a_deleted_dataset_writes_nothing(dataset: Dataset) -> None:
    build = create_build(dataset.pk, append=False)
    step = sent_steps(build)[0]

    def deleted_meanwhile(*args: object) -> object:
        dataset_deleted.send(sender=Dataset, dataset_id=dataset.pk)
        return np.arange(16), np.eye(16, dtype=np.float32), {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(towers, "embed_pictures", deleted_meanwhile)
        run_step(step.pk)

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"maps_vector_{dataset.pk.hex}"])
        assert cursor.fetchone() == (None,)
