"""Excel workbooks, by themselves and beside pictures."""

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from embeddings.readers import ColumnType, DatasetError, Limits, Reason, excels, open_dataset
from tests.readers.builders import file_of, names_of, png, read, tar_of, workbook, zip_of

HEADS = ["file", "title", "year", "found on", "on view"]
PEARS = ["1.png", "A green pear", 1909, datetime.fromisoformat("1910-05-01"), True]
PLUMS = ["2.png", "A blue plum", 1912, datetime.fromisoformat("1911-06-02"), False]


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
#: Texts in a list of their own, dates as days since 1900, formulas with their values.
AS_EXCEL_SAVES = {
    "[Content_Types].xml": f"""<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels"
        ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
        <Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>
        <Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/>
        <Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/>
        <Override PartName="/xl/sharedStrings.xml" ContentType="{KIND}.sharedStrings+xml"/></Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1"
        Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>""",
    "xl/workbook.xml": f"""<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>
        <sheet name="Fruit" sheetId="1" r:id="rId1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="{PACKAGE}/relationships">
        <Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>""",
    "xl/styles.xml": f"""<styleSheet xmlns="{MAIN}"><fonts><font/></fonts>
        <fills><fill><patternFill/></fill></fills><borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs>
        <cellXfs><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>""",
    "xl/sharedStrings.xml": f"""<sst xmlns="{MAIN}"><si><t>title</t></si><si><t>found on</t></si>
        <si><t>sum</t></si><si><r><t>A green </t></r><r><rPr><b/></rPr><t>pear</t></r></si></sst>""",
    "xl/worksheets/sheet1.xml": f"""<worksheet xmlns="{MAIN}"><sheetData>
        <row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>
        <row r="2"><c r="A2" t="s"><v>3</v></c><c r="B2" s="1"><v>3774</v></c>
        <c r="C2"><f>1+1</f><v>2</v></c></row></sheetData></worksheet>""",
}


