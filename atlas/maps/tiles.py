"""Points as a quadtree of binary tiles, "ATM1"; FORMAT.md beside this file says every byte.

    byte 0   "ATM1", u32 count, u32 start, u32 z, 16 × u32 cuts, all little endian
    byte 80  count × (u16 x, u16 y), then the embedded column: count × u8 or u16
    .low     count × (u8 x, u8 y), the next 8 bits, for tiles with z < LOW

Points are sorted once, by (tile, rank octave, Morton code): that order numbers them (their ordinals), and
every file is a slice of an array in that order.
"""

import gzip
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from atlas.maps.codes import BadColumnError, Column
from atlas.maps.work import Report, unheard

Floats = npt.NDArray[np.float32]
Uints = npt.NDArray[np.uint32]

MAGIC = b"ATM1"
CAPACITY = 16_384
DEEPEST = 16
LOW = 8
OCTAVES = 16
NOWHERE = np.uint32(0xFFFFFFFF)

_MARGIN = 0.02  # of the map's side, left free around the points
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Frame:
    """Where the world, the unit square of the browser, lies in projection units."""

    x: float
    y: float
    side: float

    @classmethod
    def around(cls, coordinates: Floats) -> Self:
        """The square around all points with a small margin. An appended version must keep its map's first
        frame."""
        if not len(coordinates):
            return cls(0.0, 0.0, 1.0)
        low, high = coordinates.min(axis=0).astype(float), coordinates.max(axis=0).astype(float)
        side = (float(max(high - low)) or 1.0) * (1 + 2 * _MARGIN)
        x, y = (low + high) / 2 - side / 2
        return cls(float(x), float(y), side)

    def world(self, coordinates: Floats) -> npt.NDArray[np.float64]:
        """Positions (N, 2) in the unit square, clipped to it."""
        inside = (coordinates.astype(np.float64) - [self.x, self.y]) / self.side
        return np.clip(inside, 0, np.nextafter(np.float32(1), np.float32(0)))


@dataclass(frozen=True)
class TileSet:
    """What was written."""

    frame: Frame
    world: Floats  # (N, 2) positions in the unit square, by point as given
    ordinals: Uints  # (N,) by point as given
    tiles: int


def _draft_of(out: Path) -> Path:
    """One of each run: a worker that was taken for dead, while it slept, ends beside the next one."""
    return out.with_name(f".{out.name}.{uuid4().hex}.draft")


def out_of(draft: Path) -> str:
    """The name of the folder that it was to become: a worker that is killed leaves it."""
    return draft.name.split(".")[1]


@contextmanager
def publishing(out: Path) -> Iterator[Path]:
    """A folder to write into that becomes `out`, whole, when the block ends well, and vanishes when it does
    not.

    An older `out` is replaced. The folder lies beside `out`, on the same disk, so that the change of name is
    atomic.
    """
    draft = _draft_of(out)
    draft.mkdir(parents=True)
    try:
        yield draft
        if out.exists():
            shutil.rmtree(out)
        draft.rename(out)
        os.sync()  # what is said to be done must be there after a power cut
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_tiles(
    coordinates: Floats,
    rank: npt.NDArray[np.integer],
    columns: dict[str, Column],
    out: Path,
    *,
    rows: npt.NDArray[np.integer] | None = None,
    frame: Frame | None = None,
    embedded: str | None = None,
    report: Report = unheard,
) -> TileSet:
    """Write tiles, columns, manifest.json, rows.bin, ordinals.bin and points.bin into the folder `out`.

    `coordinates` (N, 2) in projection units; `rank` (N,) a permutation of 0…N-1, see `drawing_order`;
    `columns` by key; `rows` (N,) the records' numbers, 0…N-1 if not given; `embedded` names the column that
    the tiles carry themselves. What `report` raises ends it: it is called for every file of a tile.
    """
    n = len(coordinates)
    _check(coordinates, rank, columns, embedded)
    frame = frame or Frame.around(coordinates)
    world = frame.world(coordinates)
    fine = (world * 2.0**32).astype(np.uint32)  # 32 bits of position: 16 of tile at the deepest, 16 within
    tree = _grow(fine, rank)
    order = tree.order
    ordinals = np.empty(n, np.uint32)
    ordinals[order] = np.arange(n, dtype=np.uint32)
    files = {key: _column_folder(out, key) for key in columns if key != embedded}
    (out / "t").mkdir(parents=True, exist_ok=True)
    sorted_codes = {key: column.codes[order] for key, column in columns.items()}
    fine, sorted_rank = fine[order], np.asarray(rank)[order]
    for tile in tree.tiles():
        report(tile.start, n)
        here = slice(tile.start, tile.start + tile.count)
        body = _tile_bytes(tile, fine[here], sorted_rank[here], n)
        if embedded is not None:
            body += _little(sorted_codes[embedded][here])
        write_file(out / "t" / f"{tile.name}.atm", body)
        if tile.z < LOW:
            write_file(out / "t" / f"{tile.name}.low", _bits(fine[here], 8 - tile.z, np.uint8).tobytes())
        for key, folder in files.items():
            report(tile.start, n)
            write_file(folder / f"{tile.name}.bin", _little(sorted_codes[key][here]))
    for key, column in columns.items():
        report(n, n)
        if column.values is not None:
            _column_folder(out, key)
            write_json(out / "c" / key / "values.json", column.values)
    _write_server_files(out, order, ordinals, world, rows)
    write_json(out / "manifest.json", _manifest(world, frame, tree, sorted_rank, columns, embedded))
    return TileSet(frame, world.astype(np.float32), ordinals, len(tree.counts))


