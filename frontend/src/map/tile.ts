/** The points of one tile, as they lie in its file. */

import type { Tile } from "./manifest";

const HEADER = 80;
const MAGIC = 0x314d5441; // "ATM1", little endian
/** Positions are stored in steps of the tile's side / STEPS. */
export const STEPS = 65536;

export type Codes = Uint8Array | Uint16Array;

export interface TilePoints {
  tile: Tile;
  /** cuts[j]: how many of its points have a rank below n >> j. */
  cuts: Uint32Array;
  /** hx, hy interleaved. */
  at: Uint16Array;
  /** lx, ly interleaved: eight more bits, once they were needed. */
  low: Uint8Array | null;
  /** Column codes by column key. */
  columns: Map<string, Codes>;
}

/** Views into the file, no copies. Throws a RangeError for a file that is cut short or of another format. */
export function readTile(tile: Tile, bytes: ArrayBuffer, embedded: { key: string; type: "u8" | "u16" } | null): TilePoints {
  const header = new DataView(bytes, 0, HEADER);
  const count = header.getUint32(4, true);
  if (header.getUint32(0, true) !== MAGIC) throw new RangeError("This is no tile of a map.");
  if (count !== tile.count || header.getUint32(8, true) !== tile.start) {
    throw new RangeError("The tile belongs to another version of the map.");
  }
  const columns = new Map<string, Codes>();
  if (embedded) columns.set(embedded.key, readCodes(bytes, HEADER + 4 * count, count, embedded.type));
  return {
    tile,
    cuts: new Uint32Array(bytes, 16, 16),
    at: new Uint16Array(bytes, HEADER, 2 * count),
    low: null,
    columns,
  };
}

export function readCodes(bytes: ArrayBuffer, offset: number, count: number, type: "u8" | "u16"): Codes {
  return type === "u8" ? new Uint8Array(bytes, offset, count) : new Uint16Array(bytes, offset, count);
}

/** World position of point `i`: exactly where the shader draws it. */
export function pointAt(points: TilePoints, i: number): [number, number] {
  const { tile, at, low } = points;
  const side = 2 ** -tile.z;
  const lowX = low ? (low[2 * i]! + 0.5) / 256 : 0.5;
  const lowY = low ? (low[2 * i + 1]! + 0.5) / 256 : 0.5;
  return [(tile.x + (at[2 * i]! + lowX) / STEPS) * side, (tile.y + (at[2 * i + 1]! + lowY) / STEPS) * side];
}
