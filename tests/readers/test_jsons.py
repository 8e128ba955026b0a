"""JSON tables, by line, as arrays and as the objects people make of them."""

import gzip
import json
from pathlib import Path

import pytest

from embeddings.readers import DatasetError, Limits, Reason, coco, jsons
from tests.readers.builders import file_of, names_of, png, read, zip_of

RECORDS = [
    {"id": 1, "caption": "a red apple", "tags": ["a", "b"], "year": 1909, "sold": True},
    {"id": 2, "caption": "a green pear", "tags": [], "year": None, "sold": False},
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.jsonl", "\n".join(map(json.dumps, RECORDS))),
        ("t.ndjson", "\r\n\n".join(map(json.dumps, RECORDS)) + "\n"),
        ("t.json", json.dumps(RECORDS)),
        ("t.json", json.dumps(RECORDS, indent=2)),
        ("t.json", "\n".join(map(json.dumps, RECORDS))),
        ("t.json", json.dumps({"info": {}, "data": RECORDS}, indent=1)),
        ("t.json", json.dumps({"version": 1, "data": RECORDS})),
        ("t.jsonl", "\ufeff" + "\n".join(map(json.dumps, RECORDS))),
        *(
            (name, between.join(json.dumps(record, indent=indent) for record in RECORDS))
            for name in ("t.json", "t.jsonl")
            for between in ("\n", "\r\n\r\n", "", ",\n")
            for indent in (0, 2)
        ),
        ("t.json", "".join(json.dumps([record], indent=2) for record in RECORDS)),
        ("t.json", "\n".join(json.dumps([record]) for record in RECORDS)),
    ],
)
def test_it_reads_records(tmp_path: Path, name: str, content: str) -> None:
    rows, skipped = read(file_of(tmp_path / name, content))
    assert not skipped
    assert [(row.id, row.captions, row.values) for row in rows] == [
        ("1", ["a red apple"], {"tags": ["a", "b"], "year": 1909, "sold": "true"}),
        ("2", ["a green pear"], {"sold": "false"}),
    ]


@pytest.mark.parametrize("value", ["a red apple", ["a red apple", "fruit"]])
def test_it_reads_captions_by_name(tmp_path: Path, value: object) -> None:
    content = json.dumps({"1.png": value, "2.png": value}, indent=1)
    rows, _ = read(zip_of(tmp_path / "x.zip", {"captions.json": content, "1.png": png(1), "2.png": png(2)}))
    assert names_of(rows) == ["1.png", "2.png"]
    assert rows[0].captions[0] == "a red apple"
    assert len(rows[0].captions) == (2 if isinstance(value, list) else 1)


def test_bad_lines_cost_only_themselves(tmp_path: Path) -> None:
    lines = [
        '{"id": 1, "caption": "good words"}',
        '{"id": 2, "caption": broken}',
        "[1, 2]",
        '"text"',
        "[" * 100_000,
        '{"id": ' + "9" * 5_000 + "}",
        '{"id": NaN, "caption": "more words"}',
        '{"id": 5, "caption": "half \\ud83d surrogate \\u0000 nul"}',
        '{"id": 6, "caption": "cut',
    ]
    rows, skipped = read(file_of(tmp_path / "t.jsonl", "\n".join(lines)))
    assert [(row.id, row.captions) for row in rows] == [
        ("1", ["good words"]),
        (None, ["more words"]),
        ("5", ["half \ufffd surrogate  nul"]),
    ]
    assert [(item.source, item.reason) for item in skipped] == [
        (f"t.jsonl:{line}", Reason.UNREADABLE) for line in (2, 3, 4, 5, 6, 9)
    ]


def test_a_cut_array_keeps_what_came_before(tmp_path: Path) -> None:
    rows, skipped = read(file_of(tmp_path / "t.json", json.dumps(RECORDS)[:-30]))
    assert len(rows) == 1
    assert [item.reason for item in skipped] == [Reason.CORRUPT]


