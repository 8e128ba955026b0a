"""Every form that people upload becomes the same rows."""

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from embeddings.readers import ColumnType, DatasetError, Form, Layout, Reason, open_dataset, sidecars
from tests.readers.builders import Files, file_of, folder_of, names_of, png, read, tar_of, zip_of

CAPTIONS = {"1.png": "a red apple", "2.png": "a green pear"}
PICTURES = {"1.png": png(1), "2.png": png(2)}
TABLE = "file_name,caption\nimages/1.png,a red apple\nimages/2.png,a green pear\n"
PACKED: dict[str, bytes | str] = {
    "captions.csv": TABLE,
    **{f"images/{name}": data for name, data in PICTURES.items()},
}


@pytest.mark.parametrize("packed", ["x.zip", "x.tar", "x.tar.gz", "x"])
@pytest.mark.parametrize("table_first", [True, False])
def test_it_reads_pictures_beside_a_table_however_they_are_packed(
    tmp_path: Path, packed: str, table_first: bool
) -> None:
    files = dict(PACKED if table_first else reversed(PACKED.items()))
    pack: Callable[[Path, Files], Path] = {"zip": zip_of, "tar": tar_of, "gz": tar_of, "": folder_of}[
        packed.partition(".")[2].rpartition(".")[2]
    ]
    path = pack(tmp_path / packed, files)
    rows, skipped = read(path)
    assert not skipped
    assert [(name, row.captions[0]) for name, row in zip(names_of(rows), rows, strict=True)] == list(
        CAPTIONS.items()
    )
    assert rows[0].source == f"{packed}/captions.csv:2"
    assert rows[1].picture is not None
    assert rows[1].picture.read() == png(2)
    assert rows[1].picture.name == f"{packed}/images/2.png"


def test_it_reads_an_imagefolder_with_splits(tmp_path: Path) -> None:
    def lines(*names: str) -> str:
        rows = ({"file_name": name, "text": f"about {name}", "year": 1909} for name in names)
        return "\n".join(map(json.dumps, rows))

    path = zip_of(
        tmp_path / "set.zip",
        {
            "set/train/metadata.jsonl": lines("1.png", "sub/2.png"),
            "set/train/1.png": png(1),
            "set/train/sub/2.png": png(2),
            "set/test/metadata.jsonl": lines("1.png"),
            "set/test/1.png": png(3),
        },
    )
    rows, skipped = read(path)
    assert not skipped
    assert [row.captions for row in rows] == [["about 1.png"], ["about sub/2.png"], ["about 1.png"]]
    assert rows[2].picture is not None
    assert rows[2].picture.read() == png(3)
    assert [row.values for row in rows] == [
        {"year": 1909, "split": split} for split in ("train", "train", "test")
    ]
    with open_dataset(path) as dataset:
        assert dataset.describe().layout is Layout.IMAGE_FOLDER


def test_it_reads_class_folders_into_a_category(tmp_path: Path) -> None:
    path = zip_of(
        tmp_path / "animals.zip",
        {f"animals/{kind}/{at}.png": png(at) for kind in ("cat", "dog") for at in (1, 2)},
    )
    rows, _ = read(path)
    assert [row.values for row in rows] == [{"class": "cat"}] * 2 + [{"class": "dog"}] * 2
    assert all(row.captions == [] and row.id is None for row in rows)
    with open_dataset(path) as dataset:
        described = dataset.describe()
    assert described.layout is Layout.CLASS_FOLDERS
    assert [(column.name, column.type) for column in described.columns] == [("class", ColumnType.CATEGORY)]


@pytest.mark.parametrize("words", [{"cat/1.txt": "a cat"}, {"t.csv": "file,caption\ncat/1.png,a cat\n"}])
def test_words_beside_a_picture_hide_no_class_folders(tmp_path: Path, words: Files) -> None:
    files: Files = {f"{kind}/{at}.png": png(at) for kind in ("cat", "dog") for at in (1, 2)}
    rows, skipped = read(zip_of(tmp_path / "x.zip", {**files, **words}))
    assert not skipped
    assert [row.captions for row in rows] == [["a cat"], [], [], []]
    assert [row.values for row in rows] == [{"class": "cat"}] * 2 + [{"class": "dog"}] * 2


