"""Thumbnail sheets: read back by FORMAT.md alone, one picture a cell, the most representative first."""

import io
import json
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from atlas.maps.sheets import SheetSet, write_sheets
from atlas.maps.tiles import Frame, drawing_order
from atlas.maps.work import Cancelled

FRAME = Frame(0, 0, 1)


class Shown(NamedTuple):
    ordinal: int
    x: float  # world
    y: float
    cell: int
    size: tuple[int, int]
    colour: tuple[int, int, int]  # in the middle of the picture


def colour_of(at: int) -> tuple[int, int, int]:
    return (at * 37 % 200 + 20, at * 91 % 200 + 20, at * 53 % 200 + 20)


def picture(at: int, size: tuple[int, int] = (90, 60)) -> bytes:
    body = io.BytesIO()
    Image.new("RGB", size, colour_of(at)).save(body, "PNG")
    return body.getvalue()


def scattered(n: int, seed: int = 0) -> npt.NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return np.clip(
        random.choice([0.2, 0.5, 0.8], (n, 2)) + random.normal(scale=0.05, size=(n, 2)), 0, 0.999
    ).astype(np.float32)


def write(out: Path, coordinates: npt.NDArray[np.float32], load: Any = picture, **more: Any) -> SheetSet:
    n = len(coordinates)
    return write_sheets(
        out, coordinates, drawing_order(n, 1), np.arange(n, dtype=np.uint32) + 1000, FRAME, load, **more
    )


