/** Topic names on the map. When one is shown was computed with the map (k0, k1), so no two ever meet. */

import { fitted } from "./fitted";
import type { Labels, Topic } from "./manifest";
import { mannerOf, type Manner } from "./manner";
import type { Placed } from "./sheets";
import { toScreen, zoomOf, type Viewport } from "./viewport";

/** Pixels that stay free at the edge, the shortest box that is still read, the longest name in characters. */
const EDGE = 2;
const SHORTEST = 44;
const LONGEST = 200;

export function visibleTopics(topics: Topic[], view: Viewport): Topic[] {
  const k = zoomOf(view);
  return topics.filter((topic) => {
    if (topic.k0 === null || k < topic.k0 || (topic.k1 !== null && k >= topic.k1)) return false;
    const [x, y] = toScreen(view, topic.x, topic.y);
    return Math.abs(x - view.width / 2) < (view.width + topic.w) / 2 && Math.abs(y - view.height / 2) < (view.height + topic.h) / 2;
  });
}

/**
 * Where a label lies on the screen. At an edge its box ends there, so that the name is cut off with an ellipsis; a box that
 * would be too short to read runs off the edge as the map does.
 */
export function labelBox({ x, y, w, h }: Topic, view: Viewport): Placed {
  const [sx, sy] = toScreen(view, x, y);
  const left = Math.max(EDGE, sx - w / 2);
  const right = Math.min(view.width - EDGE, sx + w / 2);
  const shortest = Math.min(w, SHORTEST);
  if (right - left >= shortest) return { left, top: sy - h / 2, width: right - left, height: h };
  return { left: sx < view.width / 2 ? sx + w / 2 - shortest : sx - w / 2, top: sy - h / 2, width: shortest, height: h };
}

/** What of a box lies beside all that covers the map, in one piece; null where that would be too short to read. */
export function uncovered(box: Placed, covers: Placed[]): Placed | null {
  let { left } = box;
  let right = left + box.width;
  const shortest = Math.min(box.width, SHORTEST);
  for (const cover of covers) {
    const meets = cover.left < right && cover.left + cover.width > left && cover.top < box.top + box.height && cover.top + cover.height > box.top;
    if (!meets) continue;
    if (cover.left - left > right - cover.left - cover.width) right = cover.left - EDGE;
    else left = cover.left + cover.width + EDGE;
  }
  return right - left >= shortest ? { ...box, left, width: right - left } : null;
}

/** No label has room for more. */
const shortened = (name: string): string => (name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name);

/** Keeps one element for each label on the screen. */
export class LabelLayer {
  shown = true;
  private topics: Topic[] = [];
  private readonly elements = new Map<number, HTMLButtonElement>();

  constructor(
    private readonly parent: HTMLElement,
    private readonly clicked: (topic: Topic, manner: Manner) => void,
    /** What lies over the map at this moment, in pixels of it. */
    private readonly covers: () => Placed[],
  ) {}

  set(labels: Labels): void {
    this.topics = labels.topics;
    for (const element of this.elements.values()) element.remove();
    this.elements.clear();
  }

  /** Null = no label has its place just now. */
  draw(view: Viewport | null, covers = this.covers): void {
    const placed = this.shown && view ? this.place(view, covers) : [];
    const ids = new Set(placed.map(({ topic }) => topic.id));
    for (const [id, element] of this.elements) {
      if (ids.has(id)) continue;
      element.remove();
      this.elements.delete(id);
    }
    for (const { topic, box } of placed) {
      const { left, width, top } = box;
      const { style } = this.element(topic);
      style.transform = `translate(${left.toFixed(1)}px, ${top.toFixed(1)}px)`;
      style.width = `${width.toFixed(1)}px`;
    }
  }

  private place(view: Viewport, covers: () => Placed[]): { topic: Topic; box: Placed }[] {
    const topics = visibleTopics(this.topics, view);
    const over = topics.length > 0 ? covers() : [];
    return topics.flatMap((topic) => {
      const box = uncovered(labelBox(topic, view), over);
      return box ? [{ topic, box }] : [];
    });
  }

  /** Paints the names as the page shows them, on a canvas whose unit is a pixel of CSS; what lies beyond the box of the map is cut off. */
  paintOn(pen: CanvasRenderingContext2D, map: DOMRect): void {
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, map.width, map.height);
    pen.clip();
    for (const element of this.elements.values()) paintName(pen, element.firstElementChild as HTMLElement, map);
    pen.restore();
  }

  private element(topic: Topic): HTMLButtonElement {
    const existing = this.elements.get(topic.id);
    if (existing) return existing;
    const element = document.createElement("button");
    element.type = "button";
    // The topic list is the keyboard's way to them: thirty tab stops on the map would be a trap.
    element.tabIndex = -1;
    element.className = "map-label";
    element.dataset["level"] = String(Math.min(topic.level, 2));
    const name = document.createElement("span");
    name.textContent = shortened(topic.name);
    element.append(name);
    element.title = `${shortened(topic.name)}: ${topic.count.toLocaleString("en")} records`;
    element.style.height = `${topic.h}px`;
    element.addEventListener("click", (event) => this.clicked(topic, mannerOf(event)));
    this.elements.set(topic.id, element);
    this.parent.append(element);
    return element;
  }
}

function paintName(pen: CanvasRenderingContext2D, name: HTMLElement, map: DOMRect): void {
  const style = getComputedStyle(name);
  const box = name.getBoundingClientRect();
  const [left, top] = [box.left - map.left, box.top - map.top];
  pen.beginPath();
  pen.fillStyle = style.backgroundColor;
  pen.roundRect(left, top, box.width, box.height, parseFloat(style.borderTopLeftRadius));
  pen.fill();
  Object.assign(pen, { font: style.font, textAlign: "center", textBaseline: "middle", lineJoin: "round" });
  const room = box.width - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  // Only where the page cuts it off, too: it measures otherwise than the pen.
  const isCut = name.scrollWidth > name.clientWidth;
  const words = isCut ? fitted(name.textContent, room, (part) => pen.measureText(part).width) : name.textContent;
  const middle = [left + box.width / 2, top + box.height / 2] as const;
  pen.strokeStyle = style.webkitTextStrokeColor;
  pen.lineWidth = parseFloat(style.webkitTextStrokeWidth);
  pen.strokeText(words, ...middle);
  pen.fillStyle = style.color;
  pen.fillText(words, ...middle);
}