def test_a_tables_own_class_is_kept(tmp_path: Path) -> None:
    table = "file,caption,class\na/1.png,some words,cat\nb/2.png,more words,\n"
    rows, _ = read(zip_of(tmp_path / "x.zip", {"t.csv": table, "a/1.png": png(1), "b/2.png": png(2)}))
    assert [row.values for row in rows] == [{"class": "cat"}, {}]


def test_it_tells_splits_from_classes(tmp_path: Path) -> None:
    names = [f"{split}/{kind}/1.png" for split in ("train", "test") for kind in ("cat", "dog")]
    rows, _ = read(folder_of(tmp_path / "set", dict.fromkeys(names, png())))
    assert {(row.values["split"], row.values["class"]) for row in rows} == {
        ("train", "cat"), ("train", "dog"), ("test", "cat"), ("test", "dog"),
    }  # fmt: skip


def test_it_makes_no_class_of_a_single_folder(tmp_path: Path) -> None:
    rows, _ = read(zip_of(tmp_path / "x.zip", {"images/1.png": png(), "images/2.png": png()}))
    assert [row.values for row in rows] == [{}, {}]


@pytest.mark.parametrize("packed", ["shard.tar", "shard.tar.gz", "shard.zip"])
def test_it_reads_webdataset_shards(tmp_path: Path, packed: str) -> None:
    files: Files = {
        "000.png": png(1),
        "000.txt": "an apple\nred fruit",
        "000.json": json.dumps({"caption": "an apple", "year": 1909, "tags": ["a", "b"]}),
        "001.png": png(2),
        "001.txt": "a pear",
        "001.json": json.dumps({"caption": "a pear", "year": 1910, "tags": []}),
    }
    path = (zip_of if packed.endswith("zip") else tar_of)(tmp_path / packed, files)
    rows, skipped = read([path])
    assert not skipped
    assert [row.captions for row in rows] == [["an apple", "red fruit"], ["a pear"]]
    assert rows[0].values == {"year": 1909, "tags": ["a", "b"]}
    assert rows[1].values == {"year": 1910}
    with open_dataset(path) as dataset:
        assert dataset.describe().layout is Layout.WEBDATASET


def test_sidecars_of_another_kind_may_begin_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sidecars, "SAMPLE", 3)
    files: Files = {f"{at:03}.png": png(at) for at in range(8)}
    files = {**files, **{f"{at:03}.json": '{"n": 1}' for at in range(8)}}
    files = {**files, **{f"{at:03}.txt": f"words {at}" for at in range(6, 8)}}
    rows, skipped = read(zip_of(tmp_path / "x.zip", files))
    assert not skipped
    assert [row.captions for row in rows[5:]] == [[], ["words 6"], ["words 7"]]


def test_shards_may_repeat_each_others_names(tmp_path: Path) -> None:
    shards = [
        tar_of(tmp_path / f"{at}.tar", {"000.png": png(at), "000.txt": f"picture {at}"}) for at in range(3)
    ]
    rows, skipped = read(shards)
    assert not skipped
    assert [row.captions for row in rows] == [["picture 0"], ["picture 1"], ["picture 2"]]
    assert [row.source for row in rows] == ["0.tar/000.png", "1.tar/000.png", "2.tar/000.png"]
    assert rows[2].picture is not None


def test_it_finds_words_in_a_folder_of_their_own(tmp_path: Path) -> None:
    path = zip_of(
        tmp_path / "x.zip",
        {"images/1.png": png(1), "images/2.png": png(2), "captions/1.txt": "one", "captions/2.txt": "two"},
    )
    rows, skipped = read(path)
    assert not skipped
    assert [row.captions for row in rows] == [["one"], ["two"]]


