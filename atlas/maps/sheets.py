"""Thumbnails as a pyramid of sheets: the map's square in 16 × 16 cells, one picture for each, then its
quarters.

FORMAT.md says every byte. The picture of a cell is that of its point of lowest rank, so a picture chosen on
one level is chosen on all deeper ones: sheets are drawn from the deepest up, and each picture is decoded
once.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from atlas.maps.tiles import Frame, write_file, write_json
from atlas.maps.work import Progress, Work

SIZE = 64
CELLS = 16
DEEPEST = 6  # 0.3 N pictures in all at a million points; deeper, single thumbnails cost less than sheets
FEWEST = 24  # points: a smaller quarter gets no sheet of its own
QUALITY = 74
_EFFORT = 2  # of the encoder: 4 saves 4 % of the bytes and takes twice as long
_PAPER = (255, 255, 255)

Uints = npt.NDArray[np.uint32]
Indices = npt.NDArray[np.int64]
Load = Callable[[int], bytes | None]
Pictures = dict[int, Image.Image]  # by point, at most SIZE × SIZE


@dataclass(frozen=True)
class SheetSet:
    """What was written."""

    sheets: int
    pictures: int  # different ones
    unreadable: list[int]  # points whose picture is missing or broken; their cells stay free


@dataclass
class _Node:
    """A sheet to be."""

    z: int
    x: int
    y: int
    points: Indices
    chosen: Indices  # the points shown, in order of cell
    quarters: list["_Node"] = field(default_factory=list)
    children: int = 0  # bit q: quarter q has a sheet
    drawn: list[int] = field(default_factory=list)  # the chosen whose picture could be read


def write_sheets(
    out: Path,
    coordinates: npt.NDArray[np.float32],
    rank: npt.NDArray[np.integer],
    ordinals: Uints,
    frame: Frame,
    load_thumbnail: Load,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SheetSet:
    """Write thumbs/ into the folder `out`, for those points of a map that have a picture.

    `coordinates` (N, 2) in projection units, `rank` and `ordinals` (N,), `frame`: of these points, as for and
    from `write_tiles`. `load_thumbnail(i)` gives the encoded picture of the i-th of them; threads call it.
    Progress (stage "thumbnails", pictures) and cancel as in `project`.
    """
    folder = out / "thumbs"
    folder.mkdir(parents=True, exist_ok=True)
    fine = (frame.world(coordinates) * 2.0**32).astype(np.uint32)
    nodes = _plan(fine, np.asarray(rank))
    with Work(progress, cancelled) as work:
        painter = _Painter(folder, fine, ordinals, load_thumbnail, work, _different(nodes))
        for node in _deepest_first(nodes[:1]):
            painter.draw(node)
        painter.finish()
    listed = {"count": [len(node.drawn) for node in nodes], "children": [node.children for node in nodes]}
    write_json(folder / "index.json", {"size": SIZE, "cells": CELLS, "sheets": listed})
    readable = painter.done - len(painter.unreadable)
    return SheetSet(sum(bool(node.drawn) for node in nodes), readable, painter.unreadable)


def _plan(fine: Uints, rank: npt.NDArray[np.integer]) -> list[_Node]:
    """All sheets, breadth first."""
    nodes = [_node(0, 0, 0, np.arange(len(fine)), fine, rank)] if len(fine) else []
    for node in nodes:  # grows while it is walked
        if node.z == DEEPEST or len(node.chosen) == len(node.points):
            continue
        halves = (fine[node.points] >> np.uint32(31 - node.z)) & np.uint32(1)
        quarter_of = halves[:, 0] + 2 * halves[:, 1]
        for q in range(4):
            points = node.points[quarter_of == q]
            if len(points) >= FEWEST:
                node.children |= 1 << q
                x, y = 2 * node.x + (q & 1), 2 * node.y + (q >> 1)
                node.quarters.append(_node(node.z + 1, x, y, points, fine, rank))
        nodes += node.quarters
    return nodes


def _node(z: int, x: int, y: int, points: Indices, fine: Uints, rank: npt.NDArray[np.integer]) -> _Node:
    by_rank = points[np.argsort(rank[points], kind="stable")]
    first = np.unique(_cells(fine[by_rank], z), return_index=True)[1]
    return _Node(z, x, y, points, by_rank[first])


def _cells(fine: Uints, z: int) -> npt.NDArray[np.uint8]:
    """column + 16 · row of points (M, 2) in their tile of level z."""
    at = (fine >> np.uint32(28 - z)) & np.uint32(CELLS - 1)
    return (at[:, 0] + CELLS * at[:, 1]).astype(np.uint8)


def _deepest_first(nodes: list[_Node]) -> Iterator[_Node]:
    """Quarters before their sheet, branch by branch: few pictures wait at any time."""
    for node in nodes:
        yield from _deepest_first(node.quarters)
        yield node


def _different(nodes: list[_Node]) -> int:
    return len(np.unique(np.concatenate([node.chosen for node in nodes]))) if nodes else 0


class _Painter:
    """Decodes, pastes, encodes and writes. Pictures of drawn quarters wait here for the sheet above them."""

    def __init__(
        self, folder: Path, fine: Uints, ordinals: Uints, load: Load, work: Work, total: int
    ) -> None:
        self.done = 0
        self.unreadable: list[int] = []
        self._folder, self._fine, self._ordinals = folder, fine, ordinals
        self._load, self._work, self._total = load, work, total
        self._waiting: dict[tuple[int, int, int], Pictures] = {}
        self._pasted: list[tuple[_Node, Image.Image]] = []

    def draw(self, node: _Node) -> None:
        known: Pictures = {}
        for quarter in node.quarters:
            known |= self._waiting.pop((quarter.z, quarter.x, quarter.y))
        tried = {at for quarter in node.quarters for at in quarter.chosen.tolist()}
        self._decode([at for at in node.chosen.tolist() if at not in tried], known)
        mine = {at: known[at] for at in node.chosen.tolist() if at in known}
        node.drawn = list(mine)
        self._waiting[node.z, node.x, node.y] = mine
        if mine:
            self._pasted.append((node, _paste(list(mine.values()))))
            write_file(self._folder / f"{_name(node)}.idx", self._records(node, mine))
        if len(self._pasted) >= 2 * self._work.threads:
            self.finish()

    def finish(self) -> None:
        """Encode and write what has been pasted."""

        def write(pasted: tuple[_Node, Image.Image], body: bytes) -> None:
            (self._folder / f"{_name(pasted[0])}.webp").write_bytes(body)
            self._say()

        self._work.each(self._pasted, lambda pasted: _encode(pasted[1]), write)
        self._pasted.clear()

    def _decode(self, points: list[int], into: Pictures) -> None:
        def keep(at: int, picture: Image.Image | None) -> None:
            self.done += 1
            if picture is None:
                self.unreadable.append(at)
            else:
                into[at] = picture
            self._say()

        self._work.each(points, lambda at: _small(self._load(at)), keep)

    def _records(self, node: _Node, pictures: Pictures) -> bytes:
        at = np.array(node.drawn)
        records = np.zeros(
            len(at), [("ordinal", "<u4"), ("at", "<u2", 2), ("cell", "u1"), ("size", "u1", 2), ("", "u1")]
        )
        records["ordinal"] = self._ordinals[at]
        records["at"] = self._fine[at] >> np.uint32(16 - node.z)
        records["cell"] = _cells(self._fine[at], node.z)
        records["size"] = [picture.size for picture in pictures.values()]
        return records.tobytes()

    def _say(self) -> None:
        self._work.say("thumbnails", self.done, self._total)


def _name(node: _Node) -> str:
    return f"{node.z}-{node.x}-{node.y}"


def decoded(body: bytes | None) -> Image.Image | None:
    """None for what is missing or no picture."""
    if body is None:
        return None
    try:
        with Image.open(io.BytesIO(body)) as picture:
            picture.load()
            return picture
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # by Pillow, for odd bytes
        return None


def _small(body: bytes | None) -> Image.Image | None:
    """At most SIZE × SIZE, on paper where it is transparent; None for what is missing or no picture."""
    picture = decoded(body)
    if picture is None:
        return None
    picture.thumbnail((SIZE, SIZE), reducing_gap=2.0)
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    clear = picture.convert("RGBA")
    paper = Image.new("RGB", clear.size, _PAPER)
    paper.paste(clear, mask=clear)
    return paper


def _paste(pictures: list[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (CELLS * SIZE, -(-len(pictures) // CELLS) * SIZE), _PAPER)
    for at, picture in enumerate(pictures):
        sheet.paste(picture, (at % CELLS * SIZE, at // CELLS * SIZE))
    return sheet


def _encode(sheet: Image.Image) -> bytes:
    body = io.BytesIO()
    sheet.save(body, "WEBP", quality=QUALITY, method=_EFFORT)
    return body.getvalue()
