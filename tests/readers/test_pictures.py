"""Pictures are read when they are asked for, from any thread."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from embeddings.readers import ReadError, Reason, Row, open_dataset
from tests.readers.builders import Files, folder_of, png, tar_of, zip_of

FILES: Files = {f"{at:02}.png": png(at) + bytes(range(256)) * 500 for at in range(40)}


@pytest.mark.parametrize(
    ("name", "pack"), [("x.zip", zip_of), ("x.tar", tar_of), ("x.tar.gz", tar_of), ("x", folder_of)]
)
def test_many_threads_may_read_at_once(tmp_path: Path, name: str, pack: Any) -> None:
    with open_dataset(pack(tmp_path / name, FILES)) as dataset, ThreadPoolExecutor(8) as pool:
        pictures = [item.picture for item in dataset if isinstance(item, Row) and item.picture is not None]
        read = list(pool.map(lambda picture: picture.read(), pictures[::-1]))
    assert read == list(FILES.values())[::-1]


def test_a_file_that_went_away_is_corrupt(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "x", FILES)
    with open_dataset(folder) as dataset:
        row = next(item for item in dataset if isinstance(item, Row))
        (folder / "00.png").unlink()
        assert row.picture is not None
        with pytest.raises(ReadError) as error:
            row.picture.read()
    assert error.value.reason is Reason.CORRUPT