def test_labels_of_classes_and_boxes_are_no_captions(tmp_path: Path) -> None:
    files: Files = {f"images/{at}.png": png(at) for at in range(3)}
    labels = ["3 0.5 0.5 0.2 0.3\n11 0.1 0.1 5e-2 0.1 0.9 0.9\n3 0.7 0.7 0.2 0.3\n", "0 .5 .5 .2 .3\n", ""]
    files = {**files, **{f"labels/{at}.txt": text for at, text in enumerate(labels)}}
    rows, skipped = read(zip_of(tmp_path / "yolo.zip", files))
    assert [(row.captions, row.values) for row in rows] == [
        ([], {"classes": ["3", "11"]}), ([], {"classes": ["0"]}), ([], {}),
    ]  # fmt: skip
    assert [(item.source, item.reason) for item in skipped] == [("yolo.zip/", Reason.NOTE)]
    assert skipped[0].detail.endswith(
        "No data.yaml, obj.names or classes.txt says what the class 3 is called."
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data.yaml", "train: ../train\nnc: 2\nnames: ['no', \"apple\"]\n"),
        ("yolo/coco8.yaml", "names:\n  0: no\n  1: apple\n"),
        ("yolo/dataset.yml", "names:\n- no\n- apple\n"),
        ("obj.names", "no\r\napple\r\n"),
        ("yolo/labels/classes.txt", "no\napple\n"),
        ("yolo/train/_darknet.labels", "no\napple"),
    ],
)
def test_numbers_of_classes_become_names_where_a_file_tells_them(
    tmp_path: Path, name: str, text: str
) -> None:
    files: Files = {f"yolo/images/{at}.png": png(at) for at in range(3)}
    labels = ["1 .5 .5 .2 .3\n0 .5 .5 .2 .3\n", "0 .5 .5 .2 .3\n", "7 .5 .5 .2 .3\n"]
    files = {**files, **{f"yolo/labels/{at}.txt": text for at, text in enumerate(labels)}, name: text}
    rows, skipped = read(zip_of(tmp_path / "yolo.zip", files))
    assert [row.values for row in rows] == [
        {"classes": ["apple", "no"]}, {"classes": ["no"]}, {"classes": ["7"]},
    ]  # fmt: skip
    assert [(item.source, item.reason) for item in skipped] == [("yolo.zip/", Reason.NOTE)]


def test_each_of_two_datasets_has_its_own_names_of_classes(tmp_path: Path) -> None:
    files: Files = {}
    for folder in ("a", "b"):
        files = {
            **files,
            f"{folder}/images/1.png": png(ord(folder)),
            f"{folder}/labels/1.txt": "0 .5 .5 .2 .3\n",
            f"{folder}/data.yaml": f"names: [the {folder}]\n",
        }
    rows, _ = read(zip_of(tmp_path / "x.zip", files))
    assert [row.values["classes"] for row in rows] == [["the a"], ["the b"]]


@pytest.mark.parametrize("text", ["names: &a [*a]", "[" * 10_000, "names: 7", "- x", "\0", "names: {x: y}"])
def test_names_of_classes_that_cannot_be_read_leave_the_numbers(tmp_path: Path, text: str) -> None:
    files: Files = {"1.png": png(1), "1.txt": "0 .5 .5 .2 .3\n", "data.yaml": text}
    rows, _ = read(zip_of(tmp_path / "x.zip", files))
    assert [row.values for row in rows] == [{"classes": ["0"]}]


def test_a_list_of_classes_without_labels_is_reported(tmp_path: Path) -> None:
    rows, skipped = read(zip_of(tmp_path / "x.zip", {"1.png": png(1), "data.yaml": "names: [a]"}))
    assert len(rows) == 1
    assert [(item.source, item.reason) for item in skipped] == [("x.zip/data.yaml", Reason.UNSUPPORTED)]


