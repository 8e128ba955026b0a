"""Whatever is thrown at the readers: rows, reasons, or one sentence; never another error or a hang."""

import io
import json
import os
import random
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embeddings.readers import DatasetError, Limits, ReadError, Reason, Row, Skipped, open_dataset
from tests.readers.builders import Files, file_of, folder_of, png, tar_of, workbook, zip_of

TABLE = 'file_name,caption,tags\nimages/1.png,"a red, ripe apple",a;b\nimages/2.png,a pear,c\n'
FILES: Files = {
    "captions.csv": TABLE,
    "images/1.png": png(1),
    "images/2.png": png(2),
    "images/3.png": png(3),
    "images/3.json": json.dumps({"caption": "beside", "n": 1}),
}
quickly = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def survives(path: Path, *more: Path) -> int:
    """Read everything there is; the number of rows."""
    rows = 0
    try:
        with open_dataset([path, *more], limits=Limits(total_bytes=10**8)) as dataset:
            described = dataset.describe()
            for item in dataset:
                assert isinstance(item, Row | Skipped)
                json.dumps([item.source, *described.captions]).encode()
                if isinstance(item, Skipped):
                    assert item.detail.endswith((".", "?"))
                    continue
                rows += 1
                assert item.picture is not None or item.captions or item.vector is not None
                "".join([*item.captions, *item.notes, item.id or "", item.source]).encode()
                if item.picture is not None:
                    with suppress(ReadError):
                        item.picture.read()
    except DatasetError as error:
        sentence = str(error)
        assert sentence, "a refusal says why"
    return rows


def columnar(form: str) -> bytes:
    output = io.BytesIO()
    vectors = list(np.ones((3, 20), np.float32))
    kinds = pa.array(["x", "y", "x"]).dictionary_encode()
    images, tags = [png(1), png(2), None], [["x"], [], None]
    table = pa.table({"image": images, "text": ["a", "b", "c"], "v": vectors, "tags": tags, "kind": kinds})
    if form == "parquet":
        pq.write_table(table, output)
    else:
        options = pa.ipc.IpcWriteOptions(compression="lz4" if form == "feather" else None)
        begin = pa.ipc.new_file if form == "feather" else pa.ipc.new_stream
        with begin(output, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=2)
    return output.getvalue()


def packed(tmp_path: Path, form: str) -> bytes:
    if form in {"parquet", "arrow", "feather"}:
        return columnar(form)
    if form == "xlsx":
        rows: list[list[Any]] = [["text", "year"], *([f"words {at}", at] for at in range(5))]
        with zipfile.ZipFile(io.BytesIO(workbook(Words=rows))) as book:
            # Not compressed: a byte that differs is then in the XML.
            files = {name: book.read(name) for name in book.namelist()}
        return zip_of(tmp_path / "whole.xlsx", files, zipfile.ZIP_STORED).read_bytes()
    if form == "csv":
        return TABLE.encode()
    if form == "jsonl":
        return b"\n".join(json.dumps({"text": f"words {at}", "v": [at] * 20}).encode() for at in range(5))
    pack: Callable[[Path, Files], Path] = zip_of if form == "zip" else tar_of
    return pack(tmp_path / f"whole.{form}", FILES).read_bytes()


