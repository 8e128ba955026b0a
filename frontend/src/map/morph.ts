/** One map turns into another of the same records: every point travels from its old place to its new one. */

import { eased } from "./flight";
import type { TilePoints } from "./tile";
import { pointAt } from "./tile";
import { clamped, toScreen, toWorld, type Viewport, type WorldPoint } from "./viewport";

/** Old places are steps of the world's side / STEPS; `NOWHERE` = the record was not on the old map. */
const STEPS = 65534;
export const NOWHERE = 65535;
export const MORPH_MS = 700;
/** Longer nobody waits for the old places: what is not here by then appears at its new place. */
export const PATIENCE_MS = 1500;
/** A view that shows the world this many times larger than to fit is near enough to have something in its focus. */
const NEAR = 1.5;

/** A point that stays where it is on the screen, on both maps. */
export interface Focus {
  before: WorldPoint;
  after: WorldPoint;
}

export class Morph {
  private start: number | null = null;

  constructor(
    private readonly before: Viewport,
    private readonly after: Viewport,
    private readonly places: ReadonlyMap<TilePoints, Uint16Array>,
    private readonly ended: () => void,
  ) {}

  from(points: TilePoints): Uint16Array | null {
    return this.places.get(points) ?? null;
  }

  /** Its state now; null once it has ended. */
  at(now: number): { way: number; view: Viewport } | null {
    this.start ??= now;
    const t = (now - this.start) / MORPH_MS;
    if (t >= 1) {
      this.ended();
      return null;
    }
    const way = eased(Math.max(0, t));
    return { way, view: between(this.before, this.after, way) };
  }

  /** Ends it early. */
  stop(): void {
    this.start = -Infinity;
    this.ended();
  }
}

/** The view of the new map that shows the focus where the old view shows it. */
export function keepingFocus(view: Viewport, { before, after }: Focus): Viewport {
  const [sx, sy] = toScreen(view, before.x, before.y);
  const [x, y] = toWorld({ ...view, x: after.x, y: after.y }, view.width - sx, view.height - sy);
  return clamped({ ...view, x, y });
}

/** Whether a view shows so small a part of the world that the same part of another map would show something else. */
export const isNear = (view: Viewport): boolean => view.scale > NEAR * Math.min(view.width, view.height);

/** The point that was nearest to a place on the old map; null if none of these was on it. */
export function nearestBefore(points: TilePoints, from: Uint16Array, place: WorldPoint): Focus | null {
  let best = -1;
  let bestSquare = Infinity;
  for (let i = 0; i < from.length / 2; i++) {
    if (from[2 * i] === NOWHERE) continue;
    const square = (from[2 * i]! / STEPS - place.x) ** 2 + (from[2 * i + 1]! / STEPS - place.y) ** 2;
    if (square >= bestSquare) continue;
    best = i;
    bestSquare = square;
  }
  if (best < 0) return null;
  const [x, y] = pointAt(points, best);
  return { before: { x: from[2 * best]! / STEPS, y: from[2 * best + 1]! / STEPS }, after: { x, y } };
}

/** Zooms evenly, as the eye sees it. */
function between(a: Viewport, b: Viewport, t: number): Viewport {
  const mix = (from: number, to: number) => from + (to - from) * t;
  return { ...b, x: mix(a.x, b.x), y: mix(a.y, b.y), scale: a.scale * (b.scale / a.scale) ** t };
}