_KITTI = "0.00 0 -1.57 599.41 156.40 629.75 189.25 2.85 2.63 12.34 0.47 1.49 69.44 -1.56"
_VOC = "<annotation><folder>x</folder>{}</annotation>"
_OBJECT = "<object><name>{}</name><part><name>head</name></part><bndbox><xmin>1</xmin></bndbox></object>"


@pytest.mark.parametrize(
    ("folders", "suffix", "text"),
    [
        (("image_2", "label_2"), "txt", f"Car {_KITTI}\nTram {_KITTI}\nDontCare {_KITTI}\nCar {_KITTI}\n"),
        (
            ("images", "labelTxt"),
            "txt",
            "imagesource:GoogleEarth\ngsd:0.146\n"
            "2753 2408 2861 2385 2888 2468 2805 2502 Car 0\n1 2 3 4 5 6 7 8.5 Tram 1\n",
        ),
        (("JPEGImages", "Annotations"), "xml", _VOC.format(_OBJECT.format("Car") + _OBJECT.format("Tram"))),
        (
            ("images", "annotations"),
            "json",
            '{"shapes": [{"label": "Car"}, {"label": "Tram"}, {"label": "Car"}, 7, {"label": null}],'
            f' "imagePath": "1.png", "imageData": "{"A" * 20_000}"}}',
        ),
    ],
)
def test_it_reads_the_classes_of_other_label_files(
    tmp_path: Path, folders: tuple[str, str], suffix: str, text: str
) -> None:
    pictures, labels = folders
    files: Files = {f"{split}/{pictures}/1.png": png(at) for at, split in enumerate(("train", "test"))}
    rows, skipped = read(zip_of(tmp_path / "x.zip", {**files, f"train/{labels}/1.{suffix}": text}))
    assert [(row.captions, row.values) for row in rows] == [
        ([], {"classes": ["Car", "Tram"], "split": "train"}), ([], {"split": "test"}),
    ]  # fmt: skip
    assert [(item.source, item.reason) for item in skipped] == [("x.zip/", Reason.NOTE)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<alto><Page/></alto>", "It is XML of another kind than Pascal VOC's."),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "It is XML that defines entities."),
        ("<annotation>", "It is not XML: no element found"),
    ],
)
def test_other_xml_beside_a_picture_is_a_remark(tmp_path: Path, text: str, said: str) -> None:
    [row], _ = read(zip_of(tmp_path / "x.zip", {"1.png": png(1), "1.xml": text}))
    assert said in row.notes[0]


def test_xml_that_goes_with_no_picture_is_told_what_to_become(tmp_path: Path) -> None:
    rows, skipped = read(zip_of(tmp_path / "x.zip", {"1.png": png(1), "lido.xml": "<lido/>"}))
    assert len(rows) == 1
    assert [(item.source, item.reason) for item in skipped] == [("x.zip/lido.xml", Reason.UNSUPPORTED)]
    assert skipped[0].detail.endswith("save its records as CSV or JSON.")


def test_labels_of_pictures_with_the_same_name_in_two_splits_are_told_apart(tmp_path: Path) -> None:
    files: Files = {}
    for at, split in enumerate(("train", "val")):
        files = {**files, f"images/{split}/1.png": png(at), f"labels/{split}/1.txt": f"{at} .5 .5 .2 .3\n"}
    rows, _ = read(zip_of(tmp_path / "x.zip", files))
    assert [row.values for row in rows] == [
        {"classes": ["0"], "split": "train"}, {"classes": ["1"], "split": "val"},
    ]  # fmt: skip


def test_lines_of_numbers_are_no_captions(tmp_path: Path) -> None:
    files: Files = {f"{at}.png": png(at) for at in range(3)}
    files = {**files, **{f"{at}.txt": f"{at}.5 12\n0.1" for at in range(3)}}
    rows, _ = read(zip_of(tmp_path / "x.zip", files))
    assert [row.captions for row in rows] == [[]] * 3


