/** A drawn region with fewer corners: each of them is sent, and stands in addresses. */

import type { Polygon } from "../map/region";

/** An address has room for so many. */
const MOST = 100;
/** Of its size: on the screen where it was drawn about a pixel. */
const TOLERANCE = 1 / 1000;

/** The corners that say most of its outline (Douglas and Peucker), at least three of them. */
export function simplified(polygon: Polygon): [number, number][] {
  const corners = Array.from({ length: polygon.length / 2 }, (_, at): [number, number] => [polygon[2 * at]!, polygon[2 * at + 1]!]);
  const weights = weightsOf(corners);
  const least = TOLERANCE * Math.max(extent(corners, 0), extent(corners, 1));
  const order = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]!);
  const kept = order.filter((at, rank) => rank < 3 || (rank < MOST && weights[at]! > least));
  return kept.sort((a, b) => a - b).map((at) => corners[at]!);
}

/** How far each corner lies off the outline of those that weigh more. */
function weightsOf(corners: [number, number][]): Float64Array {
  const weights = new Float64Array(corners.length).fill(Infinity, 0, 1);
  // The outline ends where it begins.
  const parts: [number, number, number][] = [[0, corners.length, Infinity]];
  for (let part = parts.pop(); part; part = parts.pop()) {
    const [from, to, most] = part;
    if (to - from < 2) continue;
    let furthest = from + 1;
    let distance = -1;
    for (let at = from + 1; at < to; at++) {
      const off = distanceTo(corners[at]!, corners[from]!, corners[to % corners.length]!);
      if (off > distance) [furthest, distance] = [at, off];
    }
    weights[furthest] = Math.min(most, distance);
    parts.push([from, furthest, weights[furthest]!], [furthest, to, weights[furthest]!]);
  }
  return weights;
}

/** From a point to the line between two others. */
function distanceTo([x, y]: [number, number], [x0, y0]: [number, number], [x1, y1]: [number, number]): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const along = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}

function extent(corners: [number, number][], side: 0 | 1): number {
  const all = corners.map((corner) => corner[side]);
  return Math.max(...all) - Math.min(...all);
}
