"""Point tiles: read back by FORMAT.md alone, every point is in one tile at its place, and views sample
evenly."""

import gzip
import itertools
import json
import os
import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from atlas.maps import tiles as writer
from atlas.maps.codes import BadColumnError, Column
from atlas.maps.tiles import Frame, drawing_order, publishing, write_tiles
from atlas.maps.work import Cancelled

Floats = npt.NDArray[np.float32]


class Read(NamedTuple):
    z: int
    x: int
    y: int
    start: int
    size: int
    cuts: list[int]
    at: npt.NDArray[np.float64]  # world, with the low plane where there is one
    extra: bytes


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CAPACITY", 50)


def scattered(n: int = 1000, seed: int = 0) -> Floats:
    random = np.random.default_rng(seed)
    centres = random.normal(size=(10, 2)) * 8
    return (centres[random.integers(0, 10, n)] + random.normal(size=(n, 2))).astype(np.float32)


def manifest_of(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    return content


def read_tiles(out: Path) -> list[Read]:
    """A reader written from FORMAT.md, not from the writer."""
    manifest = manifest_of(out)
    listed = manifest["tiles"]
    names = [(0, 0, 0)] if listed["count"] else []
    read, start = [], 0
    for index, count in enumerate(listed["count"]):
        z, x, y = names[index]
        kids = [q for q in range(4) if listed["children"][index] & (1 << q)]
        names += [(z + 1, 2 * x + (q & 1), 2 * y + (q >> 1)) for q in kids]
        body = (out / "t" / f"{z}-{x}-{y}.atm").read_bytes()
        magic, in_file, starts, level, *cuts = struct.unpack("<4s19I", body[:80])
        assert (magic, in_file, starts, level) == (b"ATM1", count, start, z)
        high = np.frombuffer(body, "<u2", 2 * count, 80).reshape(-1, 2)
        low_file = out / "t" / f"{z}-{x}-{y}.low"
        assert low_file.exists() == (z < manifest["low"])
        low = np.frombuffer(low_file.read_bytes(), np.uint8).reshape(-1, 2) if z < manifest["low"] else 127.5
        at = (np.array([x, y]) + (high + (low + 0.5) / 256) / 65536) / 2**z
        read.append(Read(z, x, y, start, count, cuts, at, body[80 + 4 * count :]))
        start += count
    assert len(names) == len(listed["count"])
    assert start == manifest["n"]
    return read


def write(out: Path, coordinates: Floats, **more: Any) -> writer.TileSet:
    return write_tiles(coordinates, drawing_order(len(coordinates), 1), more.pop("columns", {}), out, **more)


def test_every_point_is_found_at_its_place(tmp_path: Path) -> None:
    coordinates = scattered()
    written = write(tmp_path, coordinates)
    at = np.concatenate([tile.at for tile in read_tiles(tmp_path)])
    frame = manifest_of(tmp_path)["frame"]
    found = at[written.ordinals] * frame["side"] + [frame["x"], frame["y"]]
    np.testing.assert_allclose(found, coordinates, atol=frame["side"] * 2.0**-24)


def test_the_bounds_hold_every_point_and_no_more(tmp_path: Path) -> None:
    write(tmp_path, scattered() * np.array([1, 0.3], np.float32))
    at = np.concatenate([tile.at for tile in read_tiles(tmp_path)])
    bounds = manifest_of(tmp_path)["bounds"]
    np.testing.assert_allclose([bounds["x0"], bounds["y0"]], at.min(axis=0), atol=2.0**-23)
    np.testing.assert_allclose([bounds["x1"], bounds["y1"]], at.max(axis=0), atol=2.0**-23)
    assert bounds["y1"] - bounds["y0"] < 0.5


def test_a_tile_holds_only_points_of_its_square(tmp_path: Path) -> None:
    write(tmp_path, scattered())
    for tile in read_tiles(tmp_path):
        assert (np.floor(tile.at * 2**tile.z) == [tile.x, tile.y]).all()


def test_a_parent_is_full_of_lower_ranks_than_its_children(tmp_path: Path) -> None:
    coordinates = scattered()
    rank = drawing_order(len(coordinates), 1)
    written = write_tiles(coordinates, rank, {}, tmp_path)
    by_ordinal = np.empty(len(rank), np.int64)
    by_ordinal[written.ordinals] = rank
    listed = manifest_of(tmp_path)["tiles"]
    tiles = read_tiles(tmp_path)
    ranks = {(t.z, t.x, t.y): by_ordinal[t.start : t.start + t.size] for t in tiles}
    assert [int(part.min()) for part in ranks.values()] == listed["rank"]
    for tile in tiles[1:]:
        parent = ranks[tile.z - 1, tile.x // 2, tile.y // 2]
        assert len(parent) == 50
        assert parent.max() < ranks[tile.z, tile.x, tile.y].min()


def test_cuts_draw_exactly_the_points_below_a_rank(tmp_path: Path) -> None:
    coordinates = scattered(1003)
    rank = drawing_order(1003, 1)
    written = write_tiles(coordinates, rank, {}, tmp_path)
    by_ordinal = np.empty(1003, np.int64)
    by_ordinal[written.ordinals] = rank
    for j in range(16):
        drawn = [by_ordinal[tile.start : tile.start + tile.cuts[j]] for tile in read_tiles(tmp_path)]
        assert sorted(np.concatenate(drawn)) == list(range(1003 >> j))


def test_points_of_one_octave_lie_by_morton_code(tmp_path: Path) -> None:
    write(tmp_path, scattered())
    for tile in read_tiles(tmp_path):
        edges = [0, *sorted(set(tile.cuts))]
        for start, stop in itertools.pairwise(edges):
            grid = np.floor(tile.at[start:stop] * 2**16).astype(np.uint32)
            codes = [
                sum((int(x) >> b & 1) << 2 * b | (int(y) >> b & 1) << 2 * b + 1 for b in range(16))
                for x, y in grid
            ]
            assert codes == sorted(codes)


def test_thousands_of_twins_end_in_one_deep_tile(tmp_path: Path) -> None:
    coordinates = np.vstack([np.zeros((2000, 2)), [[1, 1], [5, 2]]]).astype(np.float32)
    write(tmp_path, coordinates)
    tiles = read_tiles(tmp_path)
    assert max(tile.z for tile in tiles) == 16
    assert sum(tile.size for tile in tiles) == 2002


@pytest.mark.parametrize("n", [0, 1, 2, 51])
def test_small_maps_are_readable(tmp_path: Path, n: int) -> None:
    written = write(tmp_path, scattered(n))
    assert sorted(written.ordinals) == list(range(n))
    assert len(read_tiles(tmp_path)) == (0 if n == 0 else 1 if n <= 50 else 2)


def test_columns_follow_the_order_of_the_points(tmp_path: Path) -> None:
    coordinates = scattered()
    colours = Column.topics("Topic", np.arange(1000) % 7)
    kinds = Column.category("Kind", [None if i % 10 == 0 else f"kind {i % 300}" for i in range(1000)])
    written = write(tmp_path, coordinates, columns={"topic-0": colours, "kind": kinds}, embedded="topic-0")
    tiles = read_tiles(tmp_path)
    embedded = np.concatenate([np.frombuffer(tile.extra, np.uint8) for tile in tiles])
    assert (embedded[written.ordinals] == np.arange(1000) % 7).all()
    assert not (tmp_path / "c" / "topic-0").exists()
    codes = np.concatenate(
        [np.frombuffer((tmp_path / f"c/kind/{t.z}-{t.x}-{t.y}.bin").read_bytes(), "<u2") for t in tiles]
    )[written.ordinals]
    values = json.loads((tmp_path / "c/kind/values.json").read_text())
    assert values["missing"] == 100
    for i in range(1000):
        assert (codes[i] == 65535) if i % 10 == 0 else values["values"][codes[i]] == f"kind {i % 300}"
    described = {column["key"]: column for column in manifest_of(tmp_path)["columns"]}
    assert described["topic-0"] == {
        "key": "topic-0",
        "name": "Topic",
        "kind": "topic",
        "type": "u8",
        "missing": 255,
    }
    assert described["kind"]["size"] == len(values["values"]) == 270


def test_categories_are_numbered_from_the_commonest() -> None:
    column = Column.category("Fruit", ["pear", "apple", "apple", None, "fig", "apple", "fig"])
    assert column.codes.tolist() == [2, 0, 0, 255, 1, 0, 1]
    assert column.values == {"values": ["apple", "fig", "pear"], "counts": [3, 2, 1], "missing": 1}


def test_too_many_different_words_are_refused_by_name() -> None:
    with pytest.raises(BadColumnError, match="'Title' has 65,536 different values"):
        Column.category("Title", [str(i) for i in range(65_536)])


@pytest.mark.parametrize(
    ("values", "scale"),
    [([1.5, 2.0, 99.0], "linear"), ([0.001, 1.0, 5e6], "log"), ([-1e308, 0.0, 1e308], "linear")],
)
def test_numbers_come_back_within_a_step(values: list[float], scale: str) -> None:
    column = Column.number("Size", np.array([*values, np.nan, np.inf]))
    low, high = column.about["min"], column.about["max"]
    share = column.codes[:3] / 65534
    read = low + high * share - low * share if scale == "linear" else low * (high / low) ** share
    assert column.about["scale"] == scale
    assert column.codes[3:].tolist() == [65535, 65535]
    np.testing.assert_allclose(read, values, rtol=4e-4, atol=(high / 65534 if scale == "linear" else 0))
    assert column.values is not None
    assert sum(column.values["histogram"]) == 3


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [7.0, 7.0]])
def test_numbers_without_a_span_are_still_a_column(tmp_path: Path, values: list[float]) -> None:
    column = Column.date("Taken", np.array(values))
    write_tiles(scattered(len(values)), drawing_order(len(values), 0), {"taken": column}, tmp_path)
    assert manifest_of(tmp_path)["columns"][0]["kind"] == "date"


