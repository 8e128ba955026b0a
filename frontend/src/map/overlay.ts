/** The thin lines above the map: a ring round a point or a frame round its picture, the region being drawn, lines to neighbours. */

import type { Found } from "./pick";
import type { Placed } from "./sheets";
import { toScreen, type Viewport } from "./viewport";

const SVG = "http://www.w3.org/2000/svg";

export interface WorldPoint {
  x: number;
  y: number;
}

/** Where a record's picture is on the screen; null where it is a point. */
export type PictureOf = (ordinal: number) => Placed | null;

/** Pixels from the edge of a picture to the middle of the line round it, and the radius of its corners. */
const GAP = 1.5;
const ROUNDED = 3;

export class Overlay {
  readonly element = create("svg", "map-overlay");
  private readonly lines = create("g", "map-lines");
  private readonly focus = createRing("map-ring map-ring-focus");
  private readonly ring = createRing("map-ring");
  private readonly region = create("path", "map-region");
  private hovered: Found | null = null;
  private focused: Found | null = null;
  private neighbours: WorldPoint[] = [];

  constructor(parent: HTMLElement) {
    this.element.setAttribute("aria-hidden", "true");
    this.element.append(this.lines, this.focus, this.ring, this.region);
    parent.append(this.element);
  }

  hover(found: Found | null): void {
    this.hovered = found;
  }

  /** The record that is open, with lines to its neighbours. */
  open(found: Found | null, neighbours: WorldPoint[] = []): void {
    this.focused = found;
    this.neighbours = neighbours;
    this.lines.replaceChildren(...neighbours.map(() => create("line", "")));
  }

  /** Screen coordinates, x and y in turn; empty = none. */
  drawRegion(path: number[]): void {
    const pairs = [];
    for (let i = 0; i < path.length; i += 2) pairs.push(`${path[i]!.toFixed(1)} ${path[i + 1]!.toFixed(1)}`);
    this.region.setAttribute("d", pairs.length ? `M${pairs.join("L")}Z` : "");
  }

  /** Null = nothing has its place just now. `radius`: of a ring round a point. */
  draw(view: Viewport | null, radius: number, pictureOf: PictureOf): void {
    this.element.toggleAttribute("hidden", !view);
    if (!view) return;
    placeRing(this.ring, this.hovered, view, radius, pictureOf);
    placeRing(this.focus, this.focused, view, radius + 2, pictureOf);
    if (!this.focused) return;
    const [x1, y1] = toScreen(view, this.focused.x, this.focused.y);
    this.neighbours.forEach((point, i) => {
      const [x2, y2] = toScreen(view, point.x, point.y);
      setAll(this.lines.children[i]!, { x1, y1, x2, y2 });
    });
  }
}

/** Its middle is the point, wherever round it the picture lies. */
function placeRing(ring: SVGElement, found: Found | null, view: Viewport, radius: number, pictureOf: PictureOf): void {
  ring.toggleAttribute("hidden", !found);
  if (!found) return;
  const [sx, sy] = toScreen(view, found.x, found.y);
  const picture = pictureOf(found.ordinal);
  ring.toggleAttribute("data-picture", picture !== null);
  ring.setAttribute("transform", `translate(${sx.toFixed(1)} ${sy.toFixed(1)})`);
  const { left, top, width, height } = picture ?? { left: sx - radius, top: sy - radius, width: 2 * radius, height: 2 * radius };
  const gap = picture ? GAP : 0;
  const box = { x: left - sx - gap, y: top - sy - gap, width: width + 2 * gap, height: height + 2 * gap, rx: picture ? ROUNDED + gap : radius };
  for (const line of ring.children) setAll(line, box);
}

/** Two lines, one within the other: one of them stands out from any picture. */
function createRing(className: string): SVGElement {
  const ring = create("g", className);
  ring.append(create("rect", "map-ring-halo"), create("rect", "map-ring-line"));
  return ring;
}

function setAll(element: Element, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value.toFixed(1));
}

function create(name: string, className: string): SVGElement {
  const element = document.createElementNS(SVG, name);
  if (className) element.setAttribute("class", className);
  return element;
}
