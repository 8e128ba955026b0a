"""Arrow files and streams, Feather, and what Hugging Face's `save_to_disk` writes."""

import io
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather

from embeddings.readers import DatasetError, Layout, Reason, arrows, batches, open_dataset
from tests.readers.builders import Files, file_of, png, read, tar_of, zip_of

WORDS = ["a red apple", "a green pear", "a blue plum"]
LABELS = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
FEATURES = {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}} | LABELS
STATE: dict[str, Any] = {
    "_data_files": [{"filename": "data-00000-of-00002.arrow"}, {"filename": "data-00001-of-00002.arrow"}],
    "_fingerprint": "a1b2", "_format_columns": None, "_format_kwargs": {}, "_format_type": None,
    "_output_all_columns": False, "_split": "train",
}  # fmt: skip
INFO = {"builder_name": "fruit", "citation": "", "description": "Pictures of fruit", "features": FEATURES,
        "homepage": "", "license": "", "splits": {"train": {"name": "train", "num_examples": 4}}}  # fmt: skip


def arrow(columns: dict[str, Any], rows: int = 512, form: str = "stream", **options: Any) -> bytes:
    """A table as Arrow, in batches of so many rows."""
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    written = io.BytesIO()
    begin = pa.ipc.new_stream if form == "stream" else pa.ipc.new_file
    with begin(written, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return written.getvalue()


def saved(numbers: Sequence[int]) -> bytes:
    """A shard of a saved dataset."""
    table = pa.table(
        {
            "image": [{"bytes": png(at), "path": f"{at}.png"} for at in numbers],
            "text": [f"fruit number {at}" for at in numbers],
            "label": [at % 3 - 1 for at in numbers],
        }
    )
    return arrow(table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})}))


def folder(path: str, *shards: Sequence[int]) -> Files:
    files = {f"{path}/data-{at:05}-of-00002.arrow": saved(numbers) for at, numbers in enumerate(shards)}
    return {**files, f"{path}/dataset_info.json": json.dumps(INFO), f"{path}/state.json": json.dumps(STATE)}


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_a_saved_dataset_is_read_with_its_pictures_captions_and_names_of_classes(
    tmp_path: Path, name: str
) -> None:
    pack = zip_of if name.endswith("zip") else tar_of
    path = pack(tmp_path / name, folder("fruit", (1, 2), (3, 4)))
    rows, skipped = read(path)
    assert [row.picture and row.picture.read() for row in rows] == [png(at) for at in (1, 2, 3, 4)]
    assert [row.captions for row in rows] == [[f"fruit number {at}"] for at in (1, 2, 3, 4)]
    assert [row.values for row in rows] == [{"label": "cat"}, {"label": "dog"}, {}, {"label": "cat"}]
    assert rows[3].source == f"{name}/fruit/data-00001-of-00002.arrow:2"
    assert [(item.source.rpartition("/")[2], item.detail) for item in skipped] == [
        (about, "It is a text about the upload, not a part of it.")
        for about in ("dataset_info.json", "state.json")
    ]
    with open_dataset(path) as dataset:
        described = dataset.describe()
    assert (described.layout, described.rows, described.pictures) == (Layout.PICTURE_TABLE, 4, 4)


def test_what_is_said_about_a_saved_dataset_of_several_splits_makes_no_row(tmp_path: Path) -> None:
    files = {**folder("fruit/train", (1, 2)), **folder("fruit/test", (3,))}
    files["fruit/dataset_dict.json"] = json.dumps({"splits": ["train", "test"]})
    rows, skipped = read(zip_of(tmp_path / "x.zip", files))
    assert [row.captions for row in rows] == [[f"fruit number {at}"] for at in (1, 2, 3)]
    assert [row.values["split"] for row in rows] == ["train", "train", "test"]
    assert len(skipped) == 5
    assert {item.reason for item in skipped} == {Reason.UNSUPPORTED}


def test_records_in_a_file_of_the_same_name_are_read(tmp_path: Path) -> None:
    rows, skipped = read(
        zip_of(tmp_path / "x.zip", {"state.json": json.dumps([{"caption": "Ohio, a state"}])})
    )
    assert not skipped
    assert [row.captions for row in rows] == [["Ohio, a state"]]


