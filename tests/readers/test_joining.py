"""What several tables, or rows far apart, say about one picture."""

from pathlib import Path

import pytest

from embeddings.readers import Choices, ColumnType, DatasetError, Limits, Reason
from tests.readers.builders import Files, file_of, folder_of, names_of, png, read, zip_of

PICTURES: Files = {"1.png": png(1), "2.png": png(2)}


def test_runs_of_captions_may_be_interrupted(tmp_path: Path) -> None:
    table = "file,caption\n" + "".join(
        f"{at}.png,{words}\n"
        for at, words in [(1, "a"), (1, "b"), (2, "c"), (1, "d"), (1, "e"), (2, "f"), (2, "g")]
    )
    rows, skipped = read(zip_of(tmp_path / "x.zip", {"t.csv": table, **PICTURES}))
    assert not skipped
    assert [row.captions for row in rows] == [["a", "b", "d", "e"], ["c", "f", "g"]]


def test_a_bad_line_between_captions_loses_none_of_them(tmp_path: Path) -> None:
    lines = ['{"file": "1.png", "caption": "a"}', "broken", '{"file": "1.png", "caption": "b"}']
    lines += ['{"file": "9.png", "caption": "gone"}', '{"file": "1.png", "caption": "c"}']
    rows, skipped = read(zip_of(tmp_path / "x.zip", {"t.jsonl": "\n".join(lines), **PICTURES}))
    assert [row.captions for row in rows] == [["a", "b", "c"], []]
    assert [item.reason for item in skipped] == [Reason.UNREADABLE, Reason.MISSING]


def test_a_second_table_adds_its_columns_and_all_its_captions(tmp_path: Path) -> None:
    files: Files = {
        "a.csv": "file,title,year\n1.png,one picture,1909\n2.png,two pictures,1910\n",
        "b.csv": "file,caption\n1.png,first\n1.png,second\n2.png,two pictures\n2.png,third\n",
        **PICTURES,
    }
    rows, skipped = read(zip_of(tmp_path / "x.zip", files))
    assert not skipped
    assert [row.captions for row in rows] == [["one picture", "first", "second"], ["two pictures", "third"]]
    assert [row.values for row in rows] == [{"year": 1909}, {"year": 1910}]


def test_labels_of_a_picture_in_a_row_each_become_a_list(tmp_path: Path) -> None:
    lines = [
        f"{at}.png,{label},{sure},{at}-{label}\n"
        for label, sure in [("Cat", 1), ("Dog", 0.5), ("Cat", 1)]
        for at in (1, 2)
    ]
    table = "ImageID,LabelName,Confidence,id\n" + "".join(lines)
    rows, skipped = read(zip_of(tmp_path / "x.zip", {"t.csv": table, **PICTURES}))
    assert [row.values for row in rows] == [{"LabelName": ["Cat", "Dog"], "Confidence": 1}] * 2
    assert [(item.source, item.detail) for item in skipped] == [
        (
            "x.zip/t.csv",
            f"2 records have several rows that differ in the column “{column}”; "
            "what the first row says was kept.",
        )
        for column in ("Confidence", "id")
    ]


def test_one_picture_with_two_rows_makes_no_list_of_the_others(tmp_path: Path) -> None:
    pictures = {f"{at}.png": png(at) for at in range(20)}
    lines = [f"{at}.png,{'Monet' if at % 2 else 'Manet'}\n" for at in range(20)]
    table = "file,artist\n" + "".join([*lines, "3.png,Manet\n"])
    rows, skipped = read(zip_of(tmp_path / "x.zip", {"t.csv": table, **pictures}))
    assert [row.values["artist"] for row in rows] == ["Manet", "Monet"] * 10
    assert ["1 record has several rows" in item.detail for item in skipped] == [True]


