"""Delimited tables as spreadsheets, scripts and people write them."""

import gzip
import json
from pathlib import Path

import pytest

from embeddings.readers import Choices, DatasetError, Limits, Reason, Row, open_dataset
from embeddings.readers.csvs import is_header
from embeddings.readers.text import is_windows
from tests.readers.builders import Files, file_of, names_of, png, read, zip_of

CAPTIONS = ["Äpfel, rot", "birnen; grün", 'so "quoted" words']


def table(delimiter: str) -> str:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = [delimiter.join(["key", "caption", "n"])]
    lines += [delimiter.join([f"k{at}", cell(text), str(at)]) for at, text in enumerate(CAPTIONS)]
    return "\r\n".join(lines)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_it_reads_every_encoding_and_delimiter(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows, skipped = read(file_of(tmp_path / "t.csv", table(delimiter).encode(encoding)))
    assert [item.reason for item in skipped] == [Reason.NOTE] * (encoding == "cp1252")
    assert [row.captions[0] for row in rows] == CAPTIONS
    assert [row.id for row in rows] == ["k0", "k1", "k2"]
    assert [row.values for row in rows] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_one_windows_letter_late_in_the_file_spoils_nothing(tmp_path: Path) -> None:
    lines = "caption\n" + "plain words here\n" * 20_000
    rows, _ = read(file_of(tmp_path / "t.csv", lines.encode() + b"caf\xe9 au lait\n" + "Äpfel\n".encode()))
    assert rows[-2].captions == ["café au lait"]
    assert rows[-1].captions == ["Äpfel"]


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl"])
@pytest.mark.parametrize(("encoding", "is_told"), [("utf-8", False), ("utf-16", False), ("cp1251", True)])
def test_a_table_that_is_no_utf_8_is_told(tmp_path: Path, name: str, encoding: str, is_told: bool) -> None:
    records = [{"id": f"r{at}", "caption": "Портрет женщины"} for at in range(3)]
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    texts = {
        "t.csv": "id,caption\n" + "".join(f"{each['id']},{each['caption']}\n" for each in records),
        "t.json": f"[{','.join(lines)}]",
        "t.jsonl": "\n".join(lines),
    }
    path = file_of(tmp_path / name, texts[name].encode(encoding))
    rows, skipped = read(path)
    assert len(rows) == 3
    assert [(item.source, item.reason) for item in skipped] == [(name, Reason.NOTE)] * is_told
    with open_dataset(path) as dataset:
        assert [item.reason for item in dataset.describe().skipped] == [Reason.NOTE] * is_told


def test_a_letter_cut_off_at_the_end_of_the_first_bytes_is_utf_8() -> None:
    text = "Портрет".encode()
    assert not is_windows(text[:3])
    assert is_windows(text[:3] + b" ")


def test_texts_beside_pictures_that_are_no_utf_8_are_told_once(tmp_path: Path) -> None:
    files: Files = {f"{at}.png": png(at) for at in (1, 2)}
    texts = {f"{at}.txt": "Портрет женщины".encode("cp1251") for at in (1, 2)}
    _, skipped = read(zip_of(tmp_path / "x.zip", {**files, **texts}))
    assert [item.reason for item in skipped] == [Reason.NOTE]


def test_it_reads_line_breaks_inside_quotes(tmp_path: Path) -> None:
    rows, _ = read(file_of(tmp_path / "t.csv", 'id,caption\na,"two\nlines"\nb,one line\n'))
    assert [(row.id, row.captions, row.source) for row in rows] == [
        ("a", ["two\nlines"], "t.csv:2"),
        ("b", ["one line"], "t.csv:4"),
    ]


@pytest.mark.parametrize("after", [1, 3, 500])
def test_a_quote_that_is_never_closed_costs_one_row_its_quote(tmp_path: Path, after: int) -> None:
    lines = ["id,caption", 'a,"broken words', *[f"r{at},good words {at}" for at in range(after)]]
    rows, skipped = read(file_of(tmp_path / "t.csv", "\n".join(lines)))
    assert not skipped
    assert len(rows) == after + 1
    assert rows[0].captions == ["broken words"]
    assert "quote" in rows[0].notes[0]
    assert rows[-1].source == f"t.csv:{after + 2}"


@pytest.mark.parametrize("count", [150, 5_000])
def test_a_long_quoted_text_stays_whole(tmp_path: Path, count: int) -> None:
    article = "\n".join(f'line {at} of ""the"" article, and so on' for at in range(count))
    content = f'sep=,\nid,title,text\na,one,"{article}"\nb,two,"in ""quotes"""\n'
    rows, skipped = read(file_of(tmp_path / "t.csv", content), choices=Choices(captions=("text",)))
    assert not skipped
    assert [row.source for row in rows] == ["t.csv:3", f"t.csv:{count + 3}"]
    assert rows[0].captions[0].startswith('line 0 of "the" article, and so on\nline 1 of "the" article')
    assert not any("quote" in note for note in rows[0].notes)


def test_a_long_text_at_the_start_hides_no_delimiter(tmp_path: Path) -> None:
    article = "\n".join(f"line {at} of the article, and so on" for at in range(300))
    content = f'id;title;text\na;one;"{article}"\nb;two;"a short text"\n'
    rows, skipped = read(file_of(tmp_path / "t.csv", content))
    assert not skipped
    assert [row.id for row in rows] == ["a", "b"]


@pytest.mark.parametrize("last", ['r,"an end,x', 'r,an end 5",x'])
def test_records_are_not_run_together_by_a_quote_far_below(tmp_path: Path, last: str) -> None:
    lines = ["id,caption,n", 'a,"broken words,1', *[f"r{at},good words {at},1" for at in range(300)], last]
    rows, _ = read(file_of(tmp_path / "t.csv", "\n".join(lines)))
    assert len(rows) == 302


def test_it_mends_ragged_rows_and_says_so(tmp_path: Path) -> None:
    rows, skipped = read(
        file_of(tmp_path / "t.csv", "id,caption,year\na,red, ripe, round,1909\nb\nc,one more apple,1911\n")
    )
    assert [(row.id, row.captions, row.values) for row in rows] == [
        ("a", ["red, ripe, round"], {"year": 1909}),
        ("c", ["one more apple"], {"year": 1911}),
    ]
    assert "5 fields for 3 columns" in rows[0].notes[0]
    assert [(item.source, item.reason) for item in skipped] == [("t.csv:3", Reason.EMPTY)]


def test_it_names_empty_and_repeated_headers(tmp_path: Path) -> None:
    with open_dataset(
        file_of(tmp_path / "t.csv", ",caption,x,x,\n0,some words,1,2,3\n1,other words,4,5,6\n")
    ) as dataset:
        assert dataset.describe().all_columns == ("column_1", "caption", "x", "x_2", "column_5")


def test_it_reads_a_table_without_header(tmp_path: Path) -> None:
    rows, _ = read(file_of(tmp_path / "t.csv", "1,a red apple\n2,a green pear\n"))
    assert [row.captions for row in rows] == [["a red apple"], ["a green pear"]]


@pytest.mark.parametrize(
    ("header", "lines"),
    [
        ("country,1990,1991,description", ["Norway,12.5,13.1,fjords and hills", "Peru,8,9,a mountain land"]),
        ("caption,0,1,2", ["some words,7,7,a", "more words,9,1,b"]),
        ("id,caption,1990", ["1,some words,12", "2,more words,40"]),
        ("id,sentences.raw", ["a,a man on a horse", "b,two dogs. raw meat"]),
    ],
)
def test_a_header_may_have_numbers_and_dots(tmp_path: Path, header: str, lines: list[str]) -> None:
    path = file_of(tmp_path / "t.csv", "\n".join([header, *lines]))
    with open_dataset(path) as dataset:
        assert dataset.describe().all_columns == tuple(header.split(","))
    assert len(read(path)[0]) == 2


@pytest.mark.parametrize(
    "lines",
    [
        ["1,2,some words of one", "2,3,more words of two", "3,4,last words of all"],
        ["7,cat,some words of one", "9,dog,more words of two"],
        ["?,12,some words of one", "4,7,more words of two", "5,9,last words of all"],
        ["none such,1.5,some words of one", "4,7,more words of two", "5,9,last words of all"],
        ["a.png,0,some words of one", "b.png,1,more words of two"],
        ["some words of one,https://a.example/1.jpg?w=9", "more words of two,http://a.example/2"],
    ],
)
def test_a_first_row_like_the_others_is_no_header(tmp_path: Path, lines: list[str]) -> None:
    rows, _ = read(file_of(tmp_path / "t.csv", "\n".join(lines)))
    assert len(rows) == len(lines)


def test_a_number_without_end_below_a_header_is_read(tmp_path: Path) -> None:
    table = f"caption,1990,1991\nsome words of one,{'9' * 5_000},2\nmore words of two,3,{'9' * 5_000}\n"
    assert len(read(file_of(tmp_path / "t.csv", table))[0]) == 2


def test_a_single_row_of_numbers_is_no_header() -> None:
    assert not is_header(["1", "2", "some words"], [])


def test_it_drops_nul_characters_and_blank_lines(tmp_path: Path) -> None:
    rows, skipped = read(file_of(tmp_path / "t.csv", b"id,caption\n\n a ,wo\0rds here\n,\n\nb,more words\n"))
    assert not skipped
    assert [(row.id, row.captions) for row in rows] == [("a", ["words here"]), ("b", ["more words"])]


def test_a_line_over_the_limit_costs_only_itself(tmp_path: Path) -> None:
    content = "id,caption\na,one word\nb," + "x" * 5_000 + "\nc,two words\n"
    rows, skipped = read(file_of(tmp_path / "t.csv", content), limits=Limits(line_length=1_000))
    assert [row.id for row in rows] == ["a", "c"]
    assert [(item.source, item.reason) for item in skipped] == [("t.csv:3", Reason.OVER_LIMIT)]


def test_long_captions_and_values_are_cut_with_a_note(tmp_path: Path) -> None:
    content = f"caption,more\n{'words ' * 100},{'text ' * 100}\n"
    rows, _ = read(file_of(tmp_path / "t.csv", content), limits=Limits(caption_length=20, value_length=10))
    assert rows[0].captions == ["words words words wo"]
    assert rows[0].values == {"more": "text text "}
    assert len(rows[0].notes) == 2


def test_plain_lines_are_captions(tmp_path: Path) -> None:
    rows, _ = read(file_of(tmp_path / "lines.txt", "A dog, running fast\nA cat, asleep\n"))
    assert [row.captions for row in rows] == [["A dog, running fast"], ["A cat, asleep"]]


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"\xef\xbb\xbf", b"\0\0\0\0", b"a,b,c\n"])
def test_a_table_without_rows_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DatasetError, match=r"t\.csv"):
        read(file_of(tmp_path / "t.csv", content))


