/** The thin lines above the map: a ring round a point or a frame round its picture, the region being drawn, lines to neighbours. */

import type { Found } from "./pick";
import type { Placed } from "./sheets";
import { toScreen, type Viewport } from "./viewport";

const SVG = "http://www.w3.org/2000/svg";

/** Where a record's picture is on the screen; null where it is a point. */
type PictureOf = (ordinal: number) => Placed | null;

/** Pixels from the edge of a picture to the middle of the line round it, and the radius of its corners. */
const GAP = 1.5;
const ROUNDED = 3;

export class Overlay {
  readonly element = create("svg", "map-overlay");
  private readonly lines = create("g", "map-lines");
  private readonly near = create("g", "map-near");
  private readonly focus = createRing("map-ring map-ring-focus");
  private readonly ring = createRing("map-ring map-ring-hover");
  private readonly region = create("path", "map-region");
  private hovered: Found | null = null;
  private focused: Found | null = null;
  private neighbours: Found[] = [];

  constructor(parent: HTMLElement) {
    this.element.setAttribute("aria-hidden", "true");
    this.element.append(this.lines, this.near, this.ring, this.focus, this.region);
    parent.append(this.element);
  }

  hover(found: Found | null): void {
    this.hovered = found;
  }

  /** The record that is open, with lines to its neighbours. */
  open(found: Found | null, neighbours: Found[] = []): void {
    this.focused = found;
    this.neighbours = neighbours;
    this.lines.replaceChildren(...neighbours.map(() => create("line", "")));
    this.near.replaceChildren(...neighbours.map(() => createRing("map-ring map-ring-near")));
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
    const shapeOf = (found: Found, radius: number): Shape => shape(toScreen(view, found.x, found.y), pictureOf(found.ordinal), radius);
    placeRing(this.ring, this.hovered && shapeOf(this.hovered, radius));
    const focus = this.focused && shapeOf(this.focused, radius + 2);
    placeRing(this.focus, focus);
    if (!focus) return;
    this.neighbours.forEach((neighbour, i) => {
      const near = shapeOf(neighbour, radius - 2);
      placeRing(this.near.children[i]!, near);
      setAll(this.lines.children[i]!, lineBetween(focus, near));
    });
  }
}

/** What is drawn round a point or a picture, in screen pixels. */
interface Shape {
  /** The point, wherever round it the picture lies. */
  x: number;
  y: number;
  box: Placed;
  /** Whether there is no picture. */
  point: boolean;
  /** Of the corners. */
  radius: number;
}

function shape([x, y]: [number, number], picture: Placed | null, radius: number): Shape {
  if (!picture) return { x, y, box: { left: x - radius, top: y - radius, width: 2 * radius, height: 2 * radius }, point: true, radius };
  const { left, top, width, height } = picture;
  return { x, y, box: { left: left - GAP, top: top - GAP, width: width + 2 * GAP, height: height + 2 * GAP }, point: false, radius: ROUNDED + GAP };
}

function placeRing(ring: Element, shape: Shape | null): void {
  ring.toggleAttribute("hidden", !shape);
  if (!shape) return;
  const { x, y, box, radius, point } = shape;
  ring.toggleAttribute("data-point", point);
  ring.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
  for (const line of ring.children) setAll(line, { x: box.left - x, y: box.top - y, width: box.width, height: box.height, rx: radius });
}

/** From edge to edge: what is framed is not crossed. Of no length where the two meet. */
export function lineBetween(from: Pick<Shape, "box">, to: Pick<Shape, "box">): { x1: number; y1: number; x2: number; y2: number } {
  const [x1, y1] = middle(from.box);
  const [x2, y2] = middle(to.box);
  const [out, into] = [partInside(from.box, x2 - x1, y2 - y1), 1 - partInside(to.box, x2 - x1, y2 - y1)];
  const at = (part: number) => [x1 + part * (x2 - x1), y1 + part * (y2 - y1)] as const;
  const [start, end] = [at(out), at(Math.max(out, into))];
  return { x1: start[0], y1: start[1], x2: end[0], y2: end[1] };
}

const middle = ({ left, top, width, height }: Placed): [number, number] => [left + width / 2, top + height / 2];

/** How much of a way from the middle of a box is inside it. */
const partInside = ({ width, height }: Placed, dx: number, dy: number): number =>
  Math.min(1, width / 2 / Math.max(Math.abs(dx), 1e-9), height / 2 / Math.max(Math.abs(dy), 1e-9));

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