def test_tables_that_disagree_are_named(tmp_path: Path) -> None:
    files: Files = {
        "a.csv": "file,caption,year\n1.png,one picture,1909\n2.png,two pictures,1910\n",
        "b.csv": "file,year\n1.png,1909\n2.png,1911\n",
        **PICTURES,
    }
    rows, skipped = read(zip_of(tmp_path / "x.zip", files))
    assert [row.values for row in rows] == [{"year": 1909}, {"year": 1910}]
    assert [item.source for item in skipped] == ["x.zip/b.csv"]


def test_lists_of_a_picture_end_at_the_limit(tmp_path: Path) -> None:
    lines = "".join(f"1.png,label{at}\n" for at in range(5))
    rows, _ = read(
        zip_of(tmp_path / "x.zip", {"t.csv": f"file,label\n{lines}", **PICTURES}), limits=Limits(list_items=3)
    )
    assert rows[0].values == {"label": ["label0", "label1", "label2"]}
    assert rows[0].notes == ("label: of 5 items the first 3 were kept.",)


def test_a_table_and_sidecars_speak_of_the_same_pictures(tmp_path: Path) -> None:
    files: Files = {"t.csv": "file,year\n2.png,1910\n", "1.txt": "one", "2.txt": "two", **PICTURES}
    rows, skipped = read(folder_of(tmp_path / "x", files))
    assert not skipped
    assert {name: (row.captions, row.values) for name, row in zip(names_of(rows), rows, strict=True)} == {
        "1.png": (["one"], {}),
        "2.png": (["two"], {"year": 1910}),
    }


def test_a_bad_vector_in_the_first_row_leaves_the_later_words(tmp_path: Path) -> None:
    good = "[" + ",".join(["0.5"] * 20) + "]"
    table = f'file,v,caption\n1.png,"[1, x]",a\n2.png,"{good}",b\n1.png,"{good}",c\n1.png,"{good}",d\n'
    rows, skipped = read(
        zip_of(tmp_path / "x.zip", {"t.csv": table, **PICTURES}), choices=Choices(vector="v")
    )
    assert {name: row.captions for name, row in zip(names_of(rows), rows, strict=True)} == {
        "2.png": ["b"],
        "1.png": ["c", "d"],
    }
    assert [(item.source, item.reason) for item in skipped] == [("x.zip/t.csv:2", Reason.UNREADABLE)]


def test_tables_without_pictures_are_joined_by_their_ids(tmp_path: Path) -> None:
    captions = file_of(tmp_path / "a.csv", "id,caption\na,one word\nb,two words\n")
    vectors = file_of(
        tmp_path / "b.jsonl", "\n".join(f'{{"id": "{at}", "vector": [1, 2, 3]}}' for at in "bac")
    )
    rows, skipped = read([captions, vectors])
    assert not skipped
    assert [(row.id, row.captions, row.vector is not None) for row in rows] == [
        ("a", ["one word"], True),
        ("b", ["two words"], True),
        ("c", [], True),
    ]


def test_shards_of_one_table_are_not_joined(tmp_path: Path) -> None:
    shards = [file_of(tmp_path / f"{at}.csv", f"id,caption\n{at},one word\nz,more words\n") for at in "ab"]
    rows, skipped = read(shards)
    assert [row.id for row in rows] == ["a", "z", "b"]
    assert [(item.source, item.reason) for item in skipped] == [("b.csv:3", Reason.DUPLICATE_ID)]


def test_class_folders_may_be_left_out_or_retyped(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "x", {"a/1.png": png(1), "b/2.png": png(2)})
    rows, _ = read(folder, choices=Choices(leave_out=frozenset({"class"})))
    assert [row.values for row in rows] == [{}, {}]
    rows, _ = read(folder, choices=Choices(types={"class": ColumnType.TEXT}))
    assert [row.values for row in rows] == [{"class": "a"}, {"class": "b"}]


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tgz"])
def test_what_only_claims_to_be_an_archive_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match=r"x\.\w+ is damaged"):
        read(file_of(tmp_path / name, b"<html>404 Not Found</html>"))