def test_columns_over_the_limit_are_reported(tmp_path: Path) -> None:
    header = ",".join(["caption", *[f"c{at}" for at in range(50)]])
    row = ",".join(["some words here", *["1"] * 50])
    rows, skipped = read(file_of(tmp_path / "t.csv", f"{header}\n{row}\n"), limits=Limits(columns=5))
    assert [(item.source, item.reason) for item in skipped] == [("t.csv", Reason.OVER_LIMIT)]
    assert skipped[0].detail == "It has 51 columns; the first 5 were read."
    assert rows[0].values == {"c0": 1, "c1": 1, "c2": 1, "c3": 1}
    assert not rows[0].notes


def test_rows_over_the_limit_are_reported_once(tmp_path: Path) -> None:
    content = "caption\n" + "some words\n" * 10
    rows, skipped = read(file_of(tmp_path / "t.csv", content), limits=Limits(rows=4))
    assert len(rows) == 4
    assert [item.reason for item in skipped] == [Reason.OVER_LIMIT]


def test_it_streams_a_long_table(tmp_path: Path) -> None:
    content = "caption\n" + "some words\n" * 50_000
    with open_dataset(file_of(tmp_path / "t.csv", content)) as dataset:
        assert sum(isinstance(item, Row) for item in dataset) == 50_000