@pytest.mark.parametrize("key", ["", "../up", "a/b", "Upper", "x" * 65])
def test_a_key_that_is_no_safe_file_name_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadColumnError, match="key"):
        write(tmp_path, scattered(3), columns={key: Column.topics("T", np.zeros(3, int))})


def test_a_column_of_the_wrong_length_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadColumnError, match="'T' has 2 values for 3 points"):
        write(tmp_path, scattered(3), columns={"t": Column.topics("T", np.zeros(2, int))})


def test_a_rank_that_is_no_order_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rank"):
        write_tiles(scattered(3), np.array([0, 0, 1]), {}, tmp_path)


def test_a_point_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    coordinates = scattered(5)
    coordinates[3, 1] = np.nan
    with pytest.raises(ValueError, match="point 3"):
        write(tmp_path, coordinates)


def test_the_server_can_go_from_row_to_ordinal_and_back(tmp_path: Path) -> None:
    rows = np.array([5, 2, 9, 4])
    written = write(tmp_path, scattered(4), rows=rows)
    by_ordinal = np.fromfile(tmp_path / "rows.bin", "<u4")
    by_row = np.fromfile(tmp_path / "ordinals.bin", "<u4")
    assert (by_ordinal[written.ordinals] == rows).all()
    assert (by_row[rows] == written.ordinals).all()
    assert (by_row[[0, 1, 3, 6, 7, 8]] == 0xFFFFFFFF).all()
    points = np.fromfile(tmp_path / "points.bin", "<f4").reshape(-1, 2)
    assert (points[written.ordinals] == written.world).all()