@pytest.mark.parametrize("form", ["stream", "file"])
@pytest.mark.parametrize("packed", [None, "lz4", "zstd"])
@pytest.mark.parametrize("name", ["t.arrow", "t.feather", "t.ipc"])
def test_every_form_of_arrow_is_read(tmp_path: Path, form: str, packed: str | None, name: str) -> None:
    vectors = np.random.default_rng(0).normal(size=(3, 32)).astype(np.float32)
    columns = {
        "caption": WORDS,
        "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
        "year": [1909, None, 1911],
        "clip": list(vectors),
    }
    rows, skipped = read(file_of(tmp_path / name, arrow(columns, rows=2, form=form, compression=packed)))
    assert not skipped
    assert [row.captions for row in rows] == [[words] for words in WORDS]
    assert [row.values for row in rows] == [
        {"kind": "x", "year": 1909},
        {"kind": "y"},
        {"kind": "x", "year": 1911},
    ]
    np.testing.assert_array_equal(np.stack([row.vector for row in rows if row.vector is not None]), vectors)
    assert rows[2].source == f"{name}:3"


def test_feather_is_read_and_its_first_version_says_what_to_become(tmp_path: Path) -> None:
    table = pa.table({"caption": WORDS})
    feather.write_feather(table, tmp_path / "t.feather")
    rows, skipped = read(tmp_path / "t.feather")
    assert not skipped
    assert [row.captions for row in rows] == [[words] for words in WORDS]
    with pytest.raises(
        DatasetError, match=r"t\.feather: .*first version of Feather; save its table as Parquet"
    ):
        read(file_of(tmp_path / "t.feather", b"FEA1" + bytes(200) + b"FEA1"))


def test_lists_of_class_numbers_get_their_names(tmp_path: Path) -> None:
    features = {
        "labels": {"feature": LABELS["label"], "length": -1, "_type": "Sequence"},
        "others": {"feature": LABELS["label"], "_type": "List"},
    }
    table = pa.table({"caption": WORDS, "labels": [[0, 1], [1], []], "others": [[1], [7], None]})
    told = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    rows, _ = read(file_of(tmp_path / "t.arrow", arrow(told)))
    assert [row.values for row in rows] == [
        {"labels": ["cat", "dog"], "others": ["dog"]}, {"labels": ["dog"]}, {},
    ]  # fmt: skip


def test_a_batch_is_taken_apart_where_its_rows_are_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    monkeypatch.setattr(batches, "_BATCH_BYTES", 10_000)
    texts = [f"{at} " + 3_000 * "a" for at in range(10)]
    rows, _ = read(file_of(tmp_path / "t.arrow", arrow({"text": texts})))
    assert [row.captions for row in rows] == [[text] for text in texts]
    assert max(sizes) <= 3


@pytest.mark.parametrize(
    "shared",
    [
        pa.array([9_000 * "a", "b"] * 10).dictionary_encode(),
        pa.RunEndEncodedArray.from_arrays([19, 20], [9_000 * "a", "b"]),
        pa.array([9_000 * "a", "b"] * 10, pa.string_view()),
        pa.StructArray.from_arrays([pa.array([9_000 * "a", "b"] * 10).dictionary_encode()], ["inner"]),
    ],
)
def test_a_long_value_that_rows_share_is_not_taken_for_many_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int], shared: Any
) -> None:
    monkeypatch.setattr(batches, "_BATCH_BYTES", 20_000)
    captions = [f"words {at}" for at in range(20)]
    rows, _ = read(file_of(tmp_path / "t.arrow", arrow({"caption": captions, "shared": shared})))
    assert [row.captions for row in rows] == [[caption] for caption in captions]
    assert max(sizes) <= 2


