"""The verb `run_import`."""

import os
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings

from atlas.datasets import ingest
from atlas.datasets.models import Dataset, ImportState, Record, SkippedItem, Upload
from atlas.datasets.vectors import given_vectors
from tests.datasets.material import imported_dataset, new_import, picture, run, table, vectors_table, zip_of
from tests.people import Cast


def test_it_keeps_good_rows_beside_bad_ones(fruit: Dataset) -> None:
    job = fruit.imports.get()
    assert job.state == ImportState.DONE
    assert (job.read, job.imported, job.skipped, job.total) == (4, 3, 1, 4)
    assert fruit.row_count == 3
    [line] = SkippedItem.objects.filter(job=job)
    assert (line.source, line.reason) == ("fruit.zip/captions.csv:5", "corrupt")


def test_it_stores_what_was_uploaded(fruit: Dataset) -> None:
    pear = Record.objects.get(dataset=fruit, row=1)
    assert (pear.key, pear.caption, pear.captions) == ("a-2", "A yellow pear", ["A yellow pear"])
    assert pear.values == {"colour": "yellow", "weight": 95.5}
    assert (pear.width, pear.height, pear.format) == (40, 30, "PNG")
    assert pear.original
    assert pear.thumbnail
    assert default_storage.open(pear.original).read() == picture("yellow")
    assert default_storage.open(pear.thumbnail).read()[8:12] == b"WEBP"
    assert fruit.columns == [{"name": "colour", "type": "text"}, {"name": "weight", "type": "number"}]


def test_it_removes_the_upload_in_the_end(fruit: Dataset, data_folder: Path) -> None:
    assert not Upload.objects.exists()
    assert not list((data_folder / "uploads").iterdir())


def test_a_record_is_there_once_its_picture_is_on_the_disk(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    """In each batch; the first pictures of a long import are not those that a power cut takes."""
    synced: list[tuple[int, int]] = []

    def sync() -> None:
        files = [path for path in (data_folder / "media").rglob("*") if path.is_file()]
        synced.append((len(files), Record.objects.count()))

    monkeypatch.setattr(os, "sync", sync)
    monkeypatch.setattr(ingest, "BATCH_ITEMS", 2)
    imported_dataset(cast)
    assert [records for _, records in synced] == [0, 2]
    assert all(files >= 2 * (records + 1) for files, records in synced)
    assert synced[-1][0] == 6


def test_words_alone_wait_for_no_disk(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sync", Mock(side_effect=AssertionError))
    assert run(new_import(cast, "one.csv", table(3))).imported == 3


def test_it_announces_the_records(cast: Cast, heard: list[Any]) -> None:
    assert heard == [(imported_dataset(cast).pk, 3)]


def test_it_reports_remarks_beside_the_skipped(cast: Cast, settings: Settings) -> None:
    settings.ATLAS_LIMITS = {**settings.ATLAS_LIMITS, "caption_length": 5}
    job = run(new_import(cast, "one.csv", b"id,caption\na,A caption that is far too long\n"))
    assert (job.imported, job.skipped) == (1, 0)
    assert job.skipped_items.get().reason == "note"


def test_it_fails_with_a_sentence_when_nothing_could_be_imported(cast: Cast) -> None:
    job = new_import(cast, "broken.zip", zip_of({"1.png": picture("red")[:50]}))
    job = run(job)
    assert job.state == ImportState.FAILED
    assert job.error.endswith(".")
    assert job.skipped == 1


def test_it_keeps_vectors_that_came_along(cast: Cast) -> None:
    given = [[1.0, 0.0, 0.5, 0.25], [0.0, 1.0, 0.5, 0.25], [0.5, 0.5, 0.0, 1.0]]
    dataset = Dataset.objects.get(pk=run(new_import(cast, "v.csv", vectors_table(given))).dataset_id)
    assert dataset.vector_size == 4
    assert np.array_equal(given_vectors(dataset, np.arange(3)), np.array(given, np.float32))
    assert np.array_equal(given_vectors(dataset, np.array([2, 7])), np.array([given[2], [0] * 4], np.float32))


def test_an_upload_of_which_nothing_is_left_says_why_and_what_to_do(cast: Cast) -> None:
    job = run(new_import(cast, "v.csv", vectors_table([[0.0] * 4] * 3)))
    assert job.state == ImportState.FAILED
    assert "What was wrong with each: Its vector is zero" in job.error
    assert "upload them again" in job.error
    assert job.skipped_items.count() == 3
