/** The nearest point to a place, exactly: a grid over each tile, made when it is first asked. */

import { meets, tileBox } from "./manifest";
import { pointAt, STEPS, type TilePoints } from "./tile";
import type { Box } from "./viewport";

const GRID = 64;
const CELL = STEPS / GRID;

/** Points sorted by cell: those of cell c are order[starts[c]] … order[starts[c + 1] - 1]. */
interface Grid {
  starts: Uint32Array;
  order: Uint32Array;
}

export interface Found {
  ordinal: number;
  x: number;
  y: number;
}

const grids = new WeakMap<TilePoints, Grid>();

/** The accepted point nearest to (x, y), at most `radius` away, among the first `drawn` of each tile; world units. */
export function nearestPoint(
  drawn: Iterable<{ points: TilePoints; drawn: number }>,
  x: number,
  y: number,
  radius: number,
  accept: (ordinal: number) => boolean,
): Found | null {
  let best: Found | null = null;
  let bestSquare = radius ** 2;
  for (const { points, drawn: limit } of drawn) {
    const { tile } = points;
    if (!meets(tileBox(tile), { x0: x - radius, y0: y - radius, x1: x + radius, y1: y + radius })) continue;
    eachNear(points, x, y, Math.sqrt(bestSquare), limit, (i) => {
      const [px, py] = pointAt(points, i);
      const square = (px - x) ** 2 + (py - y) ** 2;
      const ordinal = tile.start + i;
      if (square > bestSquare || (square === bestSquare && best !== null && best.ordinal < ordinal)) return null;
      if (!accept(ordinal)) return null;
      best = { ordinal, x: px, y: py };
      bestSquare = square;
      return Math.sqrt(square);
    });
  }
  return best;
}

/**
 * Visits the first `limit` points of a tile that are at most `radius` away, or a little more: a visit may answer with a smaller
 * radius. Works in steps of the tile without making objects: a pointer in a dense cluster has thousands of points round it.
 */
function eachNear(points: TilePoints, x: number, y: number, radius: number, limit: number, visit: (i: number) => number | null): void {
  const { tile, at, low } = points;
  const { starts, order } = gridOf(points);
  const steps = 2 ** tile.z * STEPS;
  const [qx, qy] = [x * steps - tile.x * STEPS, y * steps - tile.y * STEPS];
  const cell = (value: number) => Math.min(GRID - 1, Math.max(0, Math.floor(value / CELL)));
  const slack = 1 + 1e-9;
  let reach = radius * steps * slack;
  const [from, to] = [cell(qx - reach), cell(qx + reach)];
  for (let row = cell(qy - reach); row <= cell(qy + reach); row++) {
    const end = starts[row * GRID + to + 1]!;
    for (let place = starts[row * GRID + from]!; place < end; place++) {
      const i = order[place]!;
      if (i >= limit) continue;
      const dx = at[2 * i]! + (low ? (low[2 * i]! + 0.5) / 256 : 0.5) - qx;
      const dy = at[2 * i + 1]! + (low ? (low[2 * i + 1]! + 0.5) / 256 : 0.5) - qy;
      if (dx * dx + dy * dy > reach * reach) continue;
      const nearer = visit(i);
      if (nearer !== null) reach = nearer * steps * slack;
    }
  }
}

/** Offsets of the points in the cells that a box touches: a superset of the points in the box. */
export function* pointsIn(points: TilePoints, box: Box): Generator<number> {
  const grid = gridOf(points);
  const { x, y, z } = points.tile;
  const cell = (value: number, origin: number) => Math.min(GRID - 1, Math.max(0, Math.floor((value * 2 ** z - origin) * GRID)));
  const columnFrom = cell(box.x0, x);
  const columnTo = cell(box.x1, x);
  for (let row = cell(box.y0, y); row <= cell(box.y1, y); row++) {
    const from = grid.starts[row * GRID + columnFrom]!;
    const to = grid.starts[row * GRID + columnTo + 1]!;
    for (let place = from; place < to; place++) yield grid.order[place]!;
  }
}

/** The grid of a tile, made at the first call: a third of a millisecond that no pointer should wait for. */
export function gridOf(points: TilePoints): Grid {
  let grid = grids.get(points);
  if (!grid) grids.set(points, (grid = makeGrid(points.at)));
  return grid;
}

/** Counting sort by cell. */
function makeGrid(at: Uint16Array): Grid {
  const count = at.length / 2;
  const starts = new Uint32Array(GRID * GRID + 1);
  const cells = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const cell = Math.floor(at[2 * i + 1]! / CELL) * GRID + Math.floor(at[2 * i]! / CELL);
    cells[i] = cell;
    starts[cell + 1]!++;
  }
  for (let cell = 0; cell < GRID * GRID; cell++) starts[cell + 1]! += starts[cell]!;
  const next = starts.slice();
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[next[cells[i]!]!++] = i;
  return { starts, order };
}
