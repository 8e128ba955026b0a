/** Single thumbnails where the sheets end: which records fill which cells, and their pictures. */

import type { GL } from "./gl";
import { Loader } from "./loader";
import { meets } from "./manifest";
import { pointsIn } from "./pick";
import { LAYER_SIDE, PicturesPass, type DrawnPicture, type PictureStyle } from "./pictures_pass";
import type { DrawnTile } from "./points_pass";
import { cellAt, holds, place, type Placed, type Region } from "./sheets";
import { pointAt } from "./tile";
import { visibleBox, type Box, type Viewport } from "./viewport";

/** The addresses of records' thumbnails by ordinal; null = it has no picture. */
export type PictureSource = (ordinals: number[]) => Promise<(string | null)[]>;

/** More are not shown at once. */
const MOST = 200;
/** Side of a picture's place in the texture, in pixels. */
const PLACE = 128;
const LAYERS = 4;
const PER_LAYER = (LAYER_SIDE / PLACE) ** 2;
/** So long the view must rest before anything is chosen: a flight would ask for hundreds of pictures and show none. */
const REST_MS = 120;
const FADE_MS = 200;

export interface Candidate {
  ordinal: number;
  x: number;
  y: number;
  cell: Box;
  key: number;
}

interface Kept {
  bitmap: ImageBitmap;
  slot: number;
  since: number;
  lastDrawn: number;
}

/**
 * One record for each free cell of the regions, that of lowest rank: cells are free where `taken` does not name them. Nearest
 * to the middle of the screen first.
 */
export function candidates(
  drawn: DrawnTile[],
  regions: Region[],
  view: Viewport,
  level: number,
  taken: ReadonlySet<number>,
  accept: (ordinal: number) => boolean,
): Candidate[] {
  const screen = grown(visibleBox(view), 2 ** -level / 16);
  const chosen = new Map<number, Candidate & { rank: number }>();
  // Coarse tiles hold lower ranks, and so do the first points of a tile: the first that comes is the one to show.
  drawn.forEach(({ points, prefix }, order) => {
    for (const { box } of regions) {
      const part = { x0: Math.max(box.x0, screen.x0), y0: Math.max(box.y0, screen.y0), x1: Math.min(box.x1, screen.x1), y1: Math.min(box.y1, screen.y1) };
      if (!meets(part, box)) continue;
      for (const i of pointsIn(points, part)) {
        const ordinal = points.tile.start + i;
        if (i >= prefix.fading || !accept(ordinal)) continue;
        const [x, y] = pointAt(points, i);
        if (!holds(part, x, y)) continue;
        const cell = cellAt(x, y, level);
        const rank = order * 2 ** 24 + i;
        const other = chosen.get(cell.key);
        if (taken.has(cell.key) || (other && other.rank < rank)) continue;
        chosen.set(cell.key, { ordinal, x, y, cell: cell.box, key: cell.key, rank });
      }
    }
  });
  const away = ({ x, y }: Candidate) => Math.max(Math.abs(x - view.x), Math.abs(y - view.y));
  return [...chosen.values()].sort((a, b) => away(a) - away(b)).slice(0, MOST);
}

export class Singles {
  source: PictureSource | null = null;
  private chosen: { level: number; list: Candidate[] } = { level: -1, list: [] };
  /** What the choice was, or is to be, made for; `since` when. */
  private wish = { stamp: "", since: 0, done: true };
  private readonly addresses = new Map<number, string | null>();
  private readonly asked = new Set<number>();
  private readonly kept = new Map<number, Kept>();
  private readonly loader: Loader<number>;
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private gl: GL | null = null;
  private pass: PicturesPass | null = null;

  constructor(
    private readonly arrived: () => void,
    private readonly failed: (error: unknown) => void,
  ) {
    this.loader = new Loader((ordinal) => this.fetch(ordinal), (_, error) => failed(error), 8);
  }

  get pending(): boolean {
    return this.loader.pending || this.asked.size > 0;
  }

  attach(gl: GL): void {
    this.gl = gl;
    this.pass = null;
    for (const kept of this.kept.values()) this.upload(kept);
  }

  retry(): void {
    this.wish.stamp = "";
    this.loader.retry();
  }

  close(): void {
    this.loader.close();
    this.timers.forEach(clearTimeout);
    for (const { bitmap } of this.kept.values()) bitmap.close();
  }

  /** Nothing is shown: nothing is asked for either. */
  rest(): void {
    this.chosen = { level: -1, list: [] };
    this.wish.stamp = "";
    this.loader.want([]);
  }