def test_a_damaged_record_of_an_array_costs_only_itself(tmp_path: Path) -> None:
    good = [f'{{"caption": "words {at}", "boxes": [{{"x": 1}}, {{"x": 2}}]}}' for at in range(5)]
    bad = good[2].replace('"words 2"', '"words "2"')
    rows, skipped = read(file_of(tmp_path / "t.json", f"[{','.join([*good[:2], bad, *good[3:]])}]"))
    assert [row.captions for row in rows] == [[f"words {at}"] for at in (0, 1, 3, 4)]
    assert rows[2].source == "t.json:4"
    assert [(item.source, item.reason) for item in skipped] == [("t.json:3", Reason.UNREADABLE)]


def test_an_array_of_other_things_is_reported(tmp_path: Path) -> None:
    rows, skipped = read(
        file_of(tmp_path / "t.json", '[{"caption": "good words"}, 1, null, {"caption": "two words"}]')
    )
    assert len(rows) == 2
    assert [(item.source, item.reason) for item in skipped] == [
        ("t.json:2", Reason.UNREADABLE),
        ("t.json:3", Reason.UNREADABLE),
    ]


def test_an_array_longer_than_its_buffer_is_streamed(tmp_path: Path) -> None:
    records = [{"id": at, "caption": f"words {at} " + "x" * 900} for at in range(500)]
    rows, skipped = read(file_of(tmp_path / "t.json", json.dumps(records)))
    assert not skipped
    assert [row.id for row in rows] == [str(at) for at in range(500)]


def test_a_record_over_the_limit_costs_only_itself(tmp_path: Path) -> None:
    lines = [json.dumps({"caption": text}) for text in ("one word", "x" * 5_000, "two words")]
    rows, skipped = read(file_of(tmp_path / "t.jsonl", "\n".join(lines)), limits=Limits(line_length=1_000))
    assert len(rows) == 2
    assert [(item.source, item.reason) for item in skipped] == [("t.jsonl:2", Reason.OVER_LIMIT)]


def test_a_column_may_begin_late(tmp_path: Path) -> None:
    lines = [
        json.dumps({"caption": f"some words {at}"} | ({"late": "x"} if at > 500 else {})) for at in range(900)
    ]
    rows, _ = read(file_of(tmp_path / "t.jsonl", "\n".join(lines)))
    assert rows[-1].values == {"late": "x"}


def test_nested_objects_are_kept_as_json_text(tmp_path: Path) -> None:
    rows, _ = read(file_of(tmp_path / "t.jsonl", '{"caption": "some words", "box": {"x": 1}}'))
    assert rows[0].values == {"box": '{"x": 1}'}


@pytest.mark.parametrize("content", ["", "null", "[]", "{}", "[", "{", "not json", '"text"', "\0\0\0"])
def test_nothing_to_read_is_one_sentence(tmp_path: Path, content: str) -> None:
    with pytest.raises(DatasetError, match=r"t\.json"):
        read(file_of(tmp_path / "t.json", content))


@pytest.mark.parametrize("name", ["t.jsonl", "t.json"])
def test_a_record_that_is_nested_too_deeply_costs_only_itself(tmp_path: Path, name: str) -> None:
    records = [f'{{"caption": "some words", "x": {"[" * depth}{"]" * depth}}}' for depth in (3, 300, 800)]
    text = "\n".join(records) if name == "t.jsonl" else f"[{','.join(records)}]"
    rows, skipped = read(file_of(tmp_path / name, text))
    assert [row.captions for row in rows] == [["some words"]]
    assert [item.detail for item in skipped] == ["It is nested too deeply."] * 2


