/** Mouse, touch and pen on the map: drag, wheel, pinch, tap, double tap, lasso and box. Knows pixels only. */

import { adds, mannerOf, type Manner } from "./manner";

export type Tool = "pan" | "lasso" | "box";

export interface GestureHandlers {
  pan(dx: number, dy: number): void;
  /** Zoom by a factor about a place. */
  zoom(x: number, y: number, factor: number): void;
  /** Two clicks at one place: a step nearer, or away with Shift. */
  step(x: number, y: number, nearer: boolean): void;
  hover(x: number, y: number): void;
  leave(): void;
  click(x: number, y: number, add: boolean): void;
  /** While a region is drawn, and once with `done`. `path` holds x, y pairs. */
  region(tool: "lasso" | "box", path: number[], done: boolean, manner: Manner): void;
}

/** A press that moves less is a click. */
const CLICK = 4;
export const DOUBLE_CLICK_MS = 300;
const WHEEL_LINE = 16;

interface Press {
  x: number;
  y: number;
  tool: Tool;
  moved: boolean;
  path: number[];
  /** On a name that lies on the map and hears its own clicks. */
  named: boolean;
}

export class Gestures {
  tool: Tool = "pan";
  private readonly pointers = new Map<number, { x: number; y: number }>();
  private press: Press | null = null;
  private lastClick = { time: -Infinity, x: 0, y: 0 };
  private readonly abort = new AbortController();

  /** `stage` holds the canvas and the names on it: a name may be dragged, pinched and zoomed at as the map below it. */
  constructor(
    private readonly stage: HTMLElement,
    private readonly canvas: HTMLElement,
    private readonly handlers: GestureHandlers,
  ) {
    const on = <K extends keyof HTMLElementEventMap>(kind: K, listener: (event: HTMLElementEventMap[K]) => void) =>
      stage.addEventListener(kind, listener, { signal: this.abort.signal, passive: false });
    on("pointerdown", (event) => this.down(event));
    on("mousedown", (event) => this.focus(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.cancel(event));
    on("pointerleave", () => this.handlers.leave());
    on("wheel", (event) => this.wheel(event));
    // Before anybody else: Escape is meant for the drawing as long as there is one.
    addEventListener("keydown", (event) => this.giveUp(event), { signal: this.abort.signal, capture: true });
  }

  close(): void {
    this.abort.abort();
  }

  private at(event: MouseEvent): { x: number; y: number } {
    const box = this.stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    const place = this.at(event);
    this.pointers.set(event.pointerId, place);
    (event.target as Element).setPointerCapture(event.pointerId);
    if (this.pointers.size > 1) this.drop();
    else this.press = { ...place, tool: this.toolFor(event), moved: false, path: [place.x, place.y], named: this.isNamed(event) };
  }

  /** The keys go on moving the map. */
  private focus(event: MouseEvent): void {
    if (!this.isNamed(event)) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
  }

  private isNamed(event: Event): boolean {
    return event.target !== this.canvas;
  }

  private toolFor(event: PointerEvent): Tool {
    if (!event.shiftKey) return this.tool;
    return event.ctrlKey || event.metaKey ? "box" : "lasso";
  }

  private move(event: PointerEvent): void {
    const place = this.at(event);
    // Whoever lets go over a context menu, a dialog or another window is not heard.
    if (event.buttons === 0) this.cancel(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      if (this.isNamed(event)) this.handlers.leave();
      else if (event.pointerType !== "touch") this.handlers.hover(place.x, place.y);
      return;
    }
    this.pointers.set(event.pointerId, place);
    if (this.pointers.size === 2) this.pinch(event, before, place);
    else if (this.press) this.drag(this.press, before, place, event);
  }

  private drag(press: Press, before: { x: number; y: number }, place: { x: number; y: number }, event: PointerEvent): void {
    if (!press.moved && Math.hypot(place.x - press.x, place.y - press.y) < CLICK) {
      this.pointers.set(event.pointerId, before);
      return;
    }
    press.moved = true;
    this.hold(event);
    if (press.tool === "pan") {
      this.handlers.pan(place.x - before.x, place.y - before.y);
      return;
    }
    if (press.tool === "box") press.path = [press.x, press.y, place.x, press.y, place.x, place.y, press.x, place.y];
    else press.path.push(place.x, place.y);
    this.handlers.region(press.tool, press.path, false, mannerOf(event));
  }

  /** From the name it may have begun on, which then is not clicked and may leave the screen. */
  private hold(event: PointerEvent): void {
    this.canvas.setPointerCapture(event.pointerId);
  }

  private pinch(event: PointerEvent, before: { x: number; y: number }, place: { x: number; y: number }): void {
    this.hold(event);
    for (const [other, still] of this.pointers) {
      if (other === event.pointerId) continue;
      const was = Math.hypot(before.x - still.x, before.y - still.y);
      const is = Math.hypot(place.x - still.x, place.y - still.y);
      this.handlers.pan((place.x - before.x) / 2, (place.y - before.y) / 2);
      if (was > 0 && is > 0) this.handlers.zoom((place.x + still.x) / 2, (place.y + still.y) / 2, is / was);
    }
  }

  private up(event: PointerEvent): void {
    if (!this.pointers.has(event.pointerId)) return;
    const { press } = this;
    this.release(event);
    if (!press) return;
    if (!press.moved && !press.named) this.clicked(this.at(event), event);
    if (press.moved && press.tool !== "pan") this.handlers.region(press.tool, press.path, true, mannerOf(event));
  }

  private clicked({ x, y }: { x: number; y: number }, event: PointerEvent): void {
    const again =
      event.timeStamp - this.lastClick.time < DOUBLE_CLICK_MS &&
      Math.hypot(x - this.lastClick.x, y - this.lastClick.y) < 3 * CLICK;
    this.lastClick = { time: again ? -Infinity : event.timeStamp, x, y };
    if (again) this.handlers.step(x, y, !event.shiftKey);
    else this.handlers.click(x, y, adds(event));
  }

  private get drawing(): "lasso" | "box" | null {
    return this.press?.moved && this.press.tool !== "pan" ? this.press.tool : null;
  }

  private giveUp(event: KeyboardEvent): void {
    if (event.key !== "Escape" || !this.drawing) return;
    event.preventDefault();
    this.drop();
  }

  private cancel(event: PointerEvent): void {
    if (!this.pointers.has(event.pointerId)) return;
    this.drop();
    this.release(event);
  }

  /** What was drawn so far counts for nothing. */
  private drop(): void {
    const { drawing } = this;
    this.press = null;
    if (drawing) this.handlers.region(drawing, [], true, "new");
  }

  /** The finger that is left of a pinch goes on moving the map. */
  private release({ pointerId }: PointerEvent): void {
    this.pointers.delete(pointerId);
    const [left] = this.pointers.values();
    this.press = left && this.pointers.size === 1 ? { ...left, tool: "pan", moved: true, path: [], named: false } : null;
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const { x, y } = this.at(event);
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * WHEEL_LINE : event.deltaY;
    // A pinch on a touchpad arrives as a wheel with Ctrl and small steps.
    const speed = event.ctrlKey ? 0.01 : 0.0018;
    this.handlers.zoom(x, y, Math.exp(-Math.max(-300, Math.min(300, pixels)) * speed));
  }
}