def test_line_numbers_stay_true_after_a_dropped_line(tmp_path: Path) -> None:
    content = "id,caption\na,one word\nb," + "x" * 5_000 + '\nc,"two\nwords"\nd,"broken words\ne,last words\n'
    rows, _ = read(file_of(tmp_path / "t.csv", content), limits=Limits(line_length=1_000))
    assert [row.source for row in rows] == ["t.csv:2", "t.csv:4", "t.csv:6", "t.csv:7"]


def test_it_heeds_excels_separator_line(tmp_path: Path) -> None:
    rows, _ = read(file_of(tmp_path / "t.csv", "sep=;\r\nid;caption\r\na;one, two, three\r\n"))
    assert [(row.id, row.captions, row.source) for row in rows] == [("a", ["one, two, three"], "t.csv:3")]


def test_the_quote_before_what_would_be_a_formula_is_no_part_of_the_text(tmp_path: Path) -> None:
    content = "id,caption,'=note\na,'=1+1 is a sum,''-twice\nb,'Tis the season,'' nothing\n"
    rows, _ = read(file_of(tmp_path / "t.csv", content))
    assert [row.captions for row in rows] == [["=1+1 is a sum"], ["'Tis the season"]]
    assert [row.values["=note"] for row in rows] == ["'-twice", "'' nothing"]


