/** What lies under the pointer, and what pointer and keyboard do with it. */

import { DOUBLE_CLICK_MS, type GestureHandlers } from "./gestures";
import type { Hit } from "./hits_pass";
import type { handleKey } from "./keyboard";
import type { Manner } from "./manner";
import type { Marks } from "./marks";
import type { Mover } from "./mover";
import { nearestPoint, type Found } from "./pick";
import type { DrawnTile } from "./points_pass";
import type { Polygon } from "./region";
import { panned, toWorld, zoomedAt, type Viewport, type WorldPoint } from "./viewport";
import { nextPoint } from "./walk";

const PICK_RADIUS = 10;
const NEARER = 2.5;

/** The points of each tile that can be met: as many from its first on as are drawn. */
type Candidates = { points: DrawnTile["points"]; drawn: number }[];

/** What the last frame showed. */
export interface Shown {
  drawn(): DrawnTile[];
  pictureAt(sx: number, sy: number): Found | null;
}

interface PointerEvents {
  hover(found: Found | null): void;
  walk(found: Found | null): void;
  click(found: Found | null, add: boolean): void;
  open(found: Found): void;
  /** Screen pixels, while it is drawn; empty at the end. */
  drawing(path: number[]): void;
  region(polygon: Polygon, manner: Manner): void;
}

export class Pointer {
  hovered: Found | null = null;
  private nothing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly mover: Mover,
    private readonly marks: Marks,
    private readonly shown: Shown,
    private readonly events: PointerEvents,
  ) {}

  /** The hit, picture or point at a place on the screen: what counts before what stands back, never what is hidden. */
  find(sx: number, sy: number): Found | null {
    const { view } = this.mover;
    const { marks } = this;
    const [x, y] = toWorld(view, sx, sy);
    const radius = PICK_RADIUS / view.scale;
    const above = nearestHit(marks.visibleHits, x, y, radius) ?? this.shown.pictureAt(sx, sy);
    if (above) return above;
    const all = () => nearestPoint(this.candidates(), x, y, radius, (ordinal) => marks.isVisible(ordinal));
    if (marks.lit === "none" || !marks.divided) return all();
    return nearestPoint(this.litCandidates(), x, y, radius, (ordinal) => marks.isVisible(ordinal) && marks.isLit(ordinal)) ?? all();
  }

  hover(found: Found | null): void {
    if (found?.ordinal === this.hovered?.ordinal) return;
    this.hovered = found;
    this.events.hover(found);
  }

  gestureHandlers(): GestureHandlers {
    const { mover } = this;
    return {
      pan: (dx, dy) => this.moveTo(panned(mover.view, dx, dy)),
      zoom: (x, y, factor) => this.moveTo(zoomedAt(mover.view, x, y, factor)),
      step: (x, y, nearer) => {
        clearTimeout(this.nothing);
        mover.fly(zoomedAt(mover.view, x, y, nearer ? NEARER : 1 / NEARER));
      },
      hover: (x, y) => this.hover(this.find(x, y)),
      leave: () => this.hover(null),
      click: (x, y, add) => this.click(this.find(x, y), add),
      region: (_tool, path, done, manner) => this.region(path, done, manner),
    };
  }

  keyHandlers(): Parameters<typeof handleKey>[1] {
    const { mover } = this;
    return {
      pan: (dx, dy) => this.moveTo(panned(mover.view, dx, dy)),
      zoomBy: (factor) => mover.zoomBy(factor),
      recentre: () => mover.recentre(),
      walk: (dx, dy) => this.walk(dx, dy),
      open: () => this.hovered && this.events.open(this.hovered),
      toggle: () => this.hovered && this.events.click(this.hovered, true),
    };
  }

  /** Where nothing is, a click may be the first of two, and these zoom: nobody is to lose a selection by that. */
  private click(found: Found | null, add: boolean): void {
    clearTimeout(this.nothing);
    if (found) this.events.click(found, add);
    else this.nothing = setTimeout(() => this.events.click(null, add), DOUBLE_CLICK_MS);
  }

  private moveTo(view: Viewport): void {
    this.hover(null);
    this.mover.set(view);
  }

  private region(path: number[], done: boolean, manner: Manner): void {
    this.hover(null);
    this.events.drawing(done ? [] : path);
    if (!done || path.length < 6) return;
    const polygon = new Float64Array(path.length);
    for (let i = 0; i < path.length; i += 2) polygon.set(toWorld(this.mover.view, path[i]!, path[i + 1]!), i);
    this.events.region(polygon, manner);
  }

  private walk(dx: number, dy: number): void {
    const { view } = this.mover;
    const from = this.hovered ?? this.mover.middle;
    const reach = Math.max(view.width, view.height) / view.scale;
    const found = this.next(from, [dx, -dy], reach);
    this.events.walk(found);
    if (!found) return;
    const to = this.mover.revealing(found);
    if (to) this.moveTo(to);
    this.hover(found);
  }

  private next(from: WorldPoint, direction: [number, number], reach: number): Found | null {
    const { marks } = this;
    const all = nextPoint(this.candidates(), from, direction, reach, (ordinal) => marks.isVisible(ordinal));
    if (!marks.divided) return all;
    const lit = nextPoint(this.litCandidates(), from, direction, reach, (ordinal) => marks.isVisible(ordinal) && marks.isLit(ordinal));
    const away = ({ x, y }: WorldPoint): number => Math.hypot(x - from.x, y - from.y);
    return all && (!lit || away(all) < away(lit)) ? all : lit;
  }

  private candidates(): Candidates {
    return this.shown.drawn().map(({ points, prefix }) => ({ points, drawn: prefix.fading }));
  }

  /** Of these only the points that count are drawn. */
  private litCandidates(): Candidates {
    return this.shown.drawn().map(({ points, prefix, lit }) => ({ points, drawn: (lit ?? prefix).fading }));
  }
}

function nearestHit(hits: Hit[], x: number, y: number, radius: number): Hit | null {
  let best: Hit | null = null;
  let bestSquare = radius ** 2;
  for (const hit of hits) {
    const square = (hit.x - x) ** 2 + (hit.y - y) ** 2;
    if (square > bestSquare || (square === bestSquare && best)) continue;
    best = hit;
    bestSquare = square;
  }
  return best;
}
