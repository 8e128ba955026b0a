/** From point to point by arrow keys: the nearest one that lies in the arrow's quarter. */

import { pointsIn, type Found } from "./pick";
import { pointAt, type TilePoints } from "./tile";

/** `dx, dy`: one of the four directions, world (y up). Looks at most `reach` far, in rings that double. */
export function nextPoint(
  drawn: { points: TilePoints; drawn: number }[],
  from: { x: number; y: number },
  [dx, dy]: [number, number],
  reach: number,
  accept: (ordinal: number) => boolean,
): Found | null {
  for (let radius = reach / 32; radius <= reach; radius *= 2) {
    const found = nearestAhead(drawn, from, dx, dy, radius, accept);
    if (found) return found;
  }
  return null;
}

function nearestAhead(
  drawn: { points: TilePoints; drawn: number }[],
  from: { x: number; y: number },
  dx: number,
  dy: number,
  radius: number,
  accept: (ordinal: number) => boolean,
): Found | null {
  const box = { x0: from.x - radius, y0: from.y - radius, x1: from.x + radius, y1: from.y + radius };
  let best: Found | null = null;
  let bestDistance = radius;
  for (const { points, drawn: limit } of drawn) {
    for (const i of pointsIn(points, box)) {
      if (i >= limit || !accept(points.tile.start + i)) continue;
      const [x, y] = pointAt(points, i);
      const ahead = (x - from.x) * dx + (y - from.y) * dy;
      const aside = Math.abs((x - from.x) * dy - (y - from.y) * dx);
      const distance = Math.hypot(ahead, aside);
      if (ahead <= 0 || aside > ahead || distance >= bestDistance) continue;
      best = { ordinal: points.tile.start + i, x, y };
      bestDistance = distance;
    }
  }
  return best;
}
