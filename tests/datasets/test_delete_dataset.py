"""Deleting: hidden at once, then really gone"""

from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.utils import timezone

from atlas.datasets import delete
from atlas.datasets.delete import delete_dataset, remove_dataset
from atlas.datasets.models import Dataset, Import, ImportState, Record, SkippedItem, Upload
from atlas.datasets.signals import dataset_deleted
from atlas.datasets.vectors import keep_vectors
from tests.datasets.material import fruit_zip, imported_dataset, new_import
from tests.people import Cast, client_of


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_nothing_of_it_is_left(cast: Cast, fruit: Dataset, data_folder: Path) -> None:
    fruit.vector_size = 2
    keep_vectors(fruit, 0, [np.ones(2, np.float32)])
    assert len(files(data_folder)) == 7
    client_of(cast.alice).delete(f"/api/datasets/{fruit.pk}")
    assert client_of(cast.alice).get(f"/api/datasets/{fruit.pk}").status_code == 404
    remove_dataset(fruit.pk)
    for model in (Dataset, Record, Import, SkippedItem, Upload):
        assert not model._default_manager.exists()
    assert not files(data_folder)


def test_other_datasets_stay(cast: Cast, fruit: Dataset) -> None:
    other = imported_dataset(cast)
    delete_dataset(fruit)
    remove_dataset(fruit.pk)
    assert Record.objects.filter(dataset=other).count() == 3
    assert client_of(cast.alice).get(f"/api/datasets/{other.pk}/records/0/thumbnail").status_code == 200


def test_its_address_is_free_at_once(cast: Cast, fruit: Dataset) -> None:
    delete_dataset(fruit)
    assert imported_dataset(cast).slug == "fruit"


def test_an_unfinished_upload_goes_with_it(cast: Cast, data_folder: Path) -> None:
    job = new_import(cast, "fruit.zip", fruit_zip())
    delete_dataset(job.dataset)
    remove_dataset(job.dataset_id)
    assert not Upload.objects.exists()
    assert not files(data_folder)


def test_only_a_deleted_one_is_removed(fruit: Dataset) -> None:
    remove_dataset(fruit.pk)
    assert Record.objects.filter(dataset=fruit).count() == 3


def test_it_can_be_run_again_after_it_was_cut_short(fruit: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []

    def listen(sender: Any, dataset_id: Any, **_: Any) -> None:
        heard.append(dataset_id)
        if len(heard) == 1:
            raise KeyboardInterrupt

    delete_dataset(fruit)
    dataset_deleted.connect(listen)
    try:
        with pytest.raises(KeyboardInterrupt):
            remove_dataset(fruit.pk)
        assert Dataset.objects.filter(pk=fruit.pk).exists()
        remove_dataset(fruit.pk)
        remove_dataset(fruit.pk)
    finally:
        dataset_deleted.disconnect(listen)
    assert heard == [fruit.pk, fruit.pk]
    assert not Dataset.objects.exists()


def test_it_waits_for_the_worker_that_still_imports(fruit: Dataset) -> None:
    Import.objects.update(state=ImportState.RUNNING, claim=uuid4(), heartbeat_at=timezone.now())
    delete_dataset(fruit)
    assert Import.objects.get().state == ImportState.CANCELLED
    remove_dataset(fruit.pk)
    assert Record.objects.exists()
    Import.objects.update(claim=None)
    remove_dataset(fruit.pk)
    assert not Dataset.objects.exists()


def test_records_are_removed_in_parts(fruit: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delete, "ROWS", 2)
    delete_dataset(fruit)
    remove_dataset(fruit.pk)
    assert not Record.objects.exists()
