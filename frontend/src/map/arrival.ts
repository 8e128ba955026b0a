/** Prepares a morph: loads what the new view shows and where it all was on the old map. */

import type { Tile } from "./manifest";
import { isNear, keepingFocus, nearestBefore, PATIENCE_MS, type Focus } from "./morph";
import type { TileStore } from "./store";
import type { TilePoints } from "./tile";
import type { Viewport } from "./viewport";

export type PlacesBefore = (tile: Tile) => Promise<Uint16Array>;

/** The view of the new map that keeps what is in the middle of the old one, or the focus that the caller knows. */
export async function arrivalView(
  store: TileStore,
  before: Viewport,
  from: PlacesBefore,
  focus: Focus | null,
  signal: AbortSignal,
): Promise<Viewport> {
  const root = store.tiles[0];
  if (!root || !isNear(before)) return before;
  if (focus) return keepingFocus(before, focus);
  const [[points], places] = await Promise.all([store.all([root], signal), from(root)]);
  const nearest = nearestBefore(points!, places, before);
  return nearest ? keepingFocus(before, nearest) : before;
}

/** Where a view comes to that was to be `after`, when whoever waited has moved the old one from `before` to `now`. */
export function movedAlong(after: Viewport, before: Viewport, now: Viewport): Viewport {
  return { ...after, x: after.x + (now.x - before.x), y: after.y + (now.y - before.y), scale: after.scale * (now.scale / before.scale) };
}

/**
 * Waits for the tiles, and for where their points were, as far as both come in time. A tile that fails just has no old places;
 * without the first tile there is nothing to show: rejects if it cannot be had. `from` = null: nobody asks for old places.
 */
export async function placesBefore(
  store: TileStore,
  tiles: Tile[],
  from: PlacesBefore | null,
  signal: AbortSignal,
): Promise<Map<TilePoints, Uint16Array>> {
  const places = new Map<TilePoints, Uint16Array>();
  const late = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS));
  const queue = [...tiles];
  const worker = async () => {
    for (let tile = queue.shift(); tile; tile = queue.shift()) {
      const found = await Promise.all([store.all([tile], signal), from?.(tile)]).catch(() => null);
      if (found?.[1]) places.set(found[0][0]!, found[1]);
    }
  };
  await Promise.race([Promise.all(Array.from({ length: 6 }, worker)), late]);
  await store.all(store.tiles.slice(0, 1), signal);
  return new Map(places);
}
