/** The canvas: its size in real pixels, its WebGL2 context, and what happens to both. */

import type { GL } from "./gl";

/** Thrown where the browser offers no WebGL2. */
export class NoWebGLError extends Error {}

interface ScreenEvents {
  /** In CSS pixels. Also when the pixel ratio changes. */
  resized(width: number, height: number): void;
  /** The context was lost and is back, empty. */
  restored(): void;
  /** The context was lost and seems not to come back. */
  lost(): void;
}

/** So long a context may be away. */
const LOST_MS = 3000;

/** Until the signal. */
export function watchContext(canvas: EventTarget, { restored, lost }: Omit<ScreenEvents, "resized">, signal: AbortSignal): void {
  let wait: ReturnType<typeof setTimeout> | undefined;
  const lose = (event: Event) => {
    // Else it never comes back.
    event.preventDefault();
    wait = setTimeout(lost, LOST_MS);
  };
  const restore = () => {
    clearTimeout(wait);
    restored();
  };
  canvas.addEventListener("webglcontextlost", lose, { signal });
  canvas.addEventListener("webglcontextrestored", restore, { signal });
  signal.addEventListener("abort", () => clearTimeout(wait));
}

export class Screen {
  readonly canvas: HTMLCanvasElement;
  readonly gl: GL;
  private readonly abort = new AbortController();

  /** Throws NoWebGLError. The size is measured by the first `measure()`. */
  constructor(
    private readonly parent: HTMLElement,
    private readonly events: ScreenEvents,
  ) {
    this.canvas = makeCanvas();
    const gl = this.canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, powerPreference: "high-performance" });
    if (!gl) throw new NoWebGLError("This browser offers no WebGL2.");
    this.gl = gl;
    parent.append(this.canvas);
  }

  get width(): number {
    return this.parent.clientWidth || 1;
  }

  get height(): number {
    return this.parent.clientHeight || 1;
  }

  /** From now on changes are told. */
  watch(): void {
    const { signal } = this.abort;
    const observer = new ResizeObserver(() => this.measure());
    observer.observe(this.parent);
    signal.addEventListener("abort", () => observer.disconnect());
    this.watchRatio();
    watchContext(this.canvas, this.events, signal);
    this.measure();
  }

  close(): void {
    this.abort.abort();
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.parent.replaceChildren();
  }

  /**
   * Paints on another canvas, whose unit is a pixel of CSS, what `draw` draws with `ratio` real pixels to each. Throws an Error
   * where the browser has stopped drawing.
   */
  paintOn(pen: CanvasRenderingContext2D, ratio: number, draw: () => void): void {
    if (this.gl.isContextLost()) throw new Error("The browser has stopped drawing the map.");
    this.size(ratio);
    draw();
    // At once: before the browser shows anything of it, and before it forgets what was drawn.
    pen.drawImage(this.canvas, 0, 0, this.width, this.height);
    this.size(devicePixelRatio);
    draw();
  }

  private measure(): void {
    this.size(devicePixelRatio);
    this.events.resized(this.width, this.height);
  }

  private size(ratio: number): void {
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
  }

  /** A window moved to another screen changes the pixel ratio without a resize. */
  private watchRatio(): void {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    const changed = () => {
      this.measure();
      this.watchRatio();
    };
    query.addEventListener("change", changed, { once: true, signal: this.abort.signal });
  }
}

function makeCanvas(): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.className = "map-canvas";
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "Map. Arrows move, plus and minus zoom, Shift and arrows walk from record to record, Enter opens one.");
  return canvas;
}
