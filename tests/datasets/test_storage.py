"""Pictures on the disk: whole or not there, and nothing left of writers that were killed."""

import os
import time
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from atlas.datasets.storage import ContentStorage


@pytest.fixture
def storage(tmp_path: Path) -> ContentStorage:
    return ContentStorage(location=tmp_path)


def test_a_file_lies_at_its_name_and_nothing_beside_it(storage: ContentStorage) -> None:
    for content in (b"one", b"one"):
        assert storage.save("ab/cd/name", ContentFile(content)) == "ab/cd/name"
    files = [path for path in Path(storage.location).rglob("*") if path.is_file()]
    assert [path.relative_to(storage.location).as_posix() for path in files] == ["ab/cd/name"]
    assert files[0].read_bytes() == b"one"


def test_what_cannot_be_written_leaves_nothing(storage: ContentStorage) -> None:
    storage.save("ab", ContentFile(b"a file, not a folder"))
    with pytest.raises(OSError, match="ab"):
        storage.save("ab/cd", ContentFile(b"two"))
    assert list(storage.unfinished.iterdir()) == []


def test_what_a_killed_writer_left_goes_after_an_hour(storage: ContentStorage) -> None:
    storage.remove_unfinished()  # before anything was stored
    storage.unfinished.mkdir()
    old, young = storage.unfinished / "old", storage.unfinished / "young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 4000,) * 2)
    storage.remove_unfinished()
    assert list(storage.unfinished.iterdir()) == [young]