def mutated(whole: bytes, chance: random.Random) -> bytes:
    data = bytearray(whole)
    for _ in range(chance.choice([1, 1, 3, 30])):
        at = chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                data[at : at + chance.randrange(1, 9)] = b"\xff" * chance.randrange(9)
            case 2:
                data[at : at + 4] = chance.choice([b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\1\0\0\0"])
            case 3:
                del data[at : at + chance.randrange(1, 40)]
            case 4:
                data[at:at] = data[: chance.randrange(1, 60)]
        if not data:
            return b""
    return bytes(data)


@pytest.mark.parametrize(
    "form", ["zip", "tar", "tar.gz", "parquet", "arrow", "feather", "xlsx", "csv", "jsonl"]
)
def test_damaged_files(tmp_path: Path, form: str) -> None:
    chance = random.Random(form)
    whole = packed(tmp_path, form)
    path = tmp_path / f"x.{form}"
    assert survives(file_of(path, whole)) >= 2
    for _ in range(60):
        survives(file_of(path, mutated(whole, chance)))


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz", "parquet", "arrow", "feather", "xlsx"])
def test_files_cut_anywhere(tmp_path: Path, form: str) -> None:
    whole = packed(tmp_path, form)
    for size in range(0, len(whole), max(1, len(whole) // 30)):
        survives(file_of(tmp_path / f"x.{form}", whole[:size]))


@quickly
@given(
    content=st.binary(max_size=400),
    suffix=st.sampled_from(["csv", "json", "jsonl", "txt", "zip", "xlsx", "tar", "", "gz"]),
)
def test_any_bytes_under_any_name(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    survives(file_of(tmp_path_factory.mktemp("x") / f"x.{suffix}", content))


@quickly
@given(content=st.text(alphabet='ab,;|\t"\n\r[]{}:#\0é1.\\ ', max_size=300), pictures=st.booleans())
def test_any_text_as_a_table(tmp_path_factory: pytest.TempPathFactory, content: str, pictures: bool) -> None:
    folder = tmp_path_factory.mktemp("x")
    files: Files = {"a.png": png(1), "b.png": png(2)} if pictures else {}
    for name in ("t.csv", "t.json", "captions.txt"):
        survives(zip_of(folder / "x.zip", {name: content, **files}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("a.png"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@quickly
@given(value=json_values)
def test_any_json_beside_a_picture_and_as_a_table(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    folder = tmp_path_factory.mktemp("x")
    content = json.dumps(value)
    survives(zip_of(folder / "x.zip", {"a.png": png(1), "a.json": content}))
    survives(zip_of(folder / "y.zip", {"a.png": png(1), "metadata.json": content, "metadata.jsonl": content}))


@quickly
@given(
    names=st.lists(
        st.text(alphabet="ab./\\:é\u0308 \n", min_size=1, max_size=12).map(lambda name: name + ".png"),
        max_size=8,
        unique=True,
    )
)
def test_any_names(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.mktemp("x")
    survives(zip_of(folder / "x.zip", dict.fromkeys(names, png(1))))
    survives(tar_of(folder / "x.tar", dict.fromkeys(names, png(1))))
    assert {path.name for path in folder.iterdir()} == {"x.zip", "x.tar"}


def test_a_table_of_one_endless_line(tmp_path: Path) -> None:
    survives(file_of(tmp_path / "x.csv", b"a," * 600_000))
    survives(file_of(tmp_path / "x.json", b"[" * 3_000_000))
    survives(file_of(tmp_path / "y.json", b'{"a":' * 1_000_000))
    survives(file_of(tmp_path / "x.jsonl", b'"' * 3_000_000))


def test_a_quote_on_every_line(tmp_path: Path) -> None:
    assert survives(file_of(tmp_path / "x.csv", "id,caption\n" + '1,"open words\n' * 5_000)) == 5_000


def test_thousands_of_loose_words_are_no_tables(tmp_path: Path) -> None:
    files: Files = {f"styles/{at}.json": '{"n": 1}' for at in range(2_000)} | {"1a.png": png(1)}
    assert survives(zip_of(tmp_path / "x.zip", files)) == 1


def test_a_folder_with_links_and_loops(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "x", FILES)
    (folder / "loop").symlink_to(folder)
    (folder / "passwd.png").symlink_to("/etc/passwd")
    (folder / "images" / "4.png").symlink_to(folder / "images" / "1.png")
    with open_dataset(folder) as dataset:
        reasons = [item.reason for item in dataset if isinstance(item, Skipped)]
    assert reasons == ["unsafe"] * 3


def test_a_folder_that_cannot_be_opened_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(tmp_path / "x", {"1.png": png(1), "locked/2.png": png(2)})
    scandir = os.scandir

    def guarded(path: Path) -> object:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with open_dataset(folder) as dataset:
        items = list(dataset)
    assert [item for item in items if isinstance(item, Skipped)] == [
        Skipped("x/locked", Reason.CORRUPT, "This folder cannot be opened.")
    ]
    assert len(items) == 2


def test_a_link_is_not_followed_when_it_is_the_upload(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("/etc")
    with pytest.raises(DatasetError, match="link"):
        open_dataset(tmp_path / "x")


def test_a_tar_that_points_back_into_itself(tmp_path: Path) -> None:
    info = tarfile.TarInfo("1.png")
    info.size = 512
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 12  # a size of minus one
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 256)
    survives(file_of(tmp_path / "x.tar", bytes(block) + bytes(2_000)))
    block[124:136] = b"\x80" + b"\xff" * 11
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 256)
    survives(file_of(tmp_path / "x.tar", bytes(block) + bytes(2_000)))


def test_no_upload_at_all() -> None:
    with pytest.raises(DatasetError):
        open_dataset([])
    with pytest.raises(DatasetError):
        open_dataset(Path("absent.zip"))