@pytest.mark.parametrize("orient", ["columns", "split", "index", "records", "table"])
def test_it_reads_what_pandas_writes(tmp_path: Path, orient: str) -> None:
    columns: dict[str, list[object]] = {"caption": ["a red apple", "a green pear"], "year": [1909, 1911]}
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    written = {
        "columns": {
            name: {str(at): cell for at, cell in enumerate(cells)} for name, cells in columns.items()
        },
        "split": {"columns": list(columns), "index": [0, 1], "data": [list(row.values()) for row in rows]},
        "index": {str(at): row for at, row in enumerate(rows)},
        "records": rows,
        "table": {"schema": {"fields": [{"name": name} for name in columns]}, "data": rows},
    }
    found, skipped = read(file_of(tmp_path / "t.json", json.dumps(written[orient])))
    assert not skipped
    assert [row.captions for row in found] == [["a red apple"], ["a green pear"]]
    assert [row.values["year"] for row in found] == [1909, 1911]


def test_an_object_over_the_limit_is_told_what_to_become(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = {f"{record['id']}.png": record for record in RECORDS}
    table = file_of(tmp_path / "t.json", json.dumps(records, indent=1))
    assert len(read(table)[0]) == 2
    monkeypatch.setattr(jsons, "_LARGEST_OBJECT", 200)
    with pytest.raises(DatasetError, match=r"one object of more than .* \(JSONL\)"):
        read(table)


def test_a_list_in_an_object_may_be_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsons, "_LARGEST_OBJECT", 200)
    table = {"info": {"made": "by hand"}, "data": 40 * RECORDS, "notes": []}
    rows, skipped = read(file_of(tmp_path / "t.json", json.dumps(table, indent=1)))
    assert not skipped
    assert [row.captions for row in rows] == 40 * [["a red apple"], ["a green pear"]]


@pytest.mark.parametrize("name", ["images", "data", "items"])
def test_of_several_lists_in_an_object_the_one_so_named_holds_the_records(tmp_path: Path, name: str) -> None:
    table = {
        "licenses": [{"id": 1, "name": "CC0"}],
        name: RECORDS,
        "categories": [{"id": 1, "name": "fruit"}],
    }
    rows, skipped = read(file_of(tmp_path / "t.json", json.dumps(table)))
    assert not skipped
    assert [row.captions for row in rows] == [["a red apple"], ["a green pear"]]


def test_several_lists_of_which_none_is_known_are_named(tmp_path: Path) -> None:
    table = {"apples": RECORDS, "pears": RECORDS}
    with pytest.raises(DatasetError, match=r"t\.json: .* “apples”, “pears”: upload the one you want"):
        read(file_of(tmp_path / "t.json", json.dumps(table)))


@pytest.mark.parametrize("order", [("images", "annotations"), ("annotations", "images")])
def test_annotations_larger_than_what_may_be_held_whole_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[str, str]
) -> None:
    lists: dict[str, object] = {
        "images": [{"id": at, "file_name": f"{at}.png"} for at in range(50)],
        "annotations": [
            {"image_id": at % 50, "category_id": at % 3, "bbox": [0, 0, 1, 1], "segmentation": [[0.5] * 40]}
            for at in range(500)
        ],
    }
    content = {name: lists[name] for name in order}
    content["categories"] = [{"id": at, "name": name} for at, name in enumerate(("cat", "dog", "cow"))]
    files = {f"{at}.png": png(at) for at in range(50)}
    path = zip_of(tmp_path / "x.zip", {"instances.json": json.dumps(content), **files})
    monkeypatch.setattr(jsons, "_LARGEST_OBJECT", 1_000)
    rows, skipped = read(path)
    assert rows[7].values == {"categories": ["dog", "cat", "cow"]}
    assert len(rows) == 50
    assert [item.reason for item in skipped] == [Reason.NOTE]


