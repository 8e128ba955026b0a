/** Thumbnail sheets: which a view needs, what an index file says, where each picture stands on the screen. */

import { meets, tileBox, walkTiles, type SheetIndex, type Tile } from "./manifest";
import { STEPS } from "./tile";
import { clamp, toScreen, visibleBox, zoomOf, type Box, type Viewport } from "./viewport";

const RECORD = 12;
const CELLS = 16;
/** Part of its cell that a picture may cover. */
const FILL = 0.9;
/** Pixels between two pictures, at least. */
const APART = 4;
/** Longest side of a picture out of a sheet, in pixels. */
export const LARGEST = 88;
/** Longest side of one that stands in the place of a single picture: it has a quarter of its pixels. */
export const STAND_IN = 128;
/** Longest side of a thumbnail as it is stored: below the sheets pictures grow to this size. */
export const STORED = 256;

export interface Picture {
  ordinal: number;
  /** World position of its record. */
  x: number;
  y: number;
  /** The square of the world that it may cover. */
  cell: Box;
  /** Size in the sheet, in pixels. */
  width: number;
  height: number;
}

/** A part of the world and the sheet that shows it. */
export interface Region {
  sheet: Tile;
  box: Box;
}

export class SheetTree {
  readonly size: number;
  readonly deepest: number;
  private readonly tiles: Tile[];
  /** Pictures by level; a branch that ends counts on with its last sheet. */
  private readonly perLevel: number[] = [];

  constructor(index: SheetIndex) {
    this.size = index.size;
    this.tiles = walkTiles(index.sheets);
    this.deepest = this.tiles.reduce((deepest, { z }) => Math.max(deepest, z), -1);
    for (const tile of this.tiles) {
      const last = tile.children.length > 0 ? tile.z : this.deepest;
      for (let z = tile.z; z <= last; z++) this.perLevel[z] = (this.perLevel[z] ?? 0) + tile.count;
    }
  }

  /** How many of a map's n points each picture of a level stands for; below the sheets single ones are four times as many a level. */
  pointsPerPicture(n: number, level: number): number {
    const pictures = (this.perLevel[Math.min(level, this.deepest)] ?? 0) * 4 ** Math.max(0, level - this.deepest);
    return Math.max(1, n / Math.max(1, pictures));
  }

  /** What is on the screen, in parts with one sheet each: that of the level, or the last one above where the branch ends. */
  covering(view: Viewport, level: number): Region[] {
    const screen = visibleBox(view);
    const found: Region[] = [];
    const visit = (sheet: Tile): void => {
      const box = tileBox(sheet);
      if (!meets(box, screen)) return;
      if (sheet.z >= level || sheet.children.length === 0) {
        found.push({ sheet, box });
        return;
      }
      sheet.children.forEach(visit);
      for (const quarter of missingQuarters(sheet)) if (meets(quarter, screen)) found.push({ sheet, box: quarter });
    };
    const root = this.tiles[0];
    if (root) visit(root);
    return found;
  }
}

/** Level of a view: its cells measure 64 to 127 px. */
export const levelOf = (view: Viewport): number => Math.max(0, Math.floor(Math.log2(zoomOf(view))));

/** Part of a map that its points fill, as maps of pictures are. */
const FILLED = 0.1;

/** The level from which on the cells of a map with n points are, one with another, enough for all of them. */
export const looseLevel = (n: number): number => Math.max(0, Math.ceil(Math.log2(n / FILLED / CELLS ** 2) / 2));

/** Longest side that a picture may have in a view: from the level `from` on it grows with the zoom. */
export const largestAt = (view: Viewport, from: number): number => clamp((LARGEST * zoomOf(view)) / 2 ** from, LARGEST, STORED);

/** A quarter with few records has no sheet of its own. */
function missingQuarters(sheet: Tile): Box[] {
  const { z, x, y } = sheet;
  const there = new Set(sheet.children.map((child) => (child.x & 1) | ((child.y & 1) << 1)));
  return [0, 1, 2, 3].filter((q) => !there.has(q)).map((q) => squareBox(z + 1, 2 * x + (q & 1), 2 * y + (q >> 1)));
}

const squareBox = (z: number, x: number, y: number): Box => ({ x0: x / 2 ** z, y0: y / 2 ** z, x1: (x + 1) / 2 ** z, y1: (y + 1) / 2 ** z });

/** The cell of a level that holds a place, and a number that tells it from all others of the level. */
export function cellAt(x: number, y: number, level: number): { box: Box; key: number } {
  const z = level + Math.log2(CELLS);
  const [column, row] = [Math.floor(x * 2 ** z), Math.floor(y * 2 ** z)];
  return { box: squareBox(z, column, row), key: row * 2 ** z + column };
}

/** Keys of the cells of a level in the box of a cell above it. */
export function cellsWithin(box: Box, level: number): number[] {
  const z = 2 ** (level + Math.log2(CELLS));
  const [column, row, side] = [box.x0 * z, box.y0 * z, (box.x1 - box.x0) * z].map(Math.round) as [number, number, number];
  return Array.from({ length: side * side }, (_, i) => (row + Math.floor(i / side)) * z + column + (i % side));
}

/** Half open, as tiles are: a place is in one of two neighbours. */
export const holds = (box: Box, x: number, y: number): boolean => x >= box.x0 && x < box.x1 && y >= box.y0 && y < box.y1;

export function readPictures(sheet: Tile, bytes: ArrayBuffer): Picture[] {
  const data = new DataView(bytes);
  const box = tileBox(sheet);
  const side = box.x1 - box.x0;
  return Array.from({ length: bytes.byteLength / RECORD }, (_, i) => {
    const at = i * RECORD;
    const cell = data.getUint8(at + 8);
    const x0 = box.x0 + ((cell % CELLS) * side) / CELLS;
    const y0 = box.y0 + (Math.floor(cell / CELLS) * side) / CELLS;
    return {
      ordinal: data.getUint32(at, true),
      x: box.x0 + ((data.getUint16(at + 4, true) + 0.5) / STEPS) * side,
      y: box.y0 + ((data.getUint16(at + 6, true) + 0.5) / STEPS) * side,
      cell: { x0, y0, x1: x0 + side / CELLS, y1: y0 + side / CELLS },
      width: data.getUint8(at + 9),
      height: data.getUint8(at + 10),
    };
  });
}

export interface Placed {
  /** Screen pixels. */
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Centred on its point, moved as little as keeps it inside its own cell, off its edges: so no two ever meet. `largest`: see `largestAt`. */
export function place(picture: Omit<Picture, "ordinal">, view: Viewport, largest = LARGEST): Placed {
  const cell = (picture.cell.x1 - picture.cell.x0) * view.scale;
  const longest = Math.min(largest, FILL * cell);
  const zoom = longest / Math.max(picture.width, picture.height);
  const width = picture.width * zoom;
  const height = picture.height * zoom;
  const [x, y] = toScreen(view, picture.x, picture.y);
  const [left, bottom] = toScreen(view, picture.cell.x0, picture.cell.y0);
  const free = Math.min(APART / 2, (cell - longest) / 2);
  return {
    left: clamp(x - width / 2, left + free, left + cell - width - free),
    top: clamp(y - height / 2, bottom - cell + free, bottom - height - free),
    width,
    height,
  };
}