def test_it_reads_kaggles_captions_txt_with_several_captions_a_picture(tmp_path: Path) -> None:
    table = 'image,caption\n1.png,one .\n1.png,"first, he said"\n2.png,two .\n2.png,two .\n'
    rows, skipped = read(
        zip_of(
            tmp_path / "flickr.zip", {"Images/1.png": png(1), "Images/2.png": png(2), "captions.txt": table}
        )
    )
    assert not skipped
    assert [row.captions for row in rows] == [["one .", "first, he said"], ["two .", "two ."]]


def test_it_reads_the_older_flickr_form_without_header(tmp_path: Path) -> None:
    table = '1.png#0\tA dog , running\n1.png#1\tA "dog\n2.png#0\tA cat\n'
    rows, skipped = read(
        zip_of(tmp_path / "x.zip", {"d/1.png": png(1), "d/2.png": png(2), "Flickr8k.token.txt": table})
    )
    assert not skipped
    assert [row.captions for row in rows] == [["A dog , running", 'A "dog'], ["A cat"]]


def test_it_reads_flickr30k_with_pipes(tmp_path: Path) -> None:
    table = 'image_name| comment_number| comment\n1.png| 0| Two men , one "tall" .\n1.png| 1| Two people .\n'
    rows, _ = read(zip_of(tmp_path / "x.zip", {"1.png": png(1), "results.csv": table}))
    assert [row.captions for row in rows] == [['Two men , one "tall" .', "Two people ."]]


def test_captions_of_one_picture_may_lie_far_apart(tmp_path: Path) -> None:
    table = "file,caption\n1.png,a\n2.png,b\n1.png,c\n2.png,d\n1.png,e\n"
    rows, skipped = read(zip_of(tmp_path / "x.zip", {"t.csv": table, "1.png": png(1), "2.png": png(2)}))
    assert not skipped
    assert [row.captions for row in rows] == [["a", "c", "e"], ["b", "d"]]


def test_it_reads_kaggle_fashion_by_stem_with_its_ragged_lines(tmp_path: Path) -> None:
    styles = (
        "id,gender,year,productDisplayName\n"
        "15970,Men,2011,Navy Shirt\n"
        "39386,Men,2012,Blue Jeans, slim, long\n"
        "404,Men,2012,Gone\n"
    )
    links = "filename,link\n15970.jpg,http://a/1.jpg\n39386.jpg,http://a/2.jpg\n404.jpg,http://a/3.jpg\n"
    rows, skipped = read(
        zip_of(
            tmp_path / "fashion.zip",
            {
                "images/15970.jpg": png(1),
                "images/39386.jpg": png(2),
                "styles.csv": styles,
                "images.csv": links,
            },
        )
    )
    assert [(row.id, row.captions) for row in rows] == [
        ("15970", ["Navy Shirt"]),
        ("39386", ["Blue Jeans, slim, long"]),
    ]
    assert "5 fields" not in str(rows[0].notes)
    assert "6 fields for 4 columns" in rows[1].notes[0]
    assert rows[0].values["link"] == "http://a/1.jpg"
    assert [(item.source, item.reason) for item in skipped] == [
        ("fashion.zip/styles.csv:4", Reason.MISSING),
        ("fashion.zip/images.csv:4", Reason.MISSING),
    ]


def test_pictures_without_a_row_are_rows_without_words(tmp_path: Path) -> None:
    rows, skipped = read(zip_of(tmp_path / "x.zip", {**PACKED, "images/3.png": png(3)}))
    assert not skipped
    assert rows[2].captions == []
    assert rows[2].source == "x.zip/images/3.png"


def test_rows_without_their_picture_are_reported_and_cost_nothing_else(tmp_path: Path) -> None:
    table = "file_name,caption\nimages/1.png,one\nimages/404.png,gone\n,only words\nimages/2.png,two\n"
    rows, skipped = read(zip_of(tmp_path / "x.zip", {**PACKED, "captions.csv": table}))
    assert [row.captions for row in rows] == [["one"], ["only words"], ["two"]]
    assert rows[1].picture is None
    assert [(item.source, item.reason) for item in skipped] == [("x.zip/captions.csv:3", Reason.MISSING)]
    assert "images/404.png" in skipped[0].detail