def test_twins_with_gzip_are_the_same_file_packed(tmp_path: Path) -> None:
    write(tmp_path, scattered(4000))
    packed = list(tmp_path.rglob("*.gz"))
    assert packed
    for path in packed:
        body = path.with_suffix("").read_bytes()
        assert gzip.decompress(path.read_bytes()) == body
        assert path.stat().st_size < 0.95 * len(body)


def test_the_same_points_give_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, scattered())
    for path in (tmp_path / "a").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_an_old_frame_keeps_old_points_where_they_were(tmp_path: Path) -> None:
    old = scattered(300)
    first = write(tmp_path / "1", old)
    grown = np.vstack([old, scattered(50, seed=5) * 3])
    second = write(tmp_path / "2", grown, frame=first.frame)
    assert (second.world[:300] == first.world).all()
    assert ((second.world >= 0) & (second.world < 1)).all()


def test_it_says_how_far_it_is_and_stops_when_told(tmp_path: Path) -> None:
    told: list[int] = []
    write(tmp_path / "whole", scattered(), report=lambda done, total: told.append(100 * done // total))
    assert told == sorted(told)
    assert len(told) > 20

    def stop(done: int, total: int) -> None:
        if 2 * done > total:
            raise Cancelled

    with pytest.raises(Cancelled):
        write(tmp_path / "part", scattered(), report=stop)


def test_the_drawing_order_starts_with_the_representatives() -> None:
    rank = drawing_order(100, 3, np.array([42, 7, 42, 99]))
    assert rank[[42, 7, 99]].tolist() == [0, 1, 2]
    assert sorted(rank) == list(range(100))


def test_a_failed_publication_leaves_the_old_version_and_no_draft(tmp_path: Path) -> None:
    out = tmp_path / "v1"
    with publishing(out) as draft:
        (draft / "manifest.json").write_text("old")
    with suppress(RuntimeError), publishing(out) as draft:
        (draft / "manifest.json").write_text("new")
        assert (out / "manifest.json").read_text() == "old"
        raise RuntimeError
    assert (out / "manifest.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["v1"]


def test_a_publication_replaces_the_old_version_whole(tmp_path: Path) -> None:
    out = tmp_path / "v1"
    for content in ("old", "new"):
        with publishing(out) as draft:
            (draft / content).write_text(content)
    assert [path.name for path in out.iterdir()] == ["new"]


def test_a_worker_that_was_taken_for_dead_takes_nothing_from_the_next_when_it_ends(tmp_path: Path) -> None:
    out = tmp_path / "v1"
    asleep = publishing(out)
    asleep.__enter__()
    with publishing(out) as draft:
        (draft / "t").mkdir()
        stopped = RuntimeError()
        asleep.__exit__(RuntimeError, stopped, None)
        (draft / "computed").mkdir(parents=True)
    assert {path.name for path in out.iterdir()} == {"t", "computed"}
    assert [path.name for path in tmp_path.iterdir()] == ["v1"]


def test_a_publication_ends_when_its_files_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[list[str]] = []
    monkeypatch.setattr(os, "sync", lambda: synced.append([path.name for path in tmp_path.rglob("*")]))
    with publishing(tmp_path / "v1") as draft:
        (draft / "manifest.json").write_text("new")
    assert synced == [["v1", "manifest.json"]]


def test_ten_million_points_have_a_small_manifest() -> None:
    frame = Frame(0, 0, 1)
    counts = np.full(1500, 16_384)
    children = np.arange(1500) % 16
    tree = writer.Tree(np.zeros(0, np.int64), counts, children.astype(np.uint8))
    ranks = np.random.default_rng(0).integers(0, 10_000_000, counts.sum())
    manifest = writer._manifest(np.random.default_rng(1).random((1000, 2)), frame, tree, ranks, {}, None)
    assert len(gzip.compress(json.dumps(manifest).encode())) < 10_000


def test_one_long_word_does_not_cost_the_memory_of_all() -> None:
    words = [f"kind {number % 9}" for number in range(20_000)] + ["word " * 2_000]
    tracemalloc.start()
    column = Column.category("Kind", words)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert column.codes[-1] == 9
    assert peak < 8 << 20
