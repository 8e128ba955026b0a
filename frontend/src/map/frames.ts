/** Draws the map when something has changed, and only then; while something moves, frame after frame. */

import type { Budget } from "./budget";
import type { LabelLayer } from "./labels";
import type { Minimaps } from "./minimaps";
import { Morph } from "./morph";
import type { Mover } from "./mover";
import type { Overlay } from "./overlay";
import type { Pictures } from "./pictures";
import type { DrawnTile } from "./points_pass";
import type { Sampler } from "./sample";
import type { Scene } from "./scene";
import type { Screen } from "./screen";
import type { TilePoints } from "./tile";
import type { Viewport } from "./viewport";

interface Parts {
  glass: Screen;
  mover: Mover;
  sampler: Sampler;
  scene: Scene;
  pictures: Pictures;
  overlay: Overlay;
  labels: LabelLayer;
  minimaps: Minimaps;
  budget: Budget;
}

interface FrameEvents {
  /** The camera is elsewhere in this frame. */
  moved(): void;
  /** A frame was painted. */
  painted(): void;
}

export class Frames {
  /** What the last frame showed. */
  drawn: DrawnTile[] = [];
  private morph: Morph | null = null;
  private requested = 0;
  private lastFrame = 0;
  /** When the browser was ready for the frame after the last one. */
  private following = 0;
  private moving = false;
  private stopped = false;

  constructor(
    private readonly parts: Parts,
    private readonly events: FrameEvents,
  ) {}

  stop(): void {
    this.stopped = true;
    cancelAnimationFrame(this.requested);
  }

  invalidate(): void {
    if (!this.requested && !this.stopped) this.requested = requestAnimationFrame((now) => this.draw(now));
  }

  /** Ends a morph. */
  arrive(): void {
    this.morph?.stop();
    this.morph = null;
  }

  /** The camera was moved by hand, which ends a morph. */
  cameraMoved(): void {
    this.arrive();
    this.moving = true;
    this.events.moved();
    this.invalidate();
  }

  /** Points travel from their old places to their new ones; resolves when they are there. */
  travel(before: Viewport, after: Viewport, places: ReadonlyMap<TilePoints, Uint16Array>): Promise<void> {
    return new Promise((resolve) => {
      this.morph = new Morph(before, after, places, resolve);
      this.invalidate();
    });
  }

  /** Draws at once. */
  draw(now: number): void {
    const { glass, mover, sampler, scene, pictures, overlay, labels, minimaps } = this.parts;
    cancelAnimationFrame(this.requested);
    this.requested = 0;
    if (glass.gl.isContextLost()) return;
    this.move(now);
    const morphing = this.morph?.at(now) ?? null;
    if (!morphing) this.morph = null;
    this.drawn = sampler.choose(mover.view);
    const view = morphing?.view ?? mover.view;
    const size = sampler.size(view);
    const morph = this.morph && morphing && { way: morphing.way, places: this.morph };
    const animating = scene.draw({ view, now, drawn: this.drawn, size, morph });
    // They look where the panels are: first, as long as the browser knows that.
    labels.draw(morphing ? null : view);
    overlay.draw(morphing ? null : view, size / 2 + 5, (ordinal) => pictures.placeOf(ordinal));
    minimaps.draw(view);
    this.events.painted();
    if (animating || mover.isFlying) this.invalidate();
  }

  private move(now: number): void {
    const { mover, budget } = this.parts;
    // Of a pause between two turns of the wheel the machine's speed says nothing.
    if (this.moving && now === this.following) budget.frame(now - this.lastFrame);
    this.lastFrame = now;
    requestAnimationFrame((next) => (this.following = next));
    this.moving = mover.advance(now);
    if (this.moving) this.events.moved();
  }
}