def test_it_reads_text_without_pictures(tmp_path: Path) -> None:
    table = "id,title,section\na,The first headline of all,x\nb,Another one here,x\n"
    path = file_of(tmp_path / "news.csv", table)
    rows, skipped = read(path)
    assert not skipped
    assert [(row.id, row.captions, row.picture) for row in rows] == [
        ("a", ["The first headline of all"], None),
        ("b", ["Another one here"], None),
    ]
    with open_dataset(path) as dataset:
        assert dataset.describe().layout is Layout.TEXT_TABLE


def test_a_table_of_absent_pictures_is_read_as_text(tmp_path: Path) -> None:
    rows, skipped = read(file_of(tmp_path / "captions.csv", TABLE))
    assert not skipped
    assert [row.captions for row in rows] == [["a red apple"], ["a green pear"]]
    assert rows[0].values == {"file_name": "images/1.png"}


def test_it_reads_a_folder_of_texts(tmp_path: Path) -> None:
    files = {"a.txt": "one\ntwo", "b.txt": "three", "b.json": '{"n": 1}'}
    rows, skipped = read(zip_of(tmp_path / "t.zip", files))
    assert not skipped
    assert [(row.captions, row.values) for row in rows] == [(["one\ntwo"], {}), (["three"], {"n": 1})]


def test_it_joins_files_that_were_uploaded_one_by_one(tmp_path: Path) -> None:
    pictures = zip_of(tmp_path / "images.zip", PICTURES)
    table = file_of(tmp_path / "captions.csv", TABLE)
    loose = file_of(tmp_path / "0f3c", png(3))
    rows, skipped = read([pictures, table, loose], names={loose: "more/3.png"})
    assert not skipped
    assert names_of(rows) == ["1.png", "2.png", "3.png"]
    assert [row.source for row in rows] == ["captions.csv:2", "captions.csv:3", "more/3.png"]
    with open_dataset([pictures, table, loose], names={loose: "more/3.png"}) as dataset:
        parts = dataset.describe().parts
    assert [(part.name, part.form, part.pictures) for part in parts] == [
        ("images.zip", Form.ZIP, 2),
        ("2 files", Form.FILES, 1),
    ]


def test_a_folder_dropped_into_the_browser_keeps_its_names(tmp_path: Path) -> None:
    stored = {
        file_of(tmp_path / f"blob{at}", png(at)): f"pets/{kind}/{at}.png" for at, kind in enumerate("aabb")
    }
    rows, _ = read(list(stored), names=stored)
    assert [row.values["class"] for row in rows] == ["a", "a", "b", "b"]


def test_it_reads_a_gzipped_table(tmp_path: Path) -> None:
    rows, _ = read(file_of(tmp_path / "t.csv.gz", gzip.compress(TABLE.encode())))
    assert len(rows) == 2


def test_it_reads_coco_captions(tmp_path: Path) -> None:
    coco = {
        "info": {"year": 2017},
        "images": [{"id": 7, "file_name": "1.png"}, {"id": 9, "file_name": "2.png"}],
        "annotations": [
            {"image_id": 9, "caption": "b"},
            {"image_id": 7, "caption": "a"},
            {"image_id": 7, "caption": "c"},
        ],
    }
    rows, skipped = read(
        zip_of(
            tmp_path / "coco.zip",
            {
                "annotations/captions.json": json.dumps(coco, indent=1),
                "val/1.png": png(1),
                "val/2.png": png(2),
            },
        )
    )
    assert not skipped
    assert [(row.id, row.captions) for row in rows] == [("7", ["a", "c"]), ("9", ["b"])]