def drawing_order(n: int, seed: int, first: npt.NDArray[np.integer] | None = None) -> Uints:
    """Ranks (N,): a seeded shuffle, the points of `first` (the topics' representatives) before all others in
    their order.

    The rest must be a plain shuffle: any other order lets whole clusters vanish from the sample of a far
    view.
    """
    shuffled = np.random.default_rng(seed).permutation(n)
    if first is not None and len(first):
        _, at = np.unique(first, return_index=True)
        leading = np.asarray(first)[np.sort(at)]
        shuffled = np.concatenate([leading, shuffled[~np.isin(shuffled, leading)]])
    rank = np.empty(n, np.uint32)
    rank[shuffled] = np.arange(n, dtype=np.uint32)
    return rank


def write_file(path: Path, body: bytes) -> None:
    """Write a file, and its gzip twin where that saves 5 %. Same bytes for the same input: no time stamp."""
    path.write_bytes(body)
    packed = gzip.compress(body, 6, mtime=0)
    if len(packed) < 0.95 * len(body):
        path.with_name(path.name + ".gz").write_bytes(packed)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Compact UTF-8 JSON. Not-a-number is refused: JSON has no word for it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    write_file(path, text.encode("utf-8", "replace"))


@dataclass(frozen=True)
class Tile:
    z: int
    x: int
    y: int
    start: int
    count: int

    @property
    def name(self) -> str:
        return f"{self.z}-{self.x}-{self.y}"


@dataclass(frozen=True)
class Tree:
    """A quadtree breadth first: parallel arrays over tiles, and the points in tile order."""

    order: npt.NDArray[np.int64]  # (N,) points as given, by ordinal
    counts: npt.NDArray[np.int64]
    children: npt.NDArray[np.uint8]  # bit q: the child at (2x + (q & 1), 2y + (q >> 1)) exists

    def tiles(self) -> Iterator[Tile]:
        yield from walk(self.counts, self.children)


def walk(counts: npt.NDArray[np.integer], children: npt.NDArray[np.integer]) -> Iterator[Tile]:
    """Names and starts of the tiles of a breadth-first list: what a reader of the manifest does."""
    names = [(0, 0, 0)]
    start = 0
    for at, count in enumerate(counts):
        z, x, y = names[at]
        names += [(z + 1, 2 * x + (q & 1), 2 * y + (q >> 1)) for q in range(4) if children[at] >> q & 1]
        yield Tile(z, x, y, start, int(count))
        start += int(count)


