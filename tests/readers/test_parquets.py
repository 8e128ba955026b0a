"""Parquet tables: pictures and vectors inside, or names of pictures beside them."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embeddings.readers import (
    ColumnType,
    DatasetError,
    Layout,
    Limits,
    Reason,
    batches,
    open_dataset,
    parquets,
)
from tests.readers.builders import file_of, names_of, png, read, tar_of, zip_of

WORDS = ["a red apple", "a green pear", "a blue plum"]


def parquet_of(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


@pytest.mark.parametrize(
    "images",
    [
        pa.array([png(1), png(2), png(3)]),
        pa.array([png(1), png(2), png(3)], pa.large_binary()),
        pa.array([{"bytes": png(at), "path": f"{at}.png"} for at in (1, 2, 3)]),
        pa.array([{"bytes": png(at), "path": None} for at in (1, 2, 3)]),
    ],
)
def test_it_reads_pictures_inside(tmp_path: Path, images: Any) -> None:
    path = parquet_of(tmp_path / "x.parquet", {"image": images, "text": WORDS, "year": [1, 2, None]})
    rows, skipped = read(path)
    assert not skipped
    assert [row.picture and row.picture.read() for row in rows] == [png(1), png(2), png(3)]
    assert [row.captions for row in rows] == [[words] for words in WORDS]
    assert [row.values for row in rows] == [{"year": 1}, {"year": 2}, {}]
    assert rows[1].source == "x.parquet:2"
    with open_dataset(path) as dataset:
        described = dataset.describe()
    assert (described.layout, described.picture, described.rows) == (Layout.PICTURE_TABLE, "image", 3)
    assert described.pictures == 3


def test_pictures_left_out_are_found_by_their_path(tmp_path: Path) -> None:
    table = parquet_of(
        tmp_path / "x.parquet",
        {"image": [{"bytes": None, "path": "1.png"}, {"bytes": None, "path": "9.png"}]},
    )
    rows, skipped = read([table, zip_of(tmp_path / "x.zip", {"1.png": png(1)})])
    assert names_of(rows) == ["1.png"]
    assert [item.reason for item in skipped] == [Reason.MISSING]


def test_an_empty_picture_leaves_its_words(tmp_path: Path) -> None:
    rows, _ = read(parquet_of(tmp_path / "x.parquet", {"image": [png(1), None], "text": WORDS[:2]}))
    assert rows[1].picture is None
    assert rows[1].captions == [WORDS[1]]


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float32()), pa.list_(pa.float64()), pa.list_(pa.float32(), 32), pa.large_list(pa.float16())],
)
def test_it_reads_vectors(tmp_path: Path, kind: Any) -> None:
    numbers = np.random.default_rng(0).normal(size=(3, 32)).astype(np.float16)
    column = pa.array(list(numbers.astype(np.float32)) if "half" not in str(kind) else list(numbers), kind)
    path = parquet_of(tmp_path / "x.parquet", {"caption": WORDS, "clip": column})
    rows, skipped = read(path)
    assert not skipped
    vectors = np.stack([row.vector for row in rows if row.vector is not None])
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, numbers.astype(np.float32))
    with open_dataset(path) as dataset:
        assert (dataset.describe().vector, dataset.describe().dimensions) == ("clip", 32)


def test_it_reads_vectors_written_as_text(tmp_path: Path) -> None:
    text = "id,embedding\n" + "\n".join(f'{at},"[{at}.5, -1e-3, 0]"' for at in range(3))
    rows, _ = read(file_of(tmp_path / "v.csv", text))
    assert rows[2].vector is not None
    np.testing.assert_allclose(rows[2].vector, [2.5, -1e-3, 0])


def test_a_bad_vector_costs_its_row(tmp_path: Path) -> None:
    good, short, bad = [0.5] * 20, [0.5] * 19, [float("nan")] * 20
    vectors = [good] * 98 + [short, bad]
    rows, skipped = read(
        parquet_of(tmp_path / "x.parquet", {"caption": [f"words {at}" for at in range(100)], "v": vectors})
    )
    assert len(rows) == 98
    assert all(row.vector is not None and row.vector.shape == (20,) for row in rows)
    assert [item.reason for item in skipped] == [Reason.UNREADABLE] * 2


def test_it_keeps_the_types_of_columns(tmp_path: Path) -> None:
    moment = datetime(2020, 5, 17, 12, 30, tzinfo=UTC)
    path = parquet_of(
        tmp_path / "x.parquet",
        {
            "caption": WORDS,
            "whole": pa.array([1, 2, 3], pa.int8()),
            "real": pa.array([0.5, float("nan"), float("inf")]),
            "money": pa.array([Decimal("1.50"), None, Decimal("2.25")]),
            "flag": [True, False, None],
            "day": [date(2020, 5, 17), None, date(1, 1, 1)],
            "naive": pa.array([moment.replace(tzinfo=None)] * 3, pa.timestamp("ns")),
            "zoned": pa.array([moment] * 3, pa.timestamp("ns", "Europe/Berlin")),
            "tags": [["a", "b"], [], None],
            "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
            "box": [[1.5, 2.0], [3.0, 4.0], None],
            "blob": [b"\0\1", b"\2", b"\3"],
            "nothing": pa.array([None] * 3, pa.null()),
        },
    )
    rows, _ = read(path)
    assert rows[0].values == {
        "whole": 1,
        "real": 0.5,
        "money": 1.5,
        "flag": "true",
        "day": datetime(2020, 5, 17, tzinfo=UTC),
        "naive": moment,
        "zoned": moment,
        "tags": ["a", "b"],
        "kind": "x",
        "box": ["1.5", "2"],
    }
    with open_dataset(path) as dataset:
        types = {column.name: column.type for column in dataset.describe().columns}
    assert types["day"] is types["zoned"] is ColumnType.DATE
    assert types["whole"] is types["real"] is types["money"] is ColumnType.NUMBER
    assert types["tags"] is ColumnType.LIST
    assert types["flag"] is ColumnType.CATEGORY
    assert not {"blob", "nothing"} & set(types)


@pytest.mark.parametrize("keep", [0, 4, 50, 0.5, -1])
def test_a_cut_file_is_one_sentence(tmp_path: Path, keep: float) -> None:
    data = parquet_of(tmp_path / "x.parquet", {"caption": WORDS}).read_bytes()
    size = int(len(data) * keep) if 0 < keep < 1 else int(keep)
    with pytest.raises(DatasetError, match=r"y\.parquet"):
        read(file_of(tmp_path / "y.parquet", data[:size]))


def test_a_damaged_row_group_costs_only_its_rows(tmp_path: Path) -> None:
    words = [f"some words {at} " + "x" * 50 for at in range(300)]
    path = parquet_of(
        tmp_path / "x.parquet",
        {"caption": words},
        row_group_size=100,
        compression="gzip",
        use_dictionary=False,
    )
    data = bytearray(path.read_bytes())
    with pq.ParquetFile(path) as file:
        start = file.metadata.row_group(1).column(0).data_page_offset
    data[start + 60 : start + 200] = bytes(140)
    rows, skipped = read(file_of(tmp_path / "y.parquet", bytes(data)))
    assert [row.captions[0] for row in rows] == words[:100] + words[200:]
    assert [item.reason for item in skipped] == [Reason.CORRUPT]
    assert "101 to 200" in skipped[0].detail


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_it_reads_tables_inside_archives(tmp_path: Path, pack: Any) -> None:
    data = parquet_of(tmp_path / "x.parquet", {"image": [png(1), png(2)], "text": WORDS[:2]}).read_bytes()
    for name in ("x.zip", "x.tar", "x.tar.gz"):
        if name.endswith("zip") == (pack is zip_of):
            rows, skipped = read(pack(tmp_path / name, {"data/0.parquet": data, "data/1.parquet": data}))
            assert not skipped
            assert len(rows) == 4
            assert rows[0].source == f"{name}/data/0.parquet:1"


def test_a_picture_over_the_limit_costs_its_row(tmp_path: Path) -> None:
    path = parquet_of(tmp_path / "x.parquet", {"image": [png(1), png(2) + bytes(5_000)]})
    rows, skipped = read(path, limits=Limits(picture_bytes=1_000))
    assert len(rows) == 1
    assert [(item.source, item.reason) for item in skipped] == [("x.parquet:2", Reason.OVER_LIMIT)]


def test_repeated_column_names_are_told_apart(tmp_path: Path) -> None:
    table = pa.Table.from_arrays(
        [pa.array(WORDS), pa.array([1, 2, 3]), pa.array([4, 5, 6])], ["text", "x", "x"]
    )
    pq.write_table(table, tmp_path / "x.parquet")
    rows, _ = read(tmp_path / "x.parquet")
    assert rows[0].values == {"x": 1, "x_2": 4}


def test_class_labels_get_their_names(tmp_path: Path) -> None:
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    table = pa.table({"image": [png(1), png(2), png(3)], "label": [1, 0, -1]})
    told = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(told, tmp_path / "x.parquet")
    rows, _ = read(tmp_path / "x.parquet")
    assert [row.values for row in rows] == [{"label": "dog"}, {"label": "cat"}, {}]
    pq.write_table(table.replace_schema_metadata({"huggingface": "[" * 99_999}), tmp_path / "y.parquet")
    rows, _ = read(tmp_path / "y.parquet")
    assert [row.values["label"] for row in rows] == [1, 0, -1]


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_a_date_that_python_cannot_hold_costs_only_its_cell(tmp_path: Path, unit: str) -> None:
    moments = pa.array([0, 2**58, None] if unit == "us" else [0, 10**15, None], pa.timestamp(unit))
    days = pa.array([0, 2**31 - 1, None], pa.date32())
    rows, skipped = read(
        parquet_of(tmp_path / "x.parquet", {"caption": WORDS, "moment": moments, "day": days})
    )
    assert not skipped
    first = datetime(1970, 1, 1, tzinfo=UTC)
    assert [row.values for row in rows] == [{"moment": first, "day": first}, {}, {}]


def test_columns_over_the_limit_are_reported(tmp_path: Path) -> None:
    columns = {"caption": WORDS, **{f"c{at}": [1, 2, 3] for at in range(9)}}
    rows, skipped = read(parquet_of(tmp_path / "x.parquet", columns), limits=Limits(columns=4))
    assert rows[0].values == {"c0": 1, "c1": 1, "c2": 1}
    assert [item.detail for item in skipped] == ["It has 10 columns; the first 4 were read."]


def test_the_first_of_several_pictures_is_the_records(tmp_path: Path) -> None:
    images = [[{"bytes": png(at), "path": None}, {"bytes": png(9), "path": None}] for at in range(3)]
    path = parquet_of(tmp_path / "t.parquet", {"images": images, "text": ["some words"] * 3})
    rows, skipped = read(path)
    assert not skipped
    assert [row.picture and row.picture.read() for row in rows] == [png(at) for at in range(3)]
    assert rows[0].notes == ("Of its 2 pictures the first was kept.",)
    assert not rows[0].values


def test_a_batch_holds_few_rows_where_they_are_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    monkeypatch.setattr(batches, "_BATCH_BYTES", 10_000)
    texts = [f"{at} " + 3_000 * "a" for at in range(10)]
    read(parquet_of(tmp_path / "t.parquet", {"text": texts}, compression="zstd"))
    assert max(sizes) <= 3


@pytest.mark.parametrize(
    "shared",
    [
        pa.array([9_000 * "a"] * 20),
        pa.array([{"inner": 9_000 * "a"}] * 20),
        pa.array([[4_500 * "a"] * 2] * 20),
        pa.array([[4_500 * "a"] * 2] * 20, pa.list_(pa.string(), 2)),
        pa.array([[("a", 8_999 * "a")]] * 20, pa.map_(pa.string(), pa.string())),
    ],
)
def test_a_long_value_that_rows_share_is_not_taken_for_many_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int], shared: Any
) -> None:
    monkeypatch.setattr(batches, "_BATCH_BYTES", 20_000)
    captions = [f"words {at}" for at in range(20)]
    rows, skipped = read(parquet_of(tmp_path / "t.parquet", {"caption": captions, "shared": shared}))
    assert not skipped
    assert [row.captions for row in rows] == [[caption] for caption in captions]
    assert max(sizes) == 2


def test_a_row_that_repeats_a_long_value_too_often_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_OF_A_ROW", 2**20)
    shared = [["a"]] * 3 + [["a" * 2_000] * 1_000] * 3
    path = parquet_of(tmp_path / "t.parquet", {"caption": 2 * WORDS, "shared": shared}, row_group_size=3)
    rows, [skipped] = read(path)
    assert [row.captions for row in rows] == [[words] for words in WORDS]
    assert skipped.reason == Reason.CORRUPT
    assert skipped.detail == "Rows 4 to 6 cannot be read: one of them may hold 1 MiB."


@pytest.mark.parametrize("long", [[0.5] * 9_000, "a" * 40_000])
def test_a_row_that_expands_too_far_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: Any
) -> None:
    monkeypatch.setattr(parquets, "MOST_OF_A_ROW", 20_000)
    path = parquet_of(tmp_path / "t.parquet", {"caption": WORDS, "n": [long] * 3}, compression="zstd")
    with pytest.raises(DatasetError, match=r"t\.parquet: It expands more than 20 times"):
        read(path, limits=Limits(ratio=20))


def test_the_names_of_tables_tell_the_split(tmp_path: Path) -> None:
    data = parquet_of(tmp_path / "x.parquet", {"image": [png(1)], "text": WORDS[:1]}).read_bytes()
    names = ("train-00000-of-00002-a1b2c3", "train-00001-of-00002-d4e5f6", "validation-00000-of-00001")
    rows, skipped = read(zip_of(tmp_path / "x.zip", {f"data/{name}.parquet": data for name in names}))
    assert not skipped
    assert [row.values for row in rows] == [{"split": "train"}, {"split": "train"}, {"split": "validation"}]


@pytest.mark.parametrize("names", [("train", "training_notes"), ("train", "train_2"), ("test",), ("a", "b")])
def test_other_names_of_tables_tell_no_split(tmp_path: Path, names: tuple[str, ...]) -> None:
    data = parquet_of(tmp_path / "x.parquet", {"text": WORDS, "n": [1, 2, 3]}).read_bytes()
    rows, _ = read(zip_of(tmp_path / "x.zip", {f"{name}.parquet": data for name in names}))
    assert all(row.values.keys() == {"n"} for row in rows)


def test_a_tables_own_split_is_kept(tmp_path: Path) -> None:
    data = parquet_of(tmp_path / "x.parquet", {"text": WORDS, "split": ["a", "b", "a"]}).read_bytes()
    rows, _ = read(zip_of(tmp_path / "x.zip", {"train.parquet": data, "test.parquet": data}))
    assert [row.values["split"] for row in rows] == ["a", "b", "a"] * 2
