"""Zip archives that are odd, broken or hostile."""

import io
import stat
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from embeddings.readers import DatasetError, Limits, ReadError, Reason, Row, Skipped, open_dataset
from tests.readers.builders import Files, file_of, names_of, png, read, zip_of

THREE: Files = {f"{at}.png": png(at) for at in range(3)}


def test_it_skips_names_that_point_elsewhere(tmp_path: Path) -> None:
    evil = ["../../etc/1.png", "/abs/2.png", "C:\\3.png", "a/../../4.png", "..\\5.png"]
    rows, skipped = read(zip_of(tmp_path / "x.zip", {**THREE, **dict.fromkeys(evil, png())}))
    assert names_of(rows) == ["0.png", "1.png", "2.png"]
    assert [item.reason for item in skipped] == [Reason.UNSAFE] * 5
    assert sorted(tmp_path.iterdir()) == [tmp_path / "x.zip"]


def test_it_reads_windows_separators(tmp_path: Path) -> None:
    rows, _ = read(
        zip_of(tmp_path / "x.zip", {"images\\1.png": png(1), "t.csv": "file,caption\nimages\\1.png,hello\n"})
    )
    assert rows[0].captions == ["hello"]


def test_it_never_follows_links(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", THREE)
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    rows, skipped = read(path)
    assert len(rows) == 3
    assert [(item.source, item.reason) for item in skipped] == [("x.zip/link.png", Reason.UNSAFE)]


def test_it_skips_locked_entries(tmp_path: Path) -> None:
    data = bytearray(zip_of(tmp_path / "x.zip", THREE).read_bytes())
    entry = data.rfind(b"PK\1\2")
    data[entry + 8] |= 1
    rows, skipped = read(file_of(tmp_path / "y.zip", bytes(data)))
    assert len(rows) == 2
    assert [item.reason for item in skipped] == [Reason.ENCRYPTED]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_it_skips_packing_it_cannot_bound(tmp_path: Path, method: int) -> None:
    path = zip_of(tmp_path / "x.zip", THREE)
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr("odd.png", png(7))
    rows, skipped = read(path)
    assert len(rows) == 3
    assert [item.reason for item in skipped] == [Reason.UNSUPPORTED]


def test_it_keeps_the_first_of_two_equal_names(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"1.png": png(1)})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("1.png", png(2))
    rows, skipped = read(path)
    assert rows[0].picture is not None
    assert rows[0].picture.read() == png(1)
    assert [item.reason for item in skipped] == [Reason.DUPLICATE_NAME]


def test_it_skips_an_entry_that_expands_too_far(tmp_path: Path) -> None:
    rows, skipped = read(zip_of(tmp_path / "x.zip", {**THREE, "bomb.png": bytes(20_000_000)}))
    assert len(rows) == 3
    assert [(item.source, item.reason) for item in skipped] == [("x.zip/bomb.png", Reason.BOMB)]