@pytest.mark.parametrize("form", ["stream", "file"])
def test_a_cut_file_keeps_the_rows_before_the_cut(tmp_path: Path, form: str) -> None:
    whole = arrow({"caption": [f"words {at} {'x' * 500}" for at in range(30)]}, rows=10, form=form)
    rows, [skipped] = read(file_of(tmp_path / "t.arrow", whole[: len(whole) // 2]))
    assert len(rows) == 10
    assert (skipped.source, skipped.reason) == ("t.arrow", Reason.CORRUPT)
    assert "damaged after row 10" in skipped.detail


@pytest.mark.parametrize(
    "content", [b"", b"ARROW1\0\0", b"\xff\xff\xff\xff", bytes(100), b"caption\na pear\n"]
)
def test_what_is_no_arrow_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DatasetError, match=r"t\.arrow: .*not a whole Arrow file"):
        read(file_of(tmp_path / "t.arrow", content))


def test_offsets_that_lead_out_of_the_file_cost_their_batch(tmp_path: Path) -> None:
    whole = bytearray(arrow({"caption": [f"words {at:04}" for at in range(300)]}, rows=100))
    lengths = struct.pack("<5i", *range(0, 50, 10))  # offsets of texts of ten letters, at each batch's start
    second = whole.index(lengths, whole.index(lengths) + 1)
    struct.pack_into("<i", whole, second + 40, 2**30)
    rows, [skipped] = read(file_of(tmp_path / "t.arrow", bytes(whole)))
    assert len(rows) == 200
    assert (skipped.source, skipped.reason) == ("t.arrow", Reason.CORRUPT)
    assert "Rows 101 to 200 cannot be read" in skipped.detail


@pytest.mark.parametrize("form", ["stream", "file"])
@pytest.mark.parametrize("version", [pa.ipc.MetadataVersion.V4, pa.ipc.MetadataVersion.V5])
def test_a_batch_that_expands_too_far_is_refused(tmp_path: Path, form: str, version: Any) -> None:
    columns = {"caption": ["some words", "a" * 20 * 2**20]}
    data = arrow(columns, form=form, compression="zstd", metadata_version=version)
    with pytest.raises(DatasetError, match=r"t\.arrow: It expands more than 200 times"):
        read(file_of(tmp_path / "t.arrow", data))


def test_a_batch_that_says_so_in_a_remark_is_refused_too(tmp_path: Path) -> None:
    batch = pa.record_batch({"caption": WORDS, "n": pa.array([2**40] * 3)})
    written = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(metadata_version=pa.ipc.MetadataVersion.V4)
    with pa.ipc.new_stream(written, batch.schema, options=options) as writer:
        writer.write_batch(batch, custom_metadata={"ARROW:experimental_compression": "zstd"})
    with pytest.raises(DatasetError, match=r"t\.arrow: It expands more than 200 times"):
        read(file_of(tmp_path / "t.arrow", written.getvalue()))


def test_a_dictionary_that_expands_too_far_is_refused(tmp_path: Path) -> None:
    kind = pa.array(["a" * 20 * 2**20, "b"]).dictionary_encode()
    data = arrow({"caption": WORDS[:2], "kind": kind}, compression="zstd")
    with pytest.raises(DatasetError, match=r"t\.arrow: It expands more than 200 times"):
        read(file_of(tmp_path / "t.arrow", data))


NOTHING = pa.NullArray.from_buffers(pa.null(), 2**31 - 1, [None])


@pytest.mark.parametrize(
    "nothing", [NOTHING, pa.LargeListArray.from_arrays(pa.array([0, 2**31 - 1], pa.int64()), NOTHING)]
)
def test_what_takes_no_room_in_the_file_is_no_way_to_fill_the_memory(tmp_path: Path, nothing: Any) -> None:
    with pytest.raises(DatasetError, match=r"t\.arrow: It expands more than 200 times"):
        read(file_of(tmp_path / "t.arrow", arrow({"caption": nothing}, rows=2**31 - 1)))


def test_a_packed_batch_that_would_fill_the_memory_is_told_what_to_become(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path / "t.arrow", arrow({"caption": ["a" * 3 * 2**20]}, compression="lz4"))
    assert len(read(path)[0]) == 1
    monkeypatch.setattr(arrows, "_MOST_UNPACKED", 2 * 2**20)
    with pytest.raises(DatasetError, match=r"t\.arrow: .* more than 2 MiB; save its table as Parquet"):
        read(path)
    assert len(read(file_of(path, arrow({"caption": ["a" * 3 * 2**20]})))[0]) == 1