def read_sheets(out: Path) -> dict[tuple[int, int, int], list[Shown]]:
    """A reader written from FORMAT.md, not from the writer."""
    index = json.loads((out / "thumbs/index.json").read_text())
    assert (index["size"], index["cells"]) == (64, 16)
    names = [(0, 0, 0)] if index["sheets"]["count"] else []
    sheets = {}
    for at, count in enumerate(index["sheets"]["count"]):
        z, x, y = names[at]
        kids = [q for q in range(4) if index["sheets"]["children"][at] & (1 << q)]
        names += [(z + 1, 2 * x + (q & 1), 2 * y + (q >> 1)) for q in kids]
        base = out / "thumbs" / f"{z}-{x}-{y}"
        records = base.with_suffix(".idx").read_bytes()
        assert len(records) == 12 * count
        image = Image.open(base.with_suffix(".webp"))
        assert image.size == (1024, -(-count // 16) * 64)
        shown = []
        for i, (ordinal, hx, hy, cell, w, h, zero) in enumerate(struct.iter_unpack("<IHHBBBB", records)):
            assert zero == 0
            left, top = i % 16 * 64, i // 16 * 64
            middle = image.getpixel((left + w // 2, top + h // 2))
            world = ((x + (hx + 0.5) / 65536) / 2**z, (y + (hy + 0.5) / 65536) / 2**z)
            shown.append(Shown(ordinal, *world, cell, (w, h), middle))  # type: ignore[arg-type]
        sheets[z, x, y] = shown
    assert len(names) == len(sheets)
    return sheets


def test_a_sheet_shows_one_picture_a_cell_in_order_of_cells(tmp_path: Path) -> None:
    coordinates = scattered(800)
    write(tmp_path, coordinates)
    for (z, x, y), shown in read_sheets(tmp_path).items():
        cells = [each.cell for each in shown]
        assert cells == sorted(set(cells))
        for each in shown:
            column, row = int((each.x * 2**z - x) * 16), int((each.y * 2**z - y) * 16)
            assert each.cell == column + 16 * row
            assert np.abs(coordinates[each.ordinal - 1000] - [each.x, each.y]).max() < 2.0**-16


def test_each_cell_shows_its_point_of_lowest_rank(tmp_path: Path) -> None:
    coordinates = scattered(800)
    rank = drawing_order(800, 1)
    write(tmp_path, coordinates)
    for (z, x, y), shown in read_sheets(tmp_path).items():
        inside = (np.floor(coordinates * 2**z) == [x, y]).all(axis=1)
        cell = (np.floor(coordinates * 2**z * 16) - np.array([x, y]) * 16) @ [1, 16]
        for each in shown:
            there = np.flatnonzero(inside & (cell == each.cell))
            assert each.ordinal - 1000 == there[rank[there].argmin()]
        assert len(shown) == len(np.unique(cell[inside]))


def test_pictures_keep_their_shape_and_colours(tmp_path: Path) -> None:
    sizes = {0: (90, 60), 1: (10, 200), 2: (5, 4), 3: (1, 1000)}
    coordinates = np.array([[0.1, 0.1], [0.3, 0.8], [0.9, 0.4], [0.6, 0.6]], np.float32)
    write(tmp_path, coordinates, lambda at: picture(at, sizes[at]))
    shown = {each.ordinal - 1000: each for each in read_sheets(tmp_path)[0, 0, 0]}
    assert {at: each.size for at, each in shown.items()} == {0: (64, 43), 1: (3, 64), 2: (5, 4), 3: (1, 64)}
    assert np.abs(np.subtract(shown[0].colour, colour_of(0))).max() < 12


def test_points_of_a_crowd_appear_on_deeper_sheets(tmp_path: Path) -> None:
    written = write(tmp_path, scattered(800))
    sheets = read_sheets(tmp_path)
    on_top = {each.ordinal for each in sheets[0, 0, 0]}
    everywhere = {each.ordinal for shown in sheets.values() for each in shown}
    assert on_top < everywhere
    assert written.pictures == len(everywhere)
    assert written.sheets == len(sheets)


def test_the_pyramid_ends_where_all_are_shown_or_few_are_left(tmp_path: Path) -> None:
    coordinates = scattered(800)
    write(tmp_path, coordinates)
    sheets = read_sheets(tmp_path)
    for (z, x, y), shown in sheets.items():
        has_children = any((z + 1, 2 * x + i, 2 * y + j) in sheets for i in (0, 1) for j in (0, 1))
        count = (np.floor(coordinates * 2**z) == [x, y]).all(axis=1).sum()
        assert count >= (24 if z else 1)
        assert not (has_children and len(shown) == count)
        assert z <= 6


def test_a_picture_is_loaded_once(tmp_path: Path) -> None:
    loaded: list[int] = []

    def load(at: int) -> bytes:
        loaded.append(at)
        return picture(at)

    write(tmp_path, scattered(500), load)
    assert len(loaded) == len(set(loaded))


@pytest.mark.parametrize("body", [None, b"", b"no picture", picture(1)[:60]])
def test_a_missing_or_broken_picture_leaves_its_cell_free(tmp_path: Path, body: bytes | None) -> None:
    coordinates = np.array([[0.1, 0.1], [0.9, 0.9]], np.float32)
    written = write(tmp_path, coordinates, lambda at: picture(at) if at else body)
    assert [each.ordinal for each in read_sheets(tmp_path)[0, 0, 0]] == [1001]
    assert written.unreadable == [0]
    assert written.pictures == 1


def test_transparent_pictures_lie_on_paper(tmp_path: Path) -> None:
    body = io.BytesIO()
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(body, "PNG")
    write(tmp_path, np.array([[0.5, 0.5]], np.float32), lambda _: body.getvalue())
    assert min(read_sheets(tmp_path)[0, 0, 0][0].colour) > 245


def test_a_map_without_pictures_has_an_empty_index(tmp_path: Path) -> None:
    assert write(tmp_path, scattered(0)).sheets == 0
    assert read_sheets(tmp_path) == {}


def test_a_map_of_broken_pictures_has_no_files(tmp_path: Path) -> None:
    written = write(tmp_path, scattered(3), lambda _: b"broken")
    assert written.sheets == 0
    assert sorted(path.name for path in (tmp_path / "thumbs").iterdir()) == ["index.json"]


def test_twins_on_one_spot_share_a_cell_down_to_the_last_level(tmp_path: Path) -> None:
    write(tmp_path, np.full((100, 2), 0.3, np.float32))
    sheets = read_sheets(tmp_path)
    assert [z for z, _, _ in sheets] == [0, 1, 2, 3, 4, 5, 6]
    assert len({each.ordinal for shown in sheets.values() for each in shown}) == 1


def test_progress_counts_pictures_and_cancel_stops(tmp_path: Path) -> None:
    said: list[tuple[str, int, int]] = []
    written = write(tmp_path, scattered(300), progress=lambda *words: said.append(words))
    assert said[-1] == ("thumbnails", written.pictures, written.pictures)
    with pytest.raises(Cancelled):
        write(tmp_path, scattered(300), cancelled=lambda: True)


def test_the_same_pictures_give_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, scattered(200))
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
