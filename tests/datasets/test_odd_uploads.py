"""Whatever is uploaded, the import ends with records, reasons or a sentence: no exception, no hang."""

import io
import time
import zipfile
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from atlas.datasets.describe import describe_import
from atlas.datasets.imports import create_dataset, start_import
from atlas.datasets.ingest import run_import
from atlas.datasets.models import Import, ImportState
from atlas.maps.columns import columns_of
from embeddings.errors import ItemError
from embeddings.pixels import open_picture
from tests.datasets import odd_files
from tests.datasets.material import uploaded
from tests.people import Cast

SECONDS = 10.0
#: What the user is told when something was not foreseen.
UNFORESEEN = ("Something went wrong", "could not be read or written on the server")


def imported(cast: Cast, name: str, data: bytes) -> Import:
    """Through describing, starting and importing, as far as it goes."""
    began = time.process_time()
    job = create_dataset(
        cast.team, name[:50], cast.alice, [uploaded(cast.alice, name[:200], data)]
    ).imports.get()
    describe_import(job.pk)
    job.refresh_from_db()
    if job.state == ImportState.DESCRIBED:
        start_import(job, {})
        run_import(job.pk)
        job.refresh_from_db()
    assert time.process_time() - began < SECONDS
    return job


def check(job: Import) -> None:
    """It ended, every item is accounted for, and what was imported can go on a map."""
    assert job.state in (ImportState.DONE, ImportState.FAILED)
    assert job.claim is None
    if job.state == ImportState.FAILED:
        assert job.error.endswith((".", "”"))
        assert not any(words in job.error for words in UNFORESEEN)
    assert job.read == job.imported + job.skipped
    lines = job.skipped_items.exclude(reason="note")
    assert lines.count() == job.skipped
    for line in job.skipped_items.all():
        assert line.source
        assert line.reason
        assert line.detail
    assert list(job.dataset.records.values_list("row", flat=True).order_by("row")) == list(
        range(job.imported)
    )
    if job.imported:
        columns_of(job.dataset, np.arange(job.imported, dtype=np.uint32), lambda *_: None)


@pytest.mark.parametrize("cases", [odd_files.tables, odd_files.archives])
def test_every_odd_file_ends_with_a_reason(cast: Cast, cases: Callable[[], Iterator[odd_files.Odd]]) -> None:
    count, wrong = 0, []
    for name, data in cases():
        count += 1
        try:
            check(imported(cast, name, data))
        except Exception as error:  # noqa: BLE001 - all of them are to be listed
            wrong.append((name, repr(error)))
    assert not wrong, "\n".join(f"{name}: {error}" for name, error in wrong)
    assert count > 100


def test_every_odd_picture_is_stored_or_has_a_reason(cast: Cast) -> None:
    pictures = dict(odd_files.pictures())
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in pictures.items():
            archive.writestr(name, content)

    job = imported(cast, "pictures.zip", data.getvalue())

    check(job)
    records = job.dataset.records.all()
    stored = {record.source.removeprefix("pictures.zip/") for record in records}
    skipped = {line.source.removeprefix("pictures.zip/") for line in job.skipped_items.exclude(reason="note")}
    assert stored | skipped == pictures.keys()
    assert len(stored) > 150
    assert len(skipped) > 80
    for record in records:
        assert record.width
        assert record.height
        try:  # what was stored can be embedded
            open_picture(pictures[record.source.removeprefix("pictures.zip/")])
        except ItemError as error:
            pytest.fail(f"{record.source}: {error}")