@pytest.mark.parametrize("depth", [3, 300, 700, 900])
def test_lists_in_lists_are_read_to_any_depth(tmp_path: Path, depth: int) -> None:
    cell = "[" * depth + "1" + "]" * depth
    rows, _ = read(file_of(tmp_path / "t.csv", f"caption,x\nsome words,{cell}\nmore words,[2]\n"))
    assert len(rows) == 2
    assert "1" in str(rows[0].values["x"])


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_it_reads_numbers_with_decimal_commas(tmp_path: Path, delimiter: str) -> None:
    lines = ["caption;price;pair", "ein Apfel;3,14;1,2", "eine Birne;1.234,5;x", "eine Pflaume;2;3,4"]
    text = "\n".join(lines).replace(";", delimiter)
    rows, skipped = read(file_of(tmp_path / "t.csv", text))
    assert not skipped
    assert [row.values["price"] for row in rows] == [3.14, 1234.5, 2]
    assert [row.values["pair"] for row in rows] == ["1,2", "x", "3,4"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["12,500", "3,200", "980"], ["12,500", "3,200", "980"]),
        (["12,500", "3,20", "980"], [12.5, 3.2, 980]),
        (["12,500", "1.003,200"], [12.5, 1003.2]),
        (["0,125", "3,200"], [0.125, 3.2]),
        (["1234,500", "3,200"], [1234.5, 3.2]),
    ],
)
def test_commas_that_may_part_thousands_are_left(
    tmp_path: Path, delimiter: str, cells: list[str], values: list[str | float]
) -> None:
    lines = ["caption;sold", *(f"some words {at};{cell}" for at, cell in enumerate(cells))]
    rows, _ = read(file_of(tmp_path / "t.csv", "\n".join(lines).replace(";", delimiter)))
    assert [row.values["sold"] for row in rows] == values


def test_a_comma_between_commas_is_no_decimal_comma(tmp_path: Path) -> None:
    rows, _ = read(file_of(tmp_path / "t.csv", 'caption,sold\nan apple,"1,234"\na pear,"2,500"\n'))
    assert [row.values["sold"] for row in rows] == ["1,234", "2,500"]


def test_a_gzipped_table_that_expands_too_far_keeps_what_came_before(tmp_path: Path) -> None:
    table = "caption\nan apple\n" + (8_000 * "a" + "\n") * 1_100
    rows, skipped = read(file_of(tmp_path / "t.csv.gz", gzip.compress(table.encode())))
    assert rows[0].captions == ["an apple"]
    assert [(item.source, item.reason) for item in skipped] == [("t.csv.gz", Reason.BOMB)]


def test_a_table_ends_where_nothing_but_empty_lines_follow(tmp_path: Path) -> None:
    table = "caption\nan apple\n\na pear\n" + "\n" * 100_001 + "a plum\n"
    rows, skipped = read(file_of(tmp_path / "t.csv", table))
    assert [row.captions for row in rows] == [["an apple"], ["a pear"]]
    assert "From line 5 on" in skipped[0].detail


def test_a_list_of_pictures_with_a_space_behind_each_name_is_read(tmp_path: Path) -> None:
    files: Files = {f"val/{at}.png": png(at) for at in range(4)}
    lists = {
        "val_list.txt": [f"val/{at}.png {at % 2}" for at in range(4)],
        "words.txt": [
            "0.png  a red, ripe apple",
            "1.png a pear",
            "2.png\ta plum on a plate",
            "3.png\t a fig",
        ],
    }
    for name, lines in lists.items():
        rows, skipped = read(zip_of(tmp_path / "x.zip", {**files, name: "\n".join(lines) + "\n\n"}))
        assert not skipped
        assert names_of(rows) == [f"{at}.png" for at in range(4)]
        if name == "words.txt":
            assert rows[0].captions == ["a red, ripe apple"]
            assert rows[2].captions == ["a plum on a plate"]
        else:
            assert [row.values for row in rows] == [{"val_list": at % 2} for at in range(4)]


def test_the_lines_above_a_list_of_pictures_cost_only_themselves(tmp_path: Path) -> None:
    files: Files = {f"{at:06}.jpg": png(at) for at in range(30)}
    lines = ["30", "Bald Smiling", *(f"{at:06}.jpg -1 1" for at in range(30))]
    rows, skipped = read(zip_of(tmp_path / "x.zip", {**files, "list_attr_celeba.txt": "\n".join(lines)}))
    assert [row.values for row in rows] == [{"list_attr_celeba": "-1 1"}] * 30
    assert [item.source.rpartition(":")[2] for item in skipped] == ["1", "2"]


def test_lists_of_splits_are_of_one_kind_and_other_lists_are_not(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {f"{at}.png": png(at) for at in range(4)}
    files["train.txt"], files["val.txt"] = "0.png 7\n1.png 8\n", "2.png 7\n3.png 9\n"
    files["sex.txt"] = "".join(f"{at}.png {at % 2}\n" for at in range(4))
    rows, skipped = read(zip_of(tmp_path / "x.zip", files))
    assert not skipped
    told = [(row.values["label"], row.values["sex"]) for row in rows]
    assert told == [(7, 0), (8, 1), (7, 0), (9, 1)]
