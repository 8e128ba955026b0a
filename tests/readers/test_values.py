"""Types of columns, and cells in those types."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.readers import Choices, ColumnType, Limits
from embeddings.readers.values import as_text, infer_type, is_empty, to_date, to_list, to_number, to_vector
from tests.readers.builders import file_of, read


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "-3e4", ""], ColumnType.NUMBER),
        (["1,5", "2"], ColumnType.TEXT),
        (["007", "012"], ColumnType.TEXT),
        (["12345678901234567890", "2"], ColumnType.TEXT),
        ([1234567890123456789, 2], ColumnType.TEXT),
        (np.array([2**60, 2**53 + 1]), ColumnType.TEXT),
        ([2**53, -5, 1e300], ColumnType.NUMBER),
        (["1_000", "2_000"], ColumnType.TEXT),
        (["0.5", "0"], ColumnType.NUMBER),
        (["1.5", "-inf", "Infinity", "nan"] * 9, ColumnType.NUMBER),
        ([1, None, 2.5], ColumnType.NUMBER),
        (["2020-05-17", "2020-05-18T10:00:00Z"], ColumnType.DATE),
        (["17.05.2020", "18.05.2020"], ColumnType.DATE),
        (["1909", "1910"], ColumnType.NUMBER),
        (["03/04/2020", "05/06/2020"], ColumnType.TEXT),
        (["red", "red", "blue", "blue"], ColumnType.CATEGORY),
        (["red", "green", "blue", "white"], ColumnType.TEXT),
        ([True, False], ColumnType.CATEGORY),
        (["a;b", "c", "d"], ColumnType.LIST),
        (["a|b", "c|d"], ColumnType.LIST),
        (['["a", "b"]', "[]", '["c"]'], ColumnType.LIST),
        (["['a', 'b']", "['c']"], ColumnType.LIST),
        ([["a"], []], ColumnType.LIST),
        (["First; " + "then something much longer, as in a sentence" * 2] * 2, ColumnType.TEXT),
        (["Schutt, Ellen Isham, 1873-1955"] * 4, ColumnType.CATEGORY),
        ([b"bytes"], None),
        (["", None, "N/A"], None),
        ([], None),
    ],
)
def test_it_infers_the_type_of_a_column(cells: list[Any], kind: ColumnType | None) -> None:
    assert infer_type(cells) is kind


@pytest.mark.parametrize(
    "cell", [None, "", "  ", "NaN", "null", "n/a", float("nan"), [], [""], [None], {}, b""]
)
def test_it_knows_an_empty_cell(cell: Any) -> None:
    assert is_empty(cell)


@pytest.mark.parametrize("cell", [0, False, "0", [0], "x"])
def test_it_knows_a_cell_that_is_not_empty(cell: Any) -> None:
    assert not is_empty(cell)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1909", 1909), ("1.50", 1.5), (" 7 ", 7), ("1e400", None), ("inf", None), ("x", None), (True, None),
     (np.int64(3), 3), (np.float32(0.5), 0.5), (10**400, None), (float("inf"), None), ("1e3", 1000)],
)  # fmt: skip
def test_it_reads_numbers(cell: Any, number: float | None) -> None:
    assert to_number(cell) == number


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2020-05-17", datetime(2020, 5, 17, tzinfo=UTC)),
        ("2020-05-17 10:20:30", datetime(2020, 5, 17, 10, 20, 30, tzinfo=UTC)),
        ("2020-05-17T10:20:30+02:00", datetime(2020, 5, 17, 8, 20, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("17.5.2020", datetime(2020, 5, 17, tzinfo=UTC)),
        ("May 17, 2020", datetime(2020, 5, 17, tzinfo=UTC)),
        ("2020-13-45", None),
        ("1/2/2020", None),
        ("soon", None),
        (5, None),
    ],
)
def test_it_reads_dates(cell: Any, moment: datetime | None) -> None:
    assert to_date(cell) == moment


@pytest.mark.parametrize(
    ("cell", "items"),
    [("a;b; c", ["a", "b", "c"]), ('["a", 1]', ["a", "1"]), ("['it''s']", ["its"]), ("single", ["single"]),
     (["a", None, ""], ["a"]), (np.array([1.0, 2.5]), ["1", "2.5"]), ("[broken", ["[broken"])],
)  # fmt: skip
def test_it_reads_lists(cell: Any, items: list[str]) -> None:
    assert to_list(cell) == items


@pytest.mark.parametrize(
    ("cell", "length"),
    [("[1, 2, 3]", 3), ("[1 2 3]", 3), ([1, 2], 2), (np.ones(4, np.float16), 4), ("1, 2", None), ("[]", None),
     ("[1, x]", None), ([1, None], None), ([[1], [2]], None), ([1, float("inf")], None), ([10**400], None),
     ("[" + "1," * 50 + "1]", None), ("[" + "1 " * 21 + "]", None), ("[" + "1 " * 20 + "]", 20),
     (np.ones((2, 2)), None), ({"a": 1}, None), (["a"], None), (None, None)],
)  # fmt: skip
def test_it_reads_vectors(cell: Any, length: int | None) -> None:
    vector = to_vector(cell, most=20)
    assert (None if vector is None else len(vector)) == length


def test_text_can_always_be_stored() -> None:
    assert as_text("a\0b \ud83d") == "ab \ufffd"
    assert as_text({"k": ["\udc00", b"x", np.float32(1)]}).encode()
    assert as_text(2.0) == "2"
    assert as_text(10**30) == "1" + "0" * 30


@pytest.mark.parametrize(("bad", "why"), [("[0, 0, 0]", "Its vector is zero"), ("[1, NaN, 0]", "finite")])
def test_a_vector_without_a_direction_costs_its_row_and_is_named(tmp_path: Path, bad: str, why: str) -> None:
    lines = ["id;caption;vector", "a;an apple;[1, 0, 0]", f"b;a pear;{bad}", "c;a plum;[0, 0, 1]"]
    rows, skipped = read(file_of(tmp_path / "t.csv", "\n".join(lines)))
    assert [row.id for row in rows] == ["a", "c"]
    assert why in skipped[0].detail


def test_a_second_column_of_vectors_is_left_out_and_named(tmp_path: Path) -> None:
    vectors = [[float(at == place) for place in range(16)] for at in range(3)]
    lines = [
        json.dumps({"caption": f"words {at}", "image": vectors[at], "text": vectors[-at]}) for at in range(3)
    ]
    rows, skipped = read(file_of(tmp_path / "t.jsonl", "\n".join(lines)))
    assert [row.values for row in rows] == [{}] * 3
    assert rows[1].vector is not None
    assert rows[1].vector.tolist() == vectors[1]
    assert ["columns text were not read" in item.detail for item in skipped] == [True]
    rows, _ = read(tmp_path / "t.jsonl", choices=Choices(vector="text"))
    assert rows[1].vector is not None
    assert rows[1].vector.tolist() == vectors[-1]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_none_and_na_are_words_in_columns_of_words(tmp_path: Path, suffix: str) -> None:
    cells = [("none", "NA", 1.5), ("scratch", "FR", 2), ("none", "null", 3), ("scratch", "NA", 4)]
    names = ("text", "defect", "country", "width")
    records = [dict(zip(names, (f"some words {at}", *each), strict=True)) for at, each in enumerate(cells)]
    lines = {
        "csv": [",".join(names), *(",".join(map(str, record.values())) for record in records)],
        "jsonl": list(map(json.dumps, records)),
    }
    rows, _ = read(file_of(tmp_path / f"t.{suffix}", "\n".join(lines[suffix])))
    assert [row.values["defect"] for row in rows] == ["none", "scratch", "none", "scratch"]
    assert [row.values.get("country") for row in rows] == ["NA", "FR", None, "NA"]


def test_the_word_for_no_number_means_nothing_in_the_whole_table(tmp_path: Path) -> None:
    table = (
        "text,country,defect,width\nsome words,NA,none,NA\nmore words,FR,scratch,2\nlast words,NA,none,3\n"
    )
    rows, _ = read(file_of(tmp_path / "t.csv", table))
    assert [row.values for row in rows] == [
        {"defect": "none"},
        {"country": "FR", "defect": "scratch", "width": 2},
        {"defect": "none", "width": 3},
    ]


def test_a_lists_item_none_stays(tmp_path: Path) -> None:
    lines = [
        '{"text": "some words", "defects": ["none"]}',
        '{"text": "more words", "defects": ["scratch", "NA"]}',
    ]
    rows, _ = read(file_of(tmp_path / "t.jsonl", "\n".join(lines)))
    assert [row.values["defects"] for row in rows] == [["none"], ["scratch", "NA"]]


def test_a_list_without_end_is_cut_with_a_note(tmp_path: Path) -> None:
    table = "text,tags\n" + "some words,{}\n".format(";".join("abcdefgh"))
    rows, _ = read(file_of(tmp_path / "t.csv", table), limits=Limits(list_items=3))
    assert rows[0].values == {"tags": ["a", "b", "c"]}
    assert rows[0].notes == ("tags: of 8 items the first 3 were kept.",)
