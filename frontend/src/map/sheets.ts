/** Thumbnail sheets: which a view needs, what an index file says, where each picture stands on the screen. */

import { meets, tileBox, walkTiles, type SheetIndex, type Tile } from "./manifest";
import { STEPS } from "./tile";
import { toScreen, visibleBox, zoomOf, type Box, type Viewport } from "./viewport";

const RECORD = 12;
export const SHEET_COLUMNS = 16;
const CELLS = 16;
/** Part of its cell that a picture may cover. */
const FILL = 0.9;
const LARGEST = 88;

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

export class SheetTree {
  readonly size: number;
  readonly deepest: number;
  private readonly tiles: Tile[];
  /** Pictures by level. */
  private readonly perLevel: number[] = [];

  constructor(index: SheetIndex) {
    this.size = index.size;
    this.tiles = walkTiles(index.sheets);
    for (const tile of this.tiles) this.perLevel[tile.z] = (this.perLevel[tile.z] ?? 0) + tile.count;
    this.deepest = this.perLevel.length - 1;
  }

  /** Level of a view: its cells measure 64 to 127 px, where the tree reaches that deep. */
  level(view: Viewport): number {
    return Math.min(this.deepest, Math.max(0, Math.floor(Math.log2(zoomOf(view)))));
  }

  /** How many of a map's n points each picture of a level stands for. */
  pointsPerPicture(n: number, level: number): number {
    return n / Math.max(1, this.perLevel[level] ?? 0);
  }

  /** The sheets of a level on the screen; where a branch ends earlier, its last sheet. */
  covering(view: Viewport, level: number): Tile[] {
    const screen = visibleBox(view);
    const found: Tile[] = [];
    const visit = (tile: Tile): void => {
      if (!meets(tileBox(tile), screen)) return;
      if (tile.z === level || tile.children.length === 0) found.push(tile);
      else tile.children.forEach(visit);
    };
    const root = this.tiles[0];
    if (root) visit(root);
    return found;
  }
}

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

/** Centred on its point, moved as little as keeps it inside its own cell: so no two ever meet. */
export function place(picture: Picture, view: Viewport): Placed {
  const cell = (picture.cell.x1 - picture.cell.x0) * view.scale;
  const longest = Math.min(LARGEST, FILL * cell);
  const zoom = longest / Math.max(picture.width, picture.height);
  const width = picture.width * zoom;
  const height = picture.height * zoom;
  const [x, y] = toScreen(view, picture.x, picture.y);
  const [left, bottom] = toScreen(view, picture.cell.x0, picture.cell.y0);
  const inside = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
  return {
    left: inside(x - width / 2, left, left + cell - width),
    top: inside(y - height / 2, bottom - cell, bottom - height),
    width,
    height,
  };
}