def test_it_skips_entries_that_share_their_bytes(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {f"{at}.png": png(7) for at in range(5)}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\1\2")
    while at >= 0:
        data[at + 42 : at + 46] = struct.pack("<I", 0)
        at = data.find(b"PK\1\2", at + 4)
    _, skipped = read(file_of(tmp_path / "y.zip", bytes(data)))
    assert [item.reason for item in skipped] == [Reason.BOMB] * 4


def test_a_damaged_entry_costs_only_itself(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", THREE, zipfile.ZIP_STORED)
    data = path.read_bytes().replace(png(1), png(1)[:-8] + b"\0\0\0\0\0\0\0\0")
    with open_dataset(file_of(tmp_path / "y.zip", data)) as dataset:
        outcomes = [(item.source, outcome(item)) for item in dataset]
    assert outcomes == [("y.zip/0.png", "ok"), ("y.zip/1.png", Reason.CORRUPT), ("y.zip/2.png", "ok")]


def outcome(item: Row | Skipped) -> str:
    assert isinstance(item, Row)
    assert item.picture is not None
    try:
        item.picture.read()
    except ReadError as error:
        return error.reason
    return "ok"


@pytest.mark.parametrize("keep", [4, 30, 0.5, 0.9, -1])
def test_a_cut_zip_is_one_sentence(tmp_path: Path, keep: float) -> None:
    data = zip_of(tmp_path / "x.zip", THREE).read_bytes()
    size = int(keep) if keep > 1 or keep < 0 else int(len(data) * keep)
    with pytest.raises(DatasetError, match=r"y\.zip"):
        read(file_of(tmp_path / "y.zip", data[:size]))


def test_a_cut_zip_costs_nothing_beside_it(tmp_path: Path) -> None:
    good = zip_of(tmp_path / "good.zip", THREE)
    bad = file_of(tmp_path / "bad.zip", good.read_bytes()[:100])
    rows, skipped = read([bad, good])
    assert len(rows) == 3
    assert [(item.source, item.reason) for item in skipped] == [("bad.zip", Reason.CORRUPT)]


def test_an_empty_zip_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no pictures"):
        read(zip_of(tmp_path / "x.zip", {}))


def test_it_refuses_a_list_of_contents_over_the_limit(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", THREE)
    with pytest.raises(DatasetError, match="limit is 2"):
        read(path, limits=Limits(entries=2))


def test_it_refuses_a_false_count_of_entries_before_reading_them(tmp_path: Path) -> None:
    data = bytearray(zip_of(tmp_path / "x.zip", THREE).read_bytes())
    end = data.rfind(b"PK\5\6")
    data[end + 12 : end + 16] = struct.pack("<I", 0xFFFFFF00)
    with pytest.raises(DatasetError):
        read(file_of(tmp_path / "y.zip", bytes(data)))


def test_it_counts_the_entries_of_a_list_that_tells_too_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(zip_of(tmp_path / "x.zip", THREE).read_bytes())
    end = data.rfind(b"PK\5\6")
    data[end + 10 : end + 12] = struct.pack("<H", 1)
    path = file_of(tmp_path / "y.zip", bytes(data))
    assert len(read(path)[0]) == 3
    monkeypatch.setattr(zipfile, "ZipFile", None)  # it would read all of the list
    with pytest.raises(DatasetError, match="limit is 2"):
        read(path, limits=Limits(entries=2))


def test_it_reads_names_that_macos_left_without_their_encoding(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"AA.png": png(1), "t.csv": "file,caption\nÄ.png,hello\n"})
    rows, skipped = read(file_of(tmp_path / "y.zip", path.read_bytes().replace(b"AA.png", "Ä.png".encode())))
    assert not skipped
    assert rows[0].captions == ["hello"]
    assert rows[0].picture is not None
    assert rows[0].picture.name == "y.zip/Ä.png"


def test_names_match_in_either_unicode_form(tmp_path: Path) -> None:
    rows, skipped = read(
        zip_of(tmp_path / "x.zip", {"A\u0308.png": png(1), "t.csv": "file,caption\nÄ.png,hello\n"})
    )
    assert not skipped
    assert rows[0].captions == ["hello"]


def test_it_reads_zip64(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive, archive.open("1.png", "w", force_zip64=True) as entry:
        entry.write(png(1))
    rows, _ = read(path)
    assert len(rows) == 1


@pytest.mark.parametrize("place", [2**62, 2**63, 2**64 - 1])
def test_a_zip64_whose_list_lies_nowhere_is_refused_or_read(tmp_path: Path, place: int) -> None:
    whole = zip_of(tmp_path / "whole.zip", {"1.png": png(1)}).read_bytes()
    end = whole.rindex(b"PK\5\6")
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, place, 1)
    path = file_of(tmp_path / "x.zip", whole[:end] + locator + whole[end:])
    with suppress(DatasetError):
        read(path)


def test_it_reads_a_zip_with_a_comment_and_bytes_before_it(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("1.png", png(1))
        archive.comment = b"PK" + b"x" * 500
    rows, _ = read(file_of(tmp_path / "x.zip", packed.getvalue()))
    assert len(rows) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_it_says_what_an_office_document_is(tmp_path: Path, order: int) -> None:
    files = {"[Content_Types].xml": "<x/>", "docProps/app.xml": "<x/>", "word/document.xml": "<x/>"}
    with pytest.raises(
        DatasetError, match=r"table\.docx is an office document; save its table as CSV or XLSX"
    ):
        read(zip_of(tmp_path / "table.docx", dict(list(files.items())[::order])))


@pytest.mark.parametrize("name", ["t.numbers", "t.ods", "t.xlsb"])
def test_a_spreadsheet_of_another_kind_is_not_opened_as_a_zip(tmp_path: Path, name: str) -> None:
    files: Files = {"preview.jpg": png(1), "Index/Document.iwa": b"x"}
    with pytest.raises(DatasetError, match=r"is an office document; save its table as CSV or XLSX"):
        read(zip_of(tmp_path / name, files))


def test_parts_of_a_split_zip_say_what_to_upload_instead(tmp_path: Path) -> None:
    data = bytearray(b"PK\7\10" + zip_of(tmp_path / "whole.zip", THREE).read_bytes())
    end = data.rfind(b"PK\5\6")
    data[end + 4 : end + 8] = struct.pack("<HH", 2, 2)
    parts = [
        file_of(tmp_path / name, bytes(data[at : at + 150]))
        for name, at in (("x.z01", 0), ("x.z02", 150), ("x.zip", end - 128))
    ]
    good = zip_of(tmp_path / "y.zip", THREE)
    rows, skipped = read([*parts, good])
    assert len(rows) == 3
    assert [(item.source, item.reason) for item in skipped] == [
        (part.name, Reason.UNSUPPORTED) for part in parts
    ]
    for part in parts:
        with pytest.raises(DatasetError, match=rf"{part.name} is one part .* upload the folder, or a zip"):
            read(part)


@pytest.mark.parametrize(
    "name", ["x.zip.001", "x.7z.002", "my.photos.tar.gz.ab", "x.tar.aa", "x.zip.part", "x.ZIP.PART2"]
)
def test_parts_of_other_split_archives_say_what_to_upload_instead(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="is one part of an archive that was split"):
        read(file_of(tmp_path / name, zip_of(tmp_path / "whole.zip", THREE).read_bytes()[:150]))


@pytest.mark.parametrize(("start", "packer"), [(b"7z\xbc\xaf\x27\x1c", "7-Zip"), (b"Rar!\x1a\7", "RAR")])
def test_other_archives_say_what_to_upload_instead(tmp_path: Path, start: bytes, packer: str) -> None:
    path = file_of(tmp_path / "x.bin", start + bytes(600))
    with pytest.raises(
        DatasetError, match=rf"x\.bin is packed with {packer}; unpack it, and upload the folder"
    ):
        read(path)
    _, skipped = read([path, zip_of(tmp_path / "y.zip", THREE)])
    assert [(item.source, item.reason) for item in skipped] == [("x.bin", Reason.UNSUPPORTED)]
