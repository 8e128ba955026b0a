"""Tar archives, plain and gzipped, that are odd, broken or hostile."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from embeddings.readers import DatasetError, Limits, Reason, open_dataset
from tests.readers.builders import Files, file_of, names_of, png, read, tar_of

THREE: Files = {f"{at}.png": png(at) for at in range(3)}


def tar_with(path: Path, *infos: tarfile.TarInfo) -> Path:
    tar_of(path, THREE)
    with tarfile.open(path, "a") as archive:
        for info in infos:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return path


def info_of(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_it_skips_links_and_devices(tmp_path: Path) -> None:
    rows, skipped = read(
        tar_with(
            tmp_path / "x.tar",
            info_of("a.png", tarfile.SYMTYPE, "/etc/passwd"),
            info_of("b.png", tarfile.LNKTYPE, "0.png"),
            info_of("c.png", tarfile.CHRTYPE),
            info_of("d.png", tarfile.FIFOTYPE),
            info_of("folder", tarfile.DIRTYPE),
        )
    )
    assert names_of(rows) == ["0.png", "1.png", "2.png"]
    assert [item.reason for item in skipped] == [Reason.UNSAFE] * 4


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "a/../../evil.png"])
def test_it_skips_names_that_point_elsewhere(tmp_path: Path, name: str) -> None:
    rows, skipped = read(tar_of(tmp_path / "x.tar", {**THREE, name: png()}))
    assert len(rows) == 3
    assert [item.reason for item in skipped] == [Reason.UNSAFE]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_it_reads_every_tar_dialect(tmp_path: Path, form: int) -> None:
    long = "/".join(["folder" * 5] * 4) + "/picture.png"
    unicode = "" if form == tarfile.USTAR_FORMAT else "Ä"
    rows, skipped = read(tar_of(tmp_path / "x.tar", {long: png(1), f"x/{unicode}2.png": png(2)}, form))
    assert not skipped
    assert names_of(rows) == ["picture.png", f"{unicode}2.png"]


@pytest.mark.parametrize("packed", ["x.tar", "x.tar.gz"])
def test_a_cut_tar_keeps_what_came_before(tmp_path: Path, packed: str) -> None:
    data = tar_of(tmp_path / "whole.tar", {**THREE, "t.txt": "x" * 3000}).read_bytes()[: 2 * 1024 + 540]
    path = file_of(tmp_path / packed, gzip.compress(data) if packed.endswith("gz") else data)
    rows, skipped = read(path)
    assert names_of(rows) == ["0.png", "1.png"]
    assert [(item.source, item.reason) for item in skipped] == [(packed, Reason.CORRUPT)]
    assert "1.png" in skipped[0].detail


def test_a_cut_gzip_keeps_what_came_before(tmp_path: Path) -> None:
    noise = bytes(at * at % 251 for at in range(400_000))
    files: Files = {**THREE, "big.txt": noise, "9.png": png(9)}
    data = tar_of(tmp_path / "whole.tar.gz", files).read_bytes()
    rows, skipped = read(file_of(tmp_path / "x.tar.gz", data[:-700]))
    assert names_of(rows) == ["0.png", "1.png", "2.png"]
    assert Reason.CORRUPT in [item.reason for item in skipped]


def test_damage_in_the_middle_is_reported_not_taken_for_the_end(tmp_path: Path) -> None:
    data = bytearray(tar_of(tmp_path / "whole.tar", THREE).read_bytes())
    data[2 * 1024 + 10] ^= 0xFF
    rows, skipped = read(file_of(tmp_path / "x.tar", bytes(data)))
    assert len(rows) == 2
    assert [item.reason for item in skipped] == [Reason.CORRUPT]


def test_a_gzip_bomb_is_stopped(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with gzip.open(packed, "wb", 1) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name, size in (("1.png", len(png(1))), ("bomb.png", 200_000_000)):
            info = tarfile.TarInfo(name)
            info.size = size
            archive.addfile(info, io.BytesIO(png(1) if name == "1.png" else bytes(size)))
    rows, skipped = read(file_of(tmp_path / "x.tar.gz", packed.getvalue()))
    assert names_of(rows) == ["1.png"]
    assert [item.reason for item in skipped] == [Reason.BOMB]


def test_an_extended_header_cannot_claim_the_memory(tmp_path: Path) -> None:
    info = info_of("x", tarfile.XHDTYPE)
    info.size = 8 * 2**30
    data = (
        tar_of(tmp_path / "a.tar", THREE).read_bytes()[: 3 * 1024]
        + info.tobuf(tarfile.GNU_FORMAT)
        + bytes(9000)
    )
    rows, skipped = read(file_of(tmp_path / "x.tar", data))
    assert len(rows) == 3
    assert [item.reason for item in skipped] == [Reason.CORRUPT]


def test_it_refuses_sparse_entries(tmp_path: Path) -> None:
    rows, skipped = read(tar_with(tmp_path / "x.tar", info_of("hole.png", tarfile.GNUTYPE_SPARSE)))
    assert len(rows) == 3
    assert [item.reason for item in skipped] == [Reason.UNSUPPORTED]


def test_it_reads_concatenated_gzip_streams(tmp_path: Path) -> None:
    data = tar_of(tmp_path / "a.tar", THREE).read_bytes()
    packed = gzip.compress(data[:1500]) + gzip.compress(data[1500:]) + bytes(100)
    rows, skipped = read(file_of(tmp_path / "x.tar.gz", packed))
    assert len(rows) == 3
    assert not skipped


def test_it_reads_a_gzip_backwards(tmp_path: Path) -> None:
    chunk = bytes(range(256)) * 4_000
    files: Files = {f"{at}.png": png(at) + chunk + bytes([at]) * 3 for at in range(20)}
    with open_dataset(tar_of(tmp_path / "x.tar.gz", files)) as dataset:
        rows = list(dataset)
        for row, content in reversed(list(zip(rows, files.values(), strict=True))):
            assert getattr(row, "picture").read() == content  # noqa: B009 - Row or Skipped


def test_an_empty_tar_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no pictures"):
        read(tar_of(tmp_path / "x.tar", {}))


def test_it_refuses_too_many_entries(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="limit"):
        read(tar_of(tmp_path / "x.tar", THREE), limits=Limits(entries=2))


@pytest.mark.parametrize(
    ("start", "packer"),
    [(b"BZh9", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"7z\xbc\xaf\x27\x1c", "7-Zip"), (b"Rar!", "RAR")],
)
def test_it_names_the_packers_it_does_not_know(tmp_path: Path, start: bytes, packer: str) -> None:
    with pytest.raises(DatasetError, match=packer):
        read(file_of(tmp_path / "x.tar", start + bytes(600)))


def test_it_reads_archives_that_were_put_together_by_cat(tmp_path: Path) -> None:
    more = tar_of(tmp_path / "more.tar", {"3.png": png(3)}).read_bytes()
    both = tar_of(tmp_path / "x.tar", THREE).read_bytes() + more
    rows, skipped = read(file_of(tmp_path / "x.tar", both))
    assert names_of(rows) == ["0.png", "1.png", "2.png", "3.png"]
    assert not skipped
    rows, _ = read(file_of(tmp_path / "x.tar.gz", gzip.compress(both)))
    assert len(rows) == 4


def test_what_lies_behind_the_end_mark_is_reported(tmp_path: Path) -> None:
    data = tar_of(tmp_path / "x.tar", THREE).read_bytes()
    rows, skipped = read(file_of(tmp_path / "x.tar", data + b"junk" * 200))
    assert len(rows) == 3
    assert [item.reason for item in skipped] == [Reason.CORRUPT]


@pytest.mark.parametrize(("name", "words"), [("x.gz", "no archive"), ("x.gz", "empty"), ("x", "empty")])
def test_what_is_no_archive_after_all_is_one_sentence(tmp_path: Path, name: str, words: str) -> None:
    content = b"" if words == "empty" else gzip.compress(b"words")
    with pytest.raises(DatasetError, match=f"{name}: .*{words}"):
        read(file_of(tmp_path / name, content))