def test_annotations_that_say_more_than_can_be_held_are_told_what_to_become(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations = [{"image_id": at, "caption": f"words {at}"} for at in range(50)]
    text = json.dumps({"images": [{"id": at} for at in range(50)], "annotations": annotations})
    assert len(read(file_of(tmp_path / "t.json", text))[0]) == 50
    monkeypatch.setattr(coco, "_MOST_HELD", 10_000)
    with pytest.raises(DatasetError, match=r"t\.json: .*split it into several files"):
        read(tmp_path / "t.json")


def test_a_large_object_that_is_cut_short_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    annotations = [{"image_id": at, "caption": f"words {at}"} for at in range(50)]
    images = [{"id": at} for at in range(50)]
    text = json.dumps({"images": images, "annotations": annotations}, indent=1)
    monkeypatch.setattr(jsons, "_LARGEST_OBJECT", 1_000)
    with pytest.raises(DatasetError, match="damaged or cut short"):
        read(file_of(tmp_path / "t.json", text[:-20]))


@pytest.mark.parametrize("name", ["t.json", "t.jsonl"])
@pytest.mark.parametrize("indent", [0, 2])
@pytest.mark.parametrize("broken", [0, 2, 4])
@pytest.mark.parametrize(
    ("good", "bad"), [('"words ', '"wo"rds '), ('"x": 2\n', '"x": 2\n}\n'), ("]\n}", "]")]
)
def test_a_damaged_object_among_those_one_behind_the_other_names_its_line_and_costs_only_itself(
    tmp_path: Path, name: str, indent: int, broken: int, good: str, bad: str
) -> None:
    texts = [
        json.dumps({"caption": f"words {at}", "objects": [{"x": 1}, {"x": 2}]}, indent=indent) + "\n"
        for at in range(5)
    ]
    texts[broken] = texts[broken].replace(good, bad)
    line = 1 + sum(text.count("\n") for text in texts[:broken])
    rows, skipped = read(file_of(tmp_path / name, "".join(texts)))
    assert [row.captions for row in rows] == [[f"words {at}"] for at in range(5) if at != broken]
    assert [item.source for item in skipped] == [f"{name}:{line}"]
    assert rows[0].source == (f"{name}:1" if broken else f"{name}:{1 + texts[0].count(chr(10))}")


def test_many_objects_one_behind_the_other_are_streamed_with_their_lines(tmp_path: Path) -> None:
    texts = [json.dumps({"id": at, "caption": f"words {at} {'x' * 900}"}, indent=1) for at in range(500)]
    rows, skipped = read(file_of(tmp_path / "t.json", "\n".join(texts)), limits=Limits(line_length=2_000))
    assert not skipped
    assert [row.source for row in rows] == [f"t.json:{1 + 4 * at}" for at in range(500)]


def test_what_lies_behind_an_array_is_reported(tmp_path: Path) -> None:
    rows, skipped = read(file_of(tmp_path / "t.json", f"{json.dumps(RECORDS)}\nand more"))
    assert len(rows) == 2
    assert [(item.source, item.reason) for item in skipped] == [("t.json", Reason.CORRUPT)]


def test_a_line_with_something_behind_its_object_costs_only_itself(tmp_path: Path) -> None:
    rows, skipped = read(file_of(tmp_path / "t.jsonl", '{"caption": "x"} y\n{"caption": "some words"}\n'))
    assert [row.captions for row in rows] == [["some words"]]
    assert [item.source for item in skipped] == ["t.jsonl:1"]


def test_columns_that_begin_too_late_are_named(tmp_path: Path) -> None:
    lines = [json.dumps({"caption": f"words {at}"} | ({"late": 1, "never": None} if at > 1_000 else {}))
             for at in range(1_005)]  # fmt: skip
    rows, skipped = read(file_of(tmp_path / "t.jsonl", "\n".join(lines)))
    assert len(rows) == 1_005
    assert [item.detail for item in skipped] == [
        "The column “late” begins after record 1,000 and was not read."
    ]


@pytest.mark.parametrize("name", ["t.jsonl.gz", "t.json.gz"])
def test_a_gzipped_table_that_expands_too_far_is_reported(tmp_path: Path, name: str) -> None:
    record = json.dumps({"caption": "an apple " + 8_000 * "a"})
    text = "\n".join(1_100 * [record]) if name == "t.jsonl.gz" else f"[{','.join(1_100 * [record])}]"
    rows, skipped = read(file_of(tmp_path / name, gzip.compress(text.encode())))
    assert rows
    assert [(item.source, item.reason) for item in skipped] == [(name, Reason.BOMB)]