def test_it_reads_the_categories_of_cocos_objects(tmp_path: Path) -> None:
    boxes = [(7, 2, [0, 0, 9, 9]), (9, 5, [1, 1, 2, 2]), (7, 1, []), (7, 2, [3, 3, 4, 4])]
    coco = {
        "images": [{"id": at, "file_name": f"{at}.png"} for at in (7, 8, 9)],
        "annotations": [{"image_id": at, "category_id": kind, "bbox": box} for at, kind, box in boxes],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }
    files: Files = {f"val/{at}.png": png(at) for at in (7, 8, 9)}
    path = zip_of(tmp_path / "x.zip", {"instances.json": json.dumps(coco, indent=1), **files})
    rows, skipped = read(path)
    assert [(row.captions, row.values) for row in rows] == [
        ([], {"categories": ["dog", "cat"]}), ([], {}), ([], {"categories": ["5"]}),
    ]  # fmt: skip
    assert [(item.source, item.reason) for item in skipped] == [("x.zip/instances.json", Reason.NOTE)]


def test_many_files_of_one_record_name_their_pictures(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {f"pictures/img_{at}.png": png(at) for at in range(30)}
    for at in range(30):
        record = {"image": f"img_{at}.png", "caption": f"thing {at}", "year": 1900 + at}
        files[f"meta/{29 - at:03}.json"] = json.dumps(record, indent=1)
    files["meta/099.json"] = "{broken"
    path = zip_of(tmp_path / "x.zip", files)
    rows, [skipped] = read(path)
    told = {row.picture and row.picture.name: (row.captions, row.values) for row in rows}
    assert told == {
        f"x.zip/pictures/img_{at}.png": ([f"thing {at}"], {"year": 1900 + at}) for at in range(30)
    }
    assert (skipped.source, skipped.reason) == ("x.zip/meta/099.json", Reason.UNREADABLE)
    with open_dataset(path) as dataset:
        assert dataset.describe().parts[0].tables == ("x.zip/meta/*.json",)


def test_many_files_of_records_without_pictures_are_read(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        f"{at:02}.json": json.dumps({"id": at, "title": f"Vase number {at}"}) for at in range(30)
    }
    files["30.json"] = json.dumps([{"id": at, "title": f"Bowl number {at}"} for at in (30, 31)])
    rows, skipped = read(zip_of(tmp_path / "x.zip", files))
    assert not skipped
    assert [row.id for row in rows] == [str(at) for at in range(32)]
    assert rows[31].captions == ["Bowl number 31"]
    assert rows[31].source == "x.zip/30.json:2"


def test_many_files_that_name_no_picture_are_told_together(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        f"styles/{at}.json": json.dumps({"title": f"style {at}"}) for at in range(30)
    }
    rows, [skipped] = read(zip_of(tmp_path / "x.zip", {**files, "a.png": png(1)}))
    assert names_of(rows) == ["a.png"]
    assert not rows[0].captions
    assert (skipped.source, skipped.reason) == ("x.zip/styles/*.json", Reason.UNSUPPORTED)


def test_several_coco_files_tell_of_the_same_pictures(tmp_path: Path) -> None:
    def coco(numbers: Sequence[int], **annotation: Any) -> str:
        images = [{"id": at, "file_name": f"{at:03}.png"} for at in numbers]
        annotations = [{"image_id": at, **annotation} for at in numbers]
        kinds = [{"id": 1, "name": "cat"}]
        return json.dumps({"images": images, "annotations": annotations, "categories": kinds})

    files: dict[str, bytes | str] = {
        f"{split}/{at:03}.png": png(at) for at, split in enumerate(("train", "train", "val"))
    }
    files["annotations/captions_train.json"] = coco((0, 1), caption="in train")
    files["annotations/captions_val.json"] = coco((2,), caption="in val")
    files["annotations/instances_train.json"] = coco((1,), category_id=1)
    files["annotations/instances_val.json"] = coco((2,), category_id=1)
    rows, skipped = read(zip_of(tmp_path / "x.zip", files))
    assert not skipped
    assert {row.picture and row.picture.name[6:]: (row.captions, row.values) for row in rows} == {
        "train/000.png": (["in train"], {"split": "train"}),
        "train/001.png": (["in train"], {"split": "train", "categories": ["cat"]}),
        "val/002.png": (["in val"], {"split": "val", "categories": ["cat"]}),
    }


def test_it_ignores_junk_without_a_word(tmp_path: Path) -> None:
    junk: Files = {
        "__MACOSX/images/._1.png": b"x",
        ".DS_Store": b"x",
        "images/Thumbs.db": b"x",
        "images/.hidden.png": b"x",
    }
    rows, skipped = read(zip_of(tmp_path / "x.zip", {**PACKED, **junk}))
    assert len(rows) == 2
    assert not skipped


def test_it_reports_what_it_has_no_use_for(tmp_path: Path) -> None:
    extra: Files = {
        "README.md": "hello",
        "inner.zip": b"PK\3\4",
        "movie.mp4": b"ftyp",
        "labels.csv": "a,b\nx,y\n",
    }
    rows, skipped = read(zip_of(tmp_path / "x.zip", {**PACKED, **extra}))
    assert len(rows) == 2
    assert {item.source.partition("/")[2]: item.reason for item in skipped} == dict.fromkeys(
        extra, Reason.UNSUPPORTED
    )


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"%PDF-1.7", "a PDF document; save its pages"),
        (b"\0\0\0\x18ftypmp42", "a video; save pictures of it"),
        (b"PK\3\4" + bytes(26) + b"[Content_Types].xml", "an office document; save its table as CSV or XLSX"),
        (b"\xd0\xcf\x11\xe0", "an office document; save its table as CSV or XLSX"),
        (b"ARROW1\0\0", "an Arrow file; let its name end in “.arrow”"),
        (b"\xff\xff\xff\xff\x78\2", "an Arrow file; let its name end in “.arrow”"),
        (b"something", "neither a picture nor a table"),
    ],
)
def test_it_says_what_a_file_is_and_what_to_make_of_it(tmp_path: Path, start: bytes, said: str) -> None:
    _, [skipped] = read(zip_of(tmp_path / "x.zip", {"1.png": png(1), "2.other": start + bytes(60)}))
    assert (skipped.source, skipped.reason) == ("x.zip/2.other", Reason.UNSUPPORTED)
    assert said in skipped.detail


