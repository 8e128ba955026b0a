/** Which records show their pictures where the sheets end, and how far each picture may grow. */

import { meets, tileBox } from "./manifest";
import { pointsIn } from "./pick";
import type { DrawnTile } from "./points_pass";
import { cellAt, cellsWithin, holds, type Region } from "./sheets";
import { pointAt } from "./tile";
import { visibleBox, type Box, type Viewport } from "./viewport";

/** More are not shown at once. */
const MOST = 200;
/** A cell so many levels above is larger than any picture. */
const WIDEST = 3;

export interface Candidate {
  ordinal: number;
  x: number;
  y: number;
  cell: Box;
  key: number;
  /** The last level of sheets at its place. */
  last: number;
}

/** Ordinals of pictures in sheets, by the key of their cell. */
export type Taken = ReadonlyMap<number, number>;

/**
 * One record for each cell of the regions: that of the sheet's picture where the cell has one, else that of lowest rank. Nearest
 * to the middle of the screen first.
 */
export function candidates(
  drawn: DrawnTile[],
  regions: Region[],
  view: Viewport,
  level: number,
  taken: Taken,
  accept: (ordinal: number) => boolean,
): Candidate[] {
  const screen = grown(visibleBox(view), 2 ** -level / 16);
  const inSheets = new Set(taken.values());
  const chosen = new Map<number, Candidate & { rank: number }>();
  // Coarse tiles hold lower ranks, and so do the first points of a tile: the first that comes is the one to show.
  drawn.forEach(({ points, prefix }, order) => {
    for (const { box, sheet } of regions) {
      const part = { x0: Math.max(box.x0, screen.x0), y0: Math.max(box.y0, screen.y0), x1: Math.min(box.x1, screen.x1), y1: Math.min(box.y1, screen.y1) };
      if (!meets(part, box)) continue;
      for (const i of pointsIn(points, part)) {
        const ordinal = points.tile.start + i;
        if (i >= prefix.fading || !accept(ordinal)) continue;
        const [x, y] = pointAt(points, i);
        if (!holds(part, x, y)) continue;
        const cell = cellAt(x, y, level);
        const rank = order * 2 ** 24 + i;
        const other = chosen.get(cell.key);
        const mine = taken.get(cell.key) === ordinal;
        // The sheets are less exact than the points: a picture may be in the cell beside its point's.
        if (!mine && (taken.has(cell.key) || inSheets.has(ordinal))) continue;
        if (other && other.rank < rank) continue;
        chosen.set(cell.key, { ordinal, x, y, cell: cell.box, key: cell.key, last: sheet.z, rank });
      }
    }
  });
  const away = ({ x, y }: Candidate) => Math.max(Math.abs(x - view.x), Math.abs(y - view.y));
  return [...chosen.values()].sort((a, b) => away(a) - away(b)).slice(0, MOST);
}

/**
 * The largest cell above a candidate's that holds no other point and no other picture. Such cells lie one in the other or
 * apart, so no two pictures that keep to theirs meet; and as they are of the world, pictures in them grow with the zoom.
 */
export function roomOf({ ordinal, x, y, cell, key }: Candidate, drawn: DrawnTile[], level: number, taken: Taken, accept: (ordinal: number) => boolean): Box {
  let room = cell;
  for (let up = 1; up <= Math.min(WIDEST, level); up++) {
    const { box } = cellAt(x, y, level - up);
    if (holdsAnother(box, ordinal, drawn, accept)) break;
    if (cellsWithin(box, level).some((within) => within !== key && taken.has(within))) break;
    room = box;
  }
  return room;
}

function holdsAnother(box: Box, ordinal: number, drawn: DrawnTile[], accept: (ordinal: number) => boolean): boolean {
  for (const { points, prefix } of drawn) {
    if (!meets(tileBox(points.tile), box)) continue;
    for (const i of pointsIn(points, box)) {
      const other = points.tile.start + i;
      if (other !== ordinal && i < prefix.fading && accept(other) && holds(box, ...pointAt(points, i))) return true;
    }
  }
  return false;
}

const grown = (box: Box, by: number): Box => ({ x0: box.x0 - by, y0: box.y0 - by, x1: box.x1 + by, y1: box.y1 + by });
