/** What a map version holds. The files are described byte by byte in atlas/maps/FORMAT.md. */

import type { Box } from "./viewport";

interface TileList {
  count: number[];
  children: number[];
}

export interface Manifest {
  format: "ATM1";
  /** Number of points. */
  n: number;
  /** Tiles with z below it have a plane of low bits. */
  low: number;
  /** Key of the column that travels inside the point tiles. */
  embedded: string | null;
  frame: { x: number; y: number; side: number };
  /** The part of the world in which the points lie; missing on maps that were made before it was written down. */
  bounds?: Box;
  tiles: TileList & { rank: number[] };
  columns: Column[];
}

/** How numbers are laid out between the smallest and the largest. */
export type Ramp = "linear" | "log";

export interface Column {
  key: string;
  name: string;
  kind: "category" | "number" | "date" | "topic";
  type: "u8" | "u16";
  /** The code that says "no value". */
  missing: number;
  /** Categories: number of values. */
  size?: number;
  /** Numbers and dates. */
  min?: number;
  max?: number;
  /** How its codes are laid out. */
  scale?: Ramp;
  /** Whether the build computed it: an uploaded column may have the same name, none has the same key. */
  computed?: boolean;
  /** How its colours are laid out, where the reader wants it otherwise. */
  ramp?: Ramp;
  /** Categories whose values have colours of their own: which of the scheme, by code; -1 and later codes are "Other". */
  colours?: number[];
  /** Numbers and dates that have the colours of the same values of another map. */
  like?: Column;
  /** The code that says "several values". */
  several?: number;
}

export interface Values {
  values?: string[];
  counts?: number[];
  histogram?: number[];
  /** Where its bars begin, and the end of the last: values of the column. Older maps have bars of equal ranges of codes. */
  edges?: number[];
  /** Whether all values are whole numbers. */
  whole?: boolean;
  missing: number;
}

export interface SheetIndex {
  size: number;
  cells: number;
  sheets: TileList;
}

export interface Topic {
  id: number;
  level: number;
  parent: number | null;
  name: string;
  x: number;
  y: number;
  w: number;
  h: number;
  k0: number | null;
  k1: number | null;
  count: number;
  row: number;
  ordinal: number;
}

export interface Labels {
  levels: number;
  topics: Topic[];
}

/** A node of the quadtree: the square [x, x+1) / 2^z × [y, y+1) / 2^z. */
export interface Tile {
  index: number;
  z: number;
  x: number;
  y: number;
  /** Ordinal of its first point (points) or number of the pictures before it (sheets). */
  start: number;
  count: number;
  children: Tile[];
}

/** Places, starts and children of all tiles: they are not stored, they follow from the breadth-first order. */
export function walkTiles(list: TileList): Tile[] {
  const tiles: Tile[] = [];
  const claim = (z: number, x: number, y: number): Tile => {
    const index = tiles.length;
    const before = tiles[index - 1];
    const start = before ? before.start + before.count : 0;
    const tile: Tile = { index, z, x, y, start, count: list.count[index] ?? 0, children: [] };
    tiles.push(tile);
    return tile;
  };
  if (list.count.length > 0) claim(0, 0, 0);
  for (let i = 0; i < tiles.length; i++) {
    const tile = tiles[i]!;
    for (let q = 0; q < 4; q++) {
      if ((list.children[i] ?? 0) & (1 << q)) {
        tile.children.push(claim(tile.z + 1, 2 * tile.x + (q & 1), 2 * tile.y + (q >> 1)));
      }
    }
  }
  if (tiles.length !== list.count.length) throw new Error("The tile list and its child masks disagree.");
  return tiles;
}

export const tileName = (tile: Tile): string => `${tile.z}-${tile.x}-${tile.y}`;

export function tileBox(tile: Tile): Box {
  const side = 2 ** -tile.z;
  return { x0: tile.x * side, y0: tile.y * side, x1: (tile.x + 1) * side, y1: (tile.y + 1) * side };
}

export const meets = (a: Box, b: Box): boolean => a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;

/** The tile that holds an ordinal; ordinals are numbered through the tiles in their order. */
export function tileOf(tiles: Tile[], ordinal: number): Tile | null {
  let low = 0;
  let high = tiles.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const tile = tiles[middle]!;
    if (ordinal < tile.start) high = middle - 1;
    else if (ordinal >= tile.start + tile.count) low = middle + 1;
    else return tile;
  }
  return null;
}