  /** Chooses anew once the view has rested. `stamp` changes with everything else that the choice depends on. */
  choose(view: Viewport, now: number, level: number, stamp: string, choice: (known: (ordinal: number) => boolean) => Candidate[]): void {
    if (!this.source) return;
    const wished = `${view.x} ${view.y} ${view.scale} ${view.width} ${view.height} ${stamp}`;
    if (wished !== this.wish.stamp) {
      this.wish = { stamp: wished, since: now, done: false };
      this.later(REST_MS, this.arrived);
    }
    if (this.wish.done || now - this.wish.since < REST_MS) return;
    this.wish.done = true;
    const list = choice((ordinal) => this.addresses.get(ordinal) !== null);
    this.chosen = { level, list };
    void this.ask(list.map(({ ordinal }) => ordinal).filter((ordinal) => !this.addresses.has(ordinal) && !this.asked.has(ordinal)));
    this.wantAll();
  }

  /** Draws those that are here; returns whether one of them is still fading in. */
  draw(
    view: Viewport,
    now: number,
    level: number,
    style: PictureStyle & { alpha: number },
    taken: ReadonlySet<number>,
    marks: { isVisible(ordinal: number): boolean; isLit(ordinal: number): boolean },
    drawn: { ordinal: number; placed: Placed; x: number; y: number }[],
  ): boolean {
    if (this.chosen.level !== level) return false;
    const pictures: DrawnPicture[] = [];
    let fading = false;
    for (const { ordinal, x, y, cell, key } of this.chosen.list) {
      const kept = this.kept.get(ordinal);
      if (!kept || taken.has(key) || !marks.isVisible(ordinal)) continue;
      kept.lastDrawn = now;
      const { width, height } = kept.bitmap;
      const placed = place({ x, y, cell, width, height }, view);
      const alpha = Math.min(1, Math.max(0, now - kept.since) / FADE_MS);
      fading ||= alpha < 1;
      pictures.push({ placed, ...this.slot(kept.slot), width, height, lit: marks.isLit(ordinal), alpha: alpha * style.alpha });
      drawn.push({ ordinal, placed, x, y });
    }
    this.pass?.draw(pictures, view, style);
    return fading;
  }

  private async ask(ordinals: number[]): Promise<void> {
    if (ordinals.length === 0) return;
    ordinals.forEach((ordinal) => this.asked.add(ordinal));
    try {
      const addresses = await this.source!(ordinals);
      ordinals.forEach((ordinal, i) => this.addresses.set(ordinal, addresses[i] ?? null));
      // A record without a picture leaves its cell to the next one.
      if (addresses.some((address) => !address)) this.wish.stamp = "";
    } catch (error) {
      this.failed(error);
    } finally {
      ordinals.forEach((ordinal) => this.asked.delete(ordinal));
    }
    this.wantAll();
    this.arrived();
  }

  private wantAll(): void {
    this.loader.want(this.chosen.list.map(({ ordinal }) => ordinal).filter((ordinal) => this.addresses.get(ordinal)));
  }

  private async fetch(ordinal: number): Promise<void> {
    const bitmap = await loadPicture(this.addresses.get(ordinal)!);
    const kept = { bitmap, slot: this.freeSlot(), since: performance.now(), lastDrawn: performance.now() };
    this.kept.set(ordinal, kept);
    this.upload(kept);
    this.arrived();
  }

  private upload({ slot, bitmap }: Kept): void {
    if (!this.gl) return;
    this.pass ??= new PicturesPass(this.gl, LAYERS, PLACE);
    const { layer, index } = this.slot(slot);
    this.pass.upload(layer, bitmap, index);
  }

  private slot(slot: number): { layer: number; index: number } {
    return { layer: Math.floor(slot / PER_LAYER), index: slot % PER_LAYER };
  }

  private freeSlot(): number {
    if (this.kept.size < LAYERS * PER_LAYER) return this.kept.size;
    const [ordinal, oldest] = [...this.kept].reduce((a, b) => (b[1].lastDrawn < a[1].lastDrawn ? b : a));
    oldest.bitmap.close();
    this.kept.delete(ordinal);
    this.loader.forget(ordinal);
    return oldest.slot;
  }

  private later(delay: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      run();
    }, delay);
    this.timers.add(timer);
  }
}

/** An image element asks as the page does, with the person's session; it is decoded off the main thread. */
async function loadPicture(address: string): Promise<ImageBitmap> {
  const image = new Image();
  image.src = address;
  await image.decode();
  const zoom = Math.min(1, PLACE / Math.max(image.naturalWidth, image.naturalHeight));
  return createImageBitmap(image, {
    premultiplyAlpha: "none",
    resizeWidth: Math.max(1, Math.round(image.naturalWidth * zoom)),
    resizeHeight: Math.max(1, Math.round(image.naturalHeight * zoom)),
    resizeQuality: "medium",
  });
}

const grown = (box: Box, by: number): Box => ({ x0: box.x0 - by, y0: box.y0 - by, x1: box.x1 + by, y1: box.y1 + by });
