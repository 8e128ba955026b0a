/** Which points lie in a drawn region. */

import { pointsIn } from "./pick";
import { pointAt, type TilePoints } from "./tile";
import type { Box } from "./viewport";

/** A closed polygon: x, y pairs in world units. */
export type Polygon = Float64Array;

export function boxOf(polygon: Polygon): Box {
  const box = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (let i = 0; i < polygon.length; i += 2) {
    box.x0 = Math.min(box.x0, polygon[i]!);
    box.x1 = Math.max(box.x1, polygon[i]!);
    box.y0 = Math.min(box.y0, polygon[i + 1]!);
    box.y1 = Math.max(box.y1, polygon[i + 1]!);
  }
  return box;
}

/** Even-odd rule, as a self-crossing lasso looks when it is filled. */
export function contains(polygon: Polygon, x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [xi, yi, xj, yj] = [polygon[i]!, polygon[i + 1]!, polygon[j]!, polygon[j + 1]!];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

export function* ordinalsIn(polygon: Polygon, tiles: Iterable<TilePoints>): Generator<number> {
  const box = boxOf(polygon);
  for (const points of tiles) {
    for (const i of pointsIn(points, box)) {
      const [x, y] = pointAt(points, i);
      if (x >= box.x0 && x <= box.x1 && y >= box.y0 && y <= box.y1 && contains(polygon, x, y)) yield points.tile.start + i;
    }
  }
}
