/** The thin lines above the map: the ring round a point, the region being drawn, lines to neighbours. */

import { toScreen, type Viewport } from "./viewport";

const SVG = "http://www.w3.org/2000/svg";

export interface WorldPoint {
  x: number;
  y: number;
}

export class Overlay {
  readonly element = create("svg", "map-overlay");
  private readonly lines = create("g", "map-lines");
  private readonly focus = create("circle", "map-ring map-ring-focus");
  private readonly ring = create("circle", "map-ring");
  private readonly region = create("path", "map-region");
  private hovered: WorldPoint | null = null;
  private focused: WorldPoint | null = null;
  private neighbours: WorldPoint[] = [];

  constructor(parent: HTMLElement) {
    this.element.setAttribute("aria-hidden", "true");
    this.element.append(this.lines, this.focus, this.ring, this.region);
    parent.append(this.element);
  }

  hover(point: WorldPoint | null): void {
    this.hovered = point;
  }

  /** The point that is open, with lines to its neighbours. */
  open(point: WorldPoint | null, neighbours: WorldPoint[] = []): void {
    this.focused = point;
    this.neighbours = neighbours;
    this.lines.replaceChildren(...neighbours.map(() => create("line", "")));
  }

  /** Screen coordinates, x and y in turn; empty = none. */
  drawRegion(path: number[]): void {
    const pairs = [];
    for (let i = 0; i < path.length; i += 2) pairs.push(`${path[i]!.toFixed(1)} ${path[i + 1]!.toFixed(1)}`);
    this.region.setAttribute("d", pairs.length ? `M${pairs.join("L")}Z` : "");
  }

  /** Null = nothing has its place just now. */
  draw(view: Viewport | null, radius: number): void {
    this.element.toggleAttribute("hidden", !view);
    if (!view) return;
    placeRing(this.ring, this.hovered, view, radius);
    placeRing(this.focus, this.focused, view, radius + 2);
    if (!this.focused) return;
    const [x1, y1] = toScreen(view, this.focused.x, this.focused.y);
    this.neighbours.forEach((point, i) => {
      const [x2, y2] = toScreen(view, point.x, point.y);
      setAll(this.lines.children[i]!, { x1, y1, x2, y2 });
    });
  }
}

function placeRing(ring: SVGElement, point: WorldPoint | null, view: Viewport, radius: number): void {
  ring.toggleAttribute("hidden", !point);
  if (!point) return;
  const [cx, cy] = toScreen(view, point.x, point.y);
  setAll(ring, { cx, cy, r: radius });
}

function setAll(element: Element, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value.toFixed(1));
}

function create(name: string, className: string): SVGElement {
  const element = document.createElementNS(SVG, name);
  if (className) element.setAttribute("class", className);
  return element;
}