def excel_of(path: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    return file_of(path, workbook(**sheets))


def test_a_workbook_beside_its_pictures_gives_captions_and_typed_columns(tmp_path: Path) -> None:
    table = excel_of(tmp_path / "t.xlsx", Fruit=[HEADS, PEARS, PLUMS])
    pictures = zip_of(tmp_path / "p.zip", {"1.png": png(1), "2.png": png(2)})
    rows, skipped = read([table, pictures])
    assert not skipped
    assert names_of(rows) == ["1.png", "2.png"]
    assert [row.captions for row in rows] == [["A green pear"], ["A blue plum"]]
    assert rows[0].values == {"year": 1909, "found on": datetime(1910, 5, 1, tzinfo=UTC), "on view": "true"}
    assert rows[1].source == "t.xlsx:3"
    with open_dataset([table, pictures]) as dataset:
        kinds = {column.name: column.type for column in dataset.describe().columns}
    assert kinds == {
        "year": ColumnType.NUMBER, "found on": ColumnType.DATE, "on view": ColumnType.CATEGORY,
    }  # fmt: skip


def test_a_workbook_is_read_as_excel_itself_saves_it(tmp_path: Path) -> None:
    [row], skipped = read(zip_of(tmp_path / "t.xlsx", AS_EXCEL_SAVES))
    assert not skipped
    assert row.captions == ["A green pear"]
    assert row.values == {"found on": datetime(1910, 5, 1, tzinfo=UTC), "sum": 2}


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_a_workbook_inside_an_archive_is_read(tmp_path: Path, pack: Any) -> None:
    files = {"a/1.png": png(1), "a/list.xlsx": workbook(Fruit=[HEADS, PEARS])}
    [row], skipped = read(pack(tmp_path / "x.zip", files))
    assert not skipped
    assert row.captions == ["A green pear"]
    assert row.picture is not None
    assert row.picture.name == "x.zip/a/1.png"


def test_of_sheets_with_other_columns_the_first_with_rows_is_read_and_the_others_are_named(
    tmp_path: Path,
) -> None:
    path = excel_of(tmp_path / "t.xlsx", Empty=[], Fruit=[["text"], ["a pear"]], Old=[["words"], ["a plum"]])
    rows, [note] = read(path)
    assert [row.captions for row in rows] == [["a pear"]]
    assert (note.source, note.reason) == ("t.xlsx", Reason.NOTE)
    assert "“Fruit” was read" in note.detail
    assert "“Old”" in note.detail
    assert "Empty" not in note.detail


def test_sheets_with_the_same_columns_are_one_table_that_tells_the_sheet(tmp_path: Path) -> None:
    head = ["title", "year"]
    path = excel_of(
        tmp_path / "t.xlsx",
        East=[head, ["A pear", 1], ["A plum", 2]],
        Prices=[["title", "price"], ["A pear", 9]],
        West=[["All fruit of the west"], head, ["A fig", 3, "dried"], ["A quince", 4]],
    )
    rows, skipped = read(path)
    assert [(row.captions, row.values, row.source) for row in rows] == [
        (["A pear"], {"year": 1, "sheet": "East"}, "t.xlsx:East:2"),
        (["A plum"], {"year": 2, "sheet": "East"}, "t.xlsx:East:3"),
        (["A fig"], {"year": 3, "sheet": "West"}, "t.xlsx:West:3"),
        (["A quince"], {"year": 4, "sheet": "West"}, "t.xlsx:West:4"),
    ]
    assert rows[2].notes == ("The row has 3 cells for 2 columns; the surplus was left out.",)
    assert [item.source for item in skipped] == ["t.xlsx", "t.xlsx:West:1"]
    assert "“East”, “West” have the same columns, and all were read" in skipped[0].detail
    assert skipped[0].detail.endswith("save others as files of their own: “Prices”.")


def test_sheets_that_have_a_column_of_that_name_keep_it(tmp_path: Path) -> None:
    head = ["title", "sheet"]
    path = excel_of(tmp_path / "t.xlsx", East=[head, ["A pear", "one"]], West=[head, ["A fig", "two"]])
    rows, _ = read(path)
    assert [row.values for row in rows] == [{"sheet": "one"}, {"sheet": "two"}]


def test_sheets_without_a_head_are_not_taken_for_one_table(tmp_path: Path) -> None:
    east, west = [["A green pear", 1909], ["A red plum", 1912]], [["A large vase", 3], ["A small bowl", 5]]
    rows, [note] = read(excel_of(tmp_path / "t.xlsx", East=east, West=west))
    assert [row.captions for row in rows] == [["A green pear"], ["A red plum"]]
    assert "“West”" in note.detail


def test_a_hidden_sheet_is_not_read(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["secret"])
    book.active.sheet_state = "hidden"
    book.create_sheet("Shown").append(["text"])
    book["Shown"].append(["a pear"])
    book.active = 1
    book.save(tmp_path / "t.xlsx")
    rows, skipped = read(tmp_path / "t.xlsx")
    assert not skipped
    assert [row.captions for row in rows] == [["a pear"]]


def test_titles_above_the_table_and_blank_rows_are_left_out(tmp_path: Path) -> None:
    rows, skipped = read(
        excel_of(
            tmp_path / "t.xlsx",
            Fruit=[[], [None, "Fruit of 1909"], [], ["title", "year"], ["A pear", 1], [], ["A plum", 2]],
        )
    )
    assert [(row.captions, row.values, row.source) for row in rows] == [
        (["A pear"], {"year": 1}, "t.xlsx:5"), (["A plum"], {"year": 2}, "t.xlsx:7"),
    ]  # fmt: skip
    assert [(item.source, item.reason) for item in skipped] == [("t.xlsx:2", Reason.NOTE)]
    assert "Fruit of 1909" in skipped[0].detail


def test_a_column_without_a_name_is_numbered_and_a_surplus_cell_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excels, "_SAMPLE", 2)
    path = excel_of(
        tmp_path / "t.xlsx", Fruit=[["title"], ["A pear", 3], ["A plum", 4, "lost"], ["A fig", None]]
    )
    rows, _ = read(path)
    assert [row.values for row in rows] == [{"column_2": 3}, {"column_2": 4}, {}]
    assert rows[1].notes == ("The row has 3 cells for 2 columns; the surplus was left out.",)


def test_what_is_no_value_is_empty_and_a_time_is_text(tmp_path: Path) -> None:
    rows, _ = read(
        excel_of(
            tmp_path / "t.xlsx",
            Fruit=[["title", "sum", "at"], ["A pear", "#DIV/0!", time(9, 30)], ["A plum", "=1+1", None]],
        )
    )
    assert [row.values for row in rows] == [{"at": "09:30:00"}, {}]


