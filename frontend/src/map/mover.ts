/** Moves the camera: at once, or in a flight that people who want no motion are spared. */

import { eased, flight, type Flight } from "./flight";
import { wantsNoMotion } from "./motion";
import { clamped, fitted, scaleOf, toScreen, toWorld, zoomedAt, zoomOf, type Box, type Camera, type Inset, type Viewport, type WorldPoint } from "./viewport";

/** A point nearer to the edge than this is not comfortably in view. */
const EDGE = 60;

export class Mover {
  view: Viewport;
  private flying: { flight: Flight; start: number } | null = null;
  private untouched = true;

  constructor(
    width: number,
    height: number,
    /** What panels cover of the screen at this moment. */
    private readonly inset: () => Inset,
    private readonly moved: () => void,
    /** Where there is something to see. */
    private readonly bounds: Box | undefined,
  ) {
    this.view = this.whole(width, height);
  }

  get camera(): Camera {
    return { x: this.view.x, y: this.view.y, k: zoomOf(this.view) };
  }

  get isFlying(): boolean {
    return this.flying !== null;
  }

  /** Screen place of a world point, in pixels of the map. */
  screen(x: number, y: number): [number, number] {
    return toScreen(this.view, x, y);
  }

  /** World point at a place of the screen. */
  world(sx: number, sy: number): [number, number] {
    return toWorld(this.view, sx, sy);
  }

  /** A camera that nobody has moved yet goes on showing all of the world. */
  resize(width: number, height: number): void {
    this.view = this.untouched ? this.whole(width, height) : clamped({ ...this.view, width, height });
  }

  /** Ends a flight. */
  set(view: Viewport): void {
    this.untouched = false;
    this.flying = null;
    this.view = clamped(view);
    this.moved();
  }

  setCamera(camera: Camera): void {
    this.set(this.at(camera));
  }

  flyTo(camera: Camera): void {
    this.fly(this.at(camera));
  }

  fly(to: Viewport): void {
    if (wantsNoMotion()) return this.set(to);
    this.untouched = false;
    this.flying = { flight: flight(this.view, to), start: performance.now() };
    this.moved();
  }

  flyToBox(box: Box): void {
    this.fly(fitted(this.view.width, this.view.height, box, this.inset()));
  }

  recentre(): void {
    this.fly(this.whole(this.view.width, this.view.height));
  }

  zoomBy(factor: number): void {
    this.fly(zoomedAt(this.view, this.view.width / 2, this.view.height / 2, factor));
  }

  /** Moves no more than it takes to bring a point into the free part of the screen, `right` pixels less than all. */
  reveal(point: WorldPoint, right: number): void {
    const to = this.revealing(point, right);
    if (to) this.fly(to);
  }

  /** The view that `reveal` goes to; null where the point is in the free part already. */
  revealing(point: WorldPoint, right = this.inset().right): Viewport | null {
    const { width, height, scale } = this.view;
    const [sx, sy] = this.screen(point.x, point.y);
    const { x0, x1, y0, y1 } = this.free(right);
    if (sx > x0 + EDGE && sx < x1 - EDGE && sy > y0 + EDGE && sy < y1 - EDGE) return null;
    const [dx, dy] = [width / 2 - (x0 + x1) / 2, height / 2 - (y0 + y1) / 2];
    return clamped({ ...this.view, x: point.x + dx / scale, y: point.y - dy / scale });
  }

  /** What is in the middle of what nothing covers. */
  get middle(): WorldPoint {
    const { x0, x1, y0, y1 } = this.free(this.inset().right);
    const [x, y] = this.world((x0 + x1) / 2, (y0 + y1) / 2);
    return { x, y };
  }

  /** The part of the screen that nothing covers, in pixels. */
  private free(right: number): Box {
    const { left, top, bottom } = this.inset();
    return { x0: left, x1: this.view.width - right, y0: top, y1: this.view.height - bottom };
  }

  private at({ x, y, k }: Camera): Viewport {
    return clamped({ ...this.view, x, y, scale: scaleOf(k) });
  }

  private whole(width: number, height: number): Viewport {
    return fitted(width, height, this.bounds, this.inset());
  }

  /** Takes the next step of a flight; true if there was one. */
  advance(now: number): boolean {
    if (!this.flying) return false;
    const { flight: way, start } = this.flying;
    const t = way.duration > 0 ? Math.min(1, Math.max(0, now - start) / way.duration) : 1;
    this.view = clamped({ ...way.at(eased(t)), width: this.view.width, height: this.view.height });
    if (t >= 1) this.flying = null;
    return true;
  }
}