def morton(fine: Uints) -> npt.NDArray[np.uint64]:
    """Codes (N,) that interleave the bits of x and y (N, 2), y above x: a tile is a range of them."""
    codes = np.zeros(len(fine), np.uint64)
    for axis in (0, 1):
        spread = fine[:, axis].astype(np.uint64)
        for shift, mask in (
            (16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
            (2, 0x3333333333333333), (1, 0x5555555555555555),
        ):  # fmt: skip
            spread = (spread | (spread << np.uint64(shift))) & np.uint64(mask)
        codes |= spread << np.uint64(axis)
    return codes


def _grow(fine: Uints, rank: npt.NDArray[np.integer]) -> Tree:
    """Hand every point, in rank order, to the highest tile with room left, and number tiles breadth first."""
    from atlas.maps.tree import assign  # numba's compiler: where maps are built only

    n = len(fine)
    codes = morton(fine)
    by_rank = np.empty(n, np.int64)
    by_rank[rank] = np.arange(n)
    by_code = np.argsort(codes, kind="stable")
    place = np.empty(n, np.int64)
    place[by_code] = np.arange(n)
    node, counts, children = assign(codes[by_code], place[by_rank], CAPACITY, DEEPEST)
    octave = _octaves(np.asarray(rank), n)[by_code]
    # within a tile: octave, then Morton code, which the points already have here
    order = by_code[np.lexsort((np.arange(n), octave, node))]
    return Tree(order, counts, children)


def _octaves(rank: npt.NDArray[np.integer], n: int) -> npt.NDArray[np.int8]:
    """0 for rank < n >> 15, 1 for the rest of n >> 14, … 15 for the rest of n."""
    edges = np.array([n >> j for j in range(OCTAVES - 1, -1, -1)])
    return np.searchsorted(edges, rank, side="right").astype(np.int8)


def _bits(fine: Uints, shift: int, kind: type[np.uint8] | type[np.uint16]) -> npt.NDArray[Any]:
    """The bits of 32-bit positions from `shift` upward, as many as the type holds."""
    return (fine >> np.uint32(shift)).astype(kind)


def _tile_bytes(tile: Tile, fine: Uints, rank: npt.NDArray[np.integer], n: int) -> bytes:
    cuts = [int((rank < (n >> j)).sum()) for j in range(OCTAVES)]
    header = MAGIC + np.array([tile.count, tile.start, tile.z, *cuts], "<u4").tobytes()
    return header + _little(_bits(fine, 16 - tile.z, np.uint16))


def _little(array: npt.NDArray[Any]) -> bytes:
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _column_folder(out: Path, key: str) -> Path:
    folder = out / "c" / key
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _check(
    coordinates: Floats, rank: npt.NDArray[np.integer], columns: dict[str, Column], embedded: str | None
) -> None:
    n = len(coordinates)
    finite = np.isfinite(coordinates).all(axis=1)
    if not finite.all():
        raise ValueError(f"coordinates of point {int(np.argmin(finite))} are not finite numbers")
    if not np.array_equal(np.sort(rank), np.arange(n)):
        raise ValueError(f"rank must hold each of 0…{n - 1} once")
    for key, column in columns.items():
        if not _KEY.fullmatch(key):
            raise BadColumnError(f"column key {key!r} must match {_KEY.pattern}")
        if len(column.codes) != n:
            raise BadColumnError(f"column {column.name!r} has {len(column.codes)} values for {n} points")
    if embedded is not None and embedded not in columns:
        raise BadColumnError(f"no column {embedded!r} to embed")


def _manifest(
    world: npt.NDArray[np.float64],
    frame: Frame,
    tree: Tree,
    sorted_rank: npt.NDArray[np.integer],
    columns: dict[str, Column],
    embedded: str | None,
) -> dict[str, Any]:
    n = len(world)
    low, high = (world.min(axis=0), world.max(axis=0)) if n else (np.zeros(2), np.ones(2))
    starts = np.cumsum(tree.counts) - tree.counts
    lowest = np.minimum.reduceat(sorted_rank, starts) if n else np.zeros(0, np.int64)
    return {
        "format": "ATM1", "n": n, "low": LOW, "embedded": embedded,
        "frame": {"x": frame.x, "y": frame.y, "side": frame.side},
        "bounds": {"x0": low[0], "y0": low[1], "x1": high[0], "y1": high[1]},
        "tiles": {"count": tree.counts.tolist(), "children": tree.children.tolist(), "rank": lowest.tolist()},
        "columns": [column.entry(key) for key, column in columns.items()],
    }  # fmt: skip


def _write_server_files(
    out: Path,
    order: npt.NDArray[np.int64],
    ordinals: Uints,
    world: npt.NDArray[np.float64],
    rows: npt.NDArray[np.integer] | None,
) -> None:
    given = np.arange(len(order), dtype=np.uint32) if rows is None else np.asarray(rows).astype(np.uint32)
    by_row = np.full(int(given.max()) + 1 if len(given) else 0, NOWHERE, np.uint32)
    by_row[given] = ordinals
    (out / "rows.bin").write_bytes(_little(given[order]))
    (out / "ordinals.bin").write_bytes(_little(by_row))
    (out / "points.bin").write_bytes(_little(world[order].astype(np.float32)))