def test_more_columns_than_the_limit_are_told(tmp_path: Path) -> None:
    path = excel_of(tmp_path / "t.xlsx", Fruit=[["title", "b", "c"], ["A pear", 1, 2]])
    [row], skipped = read(path, limits=Limits(columns=2))
    assert row.values == {"b": 1}
    assert [item.reason for item in skipped] == [Reason.OVER_LIMIT]


def test_a_sheet_that_claims_to_be_wide_and_ends_far_down_is_read_in_time(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["title", "year"])
    book.active.append(["A pear", 1])
    book.active.cell(1_048_576, 1).value = " "
    written = io.BytesIO()
    book.save(written)
    path = tmp_path / "t.xlsx"
    with zipfile.ZipFile(written) as before, zipfile.ZipFile(path, "w") as after:
        for info in before.infolist():
            content = before.read(info)
            after.writestr(info, content.replace(b"A1:B1048576", b"A1:XFD1048576"))
    [row], skipped = read(path)
    assert not skipped
    assert row.values == {"year": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (workbook(Fruit=[]), "There is no row in it"),
        (zip_of, "no Excel workbook that can be read"),
        (b"PK\3\4" + bytes(200), "no Excel workbook that can be read"),
        (b"title,year\nA pear,1\n", "no Excel workbook that can be read"),
        (b"\xd0\xcf\x11\xe0" + bytes(200), "an office document"),  # as one with a password is
    ],
)
def test_what_is_no_table_in_a_workbook_says_so(tmp_path: Path, content: Any, said: str) -> None:
    path = tmp_path / "t.xlsx"
    if content is zip_of:
        zip_of(path, {"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"})
    else:
        file_of(path, content)
    with pytest.raises(DatasetError, match=rf"t\.xlsx.*{said}"):
        read(path)


def damaged(content: bytes, sheet: str, before: bytes) -> bytes:
    """The workbook, one sheet of which ends in the middle of its XML."""
    after = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as whole, zipfile.ZipFile(after, "w") as archive:
        for info in whole.infolist():
            content = whole.read(info)
            if info.filename == f"xl/worksheets/{sheet}.xml":
                content = content[: content.index(before)] + b"<<<"
            archive.writestr(info, content)
    return after.getvalue()


@pytest.mark.parametrize("sample", [2, 200])
def test_a_damaged_row_costs_itself_and_those_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: int
) -> None:
    monkeypatch.setattr(excels, "_SAMPLE", sample)
    whole = workbook(Fruit=[["title", "year"], *([f"Pear {at}", at] for at in range(10))])
    path = tmp_path / "t.xlsx"
    path.write_bytes(damaged(whole, "sheet1", b'r="A6"'))
    rows, [skipped] = read(path)
    assert [row.values for row in rows] == [{"year": at} for at in range(4)]
    assert skipped.reason == Reason.CORRUPT
    assert "damaged after row 5" in skipped.detail


def test_a_damaged_sheet_costs_the_sheets_after_it_nothing(tmp_path: Path) -> None:
    head = ["title", "year"]
    years: dict[str, list[list[Any]]] = {
        f"Y{year}": [head, *([f"Pear {at} of {year}", year] for at in range(4))]
        for year in (1990, 1991, 1992)
    }
    path = tmp_path / "t.xlsx"
    path.write_bytes(damaged(workbook(**years), "sheet2", b'r="A4"'))
    rows, skipped = read(path)
    assert [row.values["year"] for row in rows] == [1990] * 4 + [1991] * 2 + [1992] * 4
    [told] = [each for each in skipped if each.reason == Reason.CORRUPT]
    assert told.source.endswith("t.xlsx:Y1991")
    assert "damaged after row 3" in told.detail


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("xl/worksheets/sheet9.xml", "expands more than 200 times"),
        ("xl/worksheets/sheet1.xml", "too large for a workbook"),
        ("xl/sharedStrings.xml", "too large for a workbook"),
    ],
)
def test_a_workbook_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    path = zip_of(tmp_path / "t.xlsx", AS_EXCEL_SAVES)
    if name.endswith("9.xml"):
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, bytes(9 * 2**20))
    else:
        limit = "MOST_SHEET_BYTES" if "sheet1" in name else "MOST_OTHER_BYTES"
        with zipfile.ZipFile(path) as archive:
            monkeypatch.setattr(excels, limit, archive.getinfo(name).file_size - 1)
    with pytest.raises(DatasetError, match=reason):
        read(path)
