"""What annotation tools export beside the pictures."""

import json
from pathlib import Path
from typing import Any

import pytest

from embeddings.readers import Reason
from tests.readers.builders import Files, names_of, png, read, zip_of

PICTURES: Files = {f"data/{at:06}.png": png(at) for at in range(3)}


def via_image(at: int, caption: str, *kinds: str) -> dict[str, Any]:
    regions = [
        {
            "shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 2, "height": 2},
            "region_attributes": {"kind": kind, "seen": {"whole": True, "cut": False}},
        }
        for kind in kinds
    ]
    told = {"caption": caption, "lit": {"day": at == 0, "night": False}}
    return {"filename": f"{at:06}.png", "size": 90, "regions": regions, "file_attributes": told}


VIA = {
    f"{at:06}.png90": via_image(at, f"words {at}", *kinds)
    for at, kinds in enumerate((("cat", "dog", "cat"), ("cow",), ()))
}


@pytest.mark.parametrize(
    "content",
    [
        VIA,
        {"_via_settings": {"ui": {}}, "_via_img_metadata": VIA, "_via_attributes": {"region": {}, "file": {}}}
        | {"_via_data_format_version": "2.0.10", "_via_image_id_list": list(VIA)},
        {name: {**each, "regions": dict(enumerate(each["regions"]))} for name, each in VIA.items()},
    ],
)
def test_it_reads_the_words_of_via_for_pictures_and_regions(tmp_path: Path, content: dict[str, Any]) -> None:
    rows, [note] = read(zip_of(tmp_path / "x.zip", {**PICTURES, "via.json": json.dumps(content)}))
    assert names_of(rows) == [f"{at:06}.png" for at in range(3)]
    assert [row.captions for row in rows] == [["words 0"], ["words 1"], ["words 2"]]
    assert [row.values for row in rows] == [
        {"region kind": ["cat", "dog"], "region seen": ["whole"], "lit": ["day"]},
        {"region kind": ["cow"], "region seen": ["whole"]},
        {},
    ]
    assert (note.reason, note.source) == (Reason.NOTE, "x.zip/via.json")
    assert "boxes and shapes were not" in note.detail


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        ({"000000": 0, "000001": 1, "000002": None}, [{"label": "cat"}, {"label": "dog"}, {}]),
        (
            {"000000": "cat", "000001": {"label": "dog", "confidence": 0.5}, "000002": 7},
            [{"label": "cat"}, {"label": "dog"}, {"label": "7"}],
        ),
        (
            {"000000": [0, 1, 0], "000001": [1], "000002": []},
            [{"label": ["cat", "dog"]}, {"label": ["dog"]}, {}],
        ),
    ],
)
def test_it_reads_fiftyones_labels_by_name(
    tmp_path: Path, labels: dict[str, Any], values: list[dict[str, Any]]
) -> None:
    content = json.dumps({"classes": ["cat", "dog"], "labels": labels})
    rows, skipped = read(zip_of(tmp_path / "x.zip", {**PICTURES, "labels.json": content}))
    assert not skipped
    assert names_of(rows) == [f"{at:06}.png" for at in range(3)]
    assert [row.values for row in rows] == values


def test_it_reads_the_labels_of_fiftyones_boxes(tmp_path: Path) -> None:
    boxes = [{"label": at, "bounding_box": [0, 0, 0.5, 0.5], "area": 0.25} for at in (1, 0, 1)]
    content = json.dumps(
        {"classes": ["cat", "dog"], "labels": {"000000": boxes, "000001": boxes[:1], "000002": []}}
    )
    rows, [note] = read(zip_of(tmp_path / "x.zip", {**PICTURES, "labels.json": content}))
    assert [row.values for row in rows] == [{"label": ["dog", "cat"]}, {"label": ["dog"]}, {}]
    assert "boxes and shapes were not" in note.detail


def sample(at: int, kind: str, *objects: str) -> dict[str, Any]:
    boxes = [{"_id": {"$oid": f"{at:024}"}, "_cls": "Detection", "label": label} for label in objects]
    return {
        "_id": {"$oid": f"{at:024x}"},
        "filepath": f"data/{at:06}.png",
        "tags": ["train"],
        "metadata": {"_cls": "ImageMetadata", "size_bytes": 90, "width": 4, "height": 4},
        "created_at": {"$date": "2024-05-17T12:00:00Z"},
        "ground_truth": {"_id": {"$oid": f"{at:024}"}, "_cls": "Classification", "tags": [], "label": kind},
        "objects": {"_cls": "Detections", "detections": boxes},
        "score": {"_cls": "Regression", "value": at / 2},
        "caption": f"words {at}",
        "_media_type": "image",
        "_rand": 0.25,
    }


def test_it_reads_a_dataset_of_fiftyone(tmp_path: Path) -> None:
    samples = [sample(0, "cat", "ear", "eye", "ear"), sample(1, "dog", "eye"), sample(2, "cat")]
    fields = [{"name": "filepath", "ftype": "fiftyone.core.fields.StringField", "description": "where it is"}]
    files = {
        "metadata.json": json.dumps({"name": "fruit", "version": "1.3", "sample_fields": fields}),
        "samples.json": json.dumps({"samples": samples}),
    }
    rows, skipped = read(zip_of(tmp_path / "x.zip", {**PICTURES, **files}))
    assert names_of(rows) == [f"{at:06}.png" for at in range(3)]
    assert [row.captions for row in rows] == [["words 0"], ["words 1"], ["words 2"]]
    assert rows[1].id == f"{1:024x}"
    assert [
        {name: row.values.get(name) for name in ("ground_truth", "objects", "score")} for row in rows
    ] == [
        {"ground_truth": "cat", "objects": ["ear", "eye"], "score": 0},
        {"ground_truth": "dog", "objects": ["eye"], "score": 0.5},
        {"ground_truth": "cat", "objects": None, "score": 1},
    ]
    assert rows[0].values.keys() == {"tags", "created_at", "ground_truth", "objects", "score"}
    assert {item.source: item.reason for item in skipped} == {
        "x.zip/metadata.json": Reason.UNSUPPORTED, "x.zip/samples.json": Reason.NOTE,
    }  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        {"a": {"filename": 1, "regions": 5, "file_attributes": [1]}},
        {
            "a": {
                "filename": "000000.png",
                "regions": [1, {"region_attributes": {"x": [{}]}}],
                "file_attributes": {},
            }
        },
        {"classes": [[1], None], "labels": {"000000": [{"label": {}}, True, 9], "000001": -1}},
        {"samples": [{"filepath": 7, "_media_type": [], "x": {"_cls": "Detections", "detections": 5}}]},
        {"samples": [{"filepath": "000000.png", "_media_type": "", "x": {"_cls": []}, "y": {"$date": {}}}]},
    ],
)
def test_what_is_written_otherwise_costs_no_picture(tmp_path: Path, content: dict[str, Any]) -> None:
    rows, _ = read(zip_of(tmp_path / "x.zip", {**PICTURES, "labels.json": json.dumps(content)}))
    assert len(rows) == 3