def test_where_nothing_can_be_read_several_reasons_are_told(tmp_path: Path) -> None:
    files: Files = {"1.mp4": b"\0\0\0\x18ftypmp42", "2.mp4": b"\0\0\0\x18ftypisom", "a.pdf": b"%PDF-1.7"}
    more: Files = {"b.7z": "x", "c.dat": "y"}
    with pytest.raises(DatasetError) as caught:
        read(zip_of(tmp_path / "x.zip", {**files, **more}))
    told = str(caught.value)
    assert [name in told for name in (*files, *more)] == [True, False, True, True, False]
    assert told.endswith("And 2 more.")


@pytest.mark.parametrize(("name", "said"), [("t.ods", "an office document"), ("x.rar", "an archive inside")])
def test_what_lies_in_an_archive_says_what_to_make_of_it(tmp_path: Path, name: str, said: str) -> None:
    inner = b"PK\3\4" + bytes(26) + b"docProps/app.xml" + bytes(60)
    _, [skipped] = read(zip_of(tmp_path / "x.zip", {"1.png": png(1), name: inner}))
    assert (skipped.source, skipped.reason) == (f"x.zip/{name}", Reason.UNSUPPORTED)
    assert said in skipped.detail


def test_a_iiif_manifest_says_what_to_upload_instead(tmp_path: Path) -> None:
    manifest = {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "items": [{"id": "x"}, {"id": "y"}],
    }
    with pytest.raises(DatasetError, match=r"m\.json: It is a IIIF manifest: .* Upload the pictures"):
        read(file_of(tmp_path / "m.json", json.dumps(manifest, indent=1)))


def test_iterating_again_gives_the_same_rows(tmp_path: Path) -> None:
    with open_dataset(tar_of(tmp_path / "x.tar.gz", PACKED)) as dataset:
        dataset.describe()
        assert [row.source for row in dataset] == [row.source for row in dataset]
