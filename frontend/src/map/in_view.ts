/** How many points lie on the screen, whether they are drawn or not. */

import type { Flags } from "./flags";
import { meets, tileBox, type Tile } from "./manifest";
import { pointsIn } from "./pick";
import { pointAt, type TilePoints } from "./tile";
import { visibleBox, type Box, type Viewport } from "./viewport";

/** A tile at the edge of the screen that is not loaded counts by its share of it: then `exact` is false. */
export interface InView {
  count: number;
  exact: boolean;
}

export function countInView(tiles: Tile[], loaded: ReadonlyMap<Tile, TilePoints>, flags: Flags, view: Viewport): InView {
  const screen = visibleBox(view);
  const found = { count: 0, exact: true };
  for (const tile of tiles) {
    const box = tileBox(tile);
    if (!meets(box, screen)) continue;
    const points = loaded.get(tile);
    const share = shareOf(box, screen);
    if (share < 1 && points) found.count += countIn(points, screen, flags);
    else found.count += share * visible(tile, flags);
    found.exact &&= share === 1 || points !== undefined;
  }
  return { ...found, count: Math.round(found.count) };
}

function countIn(points: TilePoints, screen: Box, flags: Flags): number {
  let count = 0;
  for (const i of pointsIn(points, screen)) {
    const [x, y] = pointAt(points, i);
    const inside = x >= screen.x0 && x <= screen.x1 && y >= screen.y0 && y <= screen.y1;
    if (inside && !flags.isHidden(points.tile.start + i)) count++;
  }
  return count;
}

function visible({ start, count }: Tile, flags: Flags): number {
  if (flags.hidden === 0) return count;
  let left = 0;
  for (let ordinal = start; ordinal < start + count; ordinal++) if (!flags.isHidden(ordinal)) left++;
  return left;
}

/** Of the first box, the part that the second covers. */
function shareOf(box: Box, screen: Box): number {
  const width = Math.min(box.x1, screen.x1) - Math.max(box.x0, screen.x0);
  const height = Math.min(box.y1, screen.y1) - Math.max(box.y0, screen.y0);
  return (width * height) / ((box.x1 - box.x0) * (box.y1 - box.y0));
}
