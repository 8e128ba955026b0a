/** Single thumbnails where the sheets end: fetches them, and draws them over what the sheets show of the same records. */

import type { Candidate, Taken } from "./candidates";
import type { GL } from "./gl";
import { Loader } from "./loader";
import { faded } from "./motion";
import { mannerOf, type PictureMarks } from "./picture_marks";
import { LAYER_SIDE, PicturesPass, type DrawnPicture, type PictureStyle } from "./pictures_pass";
import { LARGEST, largestAt, place, STORED, type Placed } from "./sheets";
import type { Box, Viewport } from "./viewport";

/** The addresses of records' thumbnails by ordinal; null = it has no picture. */
export type PictureSource = (ordinals: number[]) => Promise<(string | null)[]>;

/** Places in the texture, of 5 MB a layer, for a picture of the stored size each: more than are shown at once. */
const MOST_LAYERS = 13;
const PER_LAYER = (LAYER_SIDE / STORED) ** 2;
/** Each picture as it is stored, at half and at a quarter of that. */
const SIZES = 3;
/** So long the view must rest before anything is fetched: a flight would ask for hundreds of pictures and show none. */
const REST_MS = 120;

/** How far a picture may grow: the square of the world that it may cover, and the level from which on it does. */
interface Growth {
  room: Box;
  from: number;
}

export type Chosen = Candidate & Growth;

interface Kept {
  width: number;
  height: number;
  slot: number;
  /** The last frame that drew it, or the one before it came; how far it had come in by then, and where: there it also fades out. */
  frame: number;
  alpha: number;
  as: Chosen | null;
}

/** What is drawn, and how. */
export interface SinglesFrame {
  view: Viewport;
  now: number;
  /** How far fades get in this frame. */
  step: number;
  style: PictureStyle & { alpha: number };
  marks: PictureMarks;
}

const NONE = { level: -1, list: [], growth: new Map<number, Growth>() };

export class Singles {
  source: PictureSource | null = null;
  private chosen: { level: number; list: Chosen[]; growth: Map<number, Growth> } = NONE;
  /** What the choice was, or is to be, made for; `since` when. */
  private wish = { stamp: "", since: 0, done: true };
  private readonly addresses = new Map<number, string | null>();
  private readonly kept = new Map<number, Kept>();
  private readonly loader: Loader<number>;
  private readonly asking: Loader<"addresses">;
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private readonly layers: number;
  private frame = 0;
  private gl: GL | null = null;
  private pass: PicturesPass | null = null;

  /** For a map of n points. */
  constructor(
    n: number,
    private readonly arrived: () => void,
    failed: (error: unknown) => void,
  ) {
    this.layers = Math.min(MOST_LAYERS, Math.ceil(n / PER_LAYER));
    this.loader = new Loader((ordinal, signal) => this.fetch(ordinal, signal), (_, error) => failed(error), 8);
    this.asking = new Loader(() => this.ask(), (_, error) => failed(error), 1);
  }

  get pending(): boolean {
    return this.loader.pending || this.asking.pending;
  }

  /** A new context knows nothing: what it is to show is fetched again, out of the browser's cache. */
  attach(gl: GL): void {
    this.gl = gl;
    this.pass = null;
    for (const ordinal of this.kept.keys()) this.loader.forget(ordinal);
    this.kept.clear();
    this.wish.stamp = "";
  }

  /** For a record that was chosen. */
  growthOf(ordinal: number): Growth | undefined {
    return this.chosen.growth.get(ordinal);
  }

  /** Whether it is here, and whether nothing of what lies below it is to be seen. */
  shows(ordinal: number): "no" | "fading" | "whole" {
    const kept = this.kept.get(ordinal);
    if (!kept) return "no";
    return kept.alpha === 1 ? "whole" : "fading";
  }

  retry(): void {
    this.wish.stamp = "";
    this.loader.retry();
    this.asking.retry();
  }

  close(): void {
    this.loader.close();
    this.asking.close();
    this.timers.forEach(clearTimeout);
  }

  /** Nothing is shown: nothing is asked for either. */
  rest(): void {
    this.chosen = NONE;
    for (const kept of this.kept.values()) Object.assign(kept, { alpha: 0, as: null });
    this.wish.stamp = "";
    this.loader.want([]);
    this.asking.want([]);
  }

  /**
   * Chooses anew once the view has rested; at once where pictures that are shown would leave with their level. `stamp` changes
   * with everything else that the choice depends on.
   */
  choose(view: Viewport, now: number, level: number, stamp: string, choice: (known: (ordinal: number) => boolean) => Chosen[]): void {
    if (!this.source) return;
    const wished = `${view.x} ${view.y} ${view.scale} ${view.width} ${view.height} ${stamp}`;
    if (wished !== this.wish.stamp) {
      this.wish = { stamp: wished, since: now, done: false };
      this.later(REST_MS, this.arrived);
    }
    const rested = now - this.wish.since >= REST_MS;
    const leaving = level !== this.chosen.level && this.chosen.list.length > 0;
    if (this.wish.done || !(rested || leaving)) return;
    const list = choice((ordinal) => this.addresses.get(ordinal) !== null);
    this.chosen = { level, list, growth: new Map(list.map((each) => [each.ordinal, each])) };
    if (!rested) return;
    this.wish.done = true;
    this.wantAll();
    if (this.unknown().length === 0) return;
    this.asking.forget("addresses");
    this.asking.want(["addresses"]);
  }

  /**
   * Draws those that are here, and above them those that leave; returns whether one of them is still fading. `taken`: cells of
   * the sheets' pictures. Adds to `drawn` what is to be met by the pointer: not what leaves.
   */
  draw(frame: SinglesFrame, taken: Taken, drawn: { ordinal: number; placed: Placed; x: number; y: number }[]): boolean {
    this.frame++;
    const { view, style, step, marks } = frame;
    const pictures: DrawnPicture[] = [];
    let fading = false;
    for (const chosen of this.chosen.list) {
      const { ordinal, x, y, key } = chosen;
      const kept = this.kept.get(ordinal);
      if (!kept || (taken.get(key) ?? ordinal) !== ordinal || !marks.isVisible(ordinal)) continue;
      // One frame more when it is whole: that one shows it without what stood in its place.
      fading ||= kept.alpha < 1;
      Object.assign(kept, { frame: this.frame, as: chosen, alpha: faded(kept.alpha, 1, step) });
      const picture = this.pictureOf(kept, chosen, frame);
      pictures.push(picture);
      drawn.push({ ordinal, placed: picture.placed, x, y });
    }
    for (const kept of this.kept.values()) {
      if (!kept.as || kept.frame === this.frame) continue;
      kept.alpha = marks.isVisible(kept.as.ordinal) ? faded(kept.alpha, 0, step) : 0;
      if (kept.alpha > 0) pictures.push(this.pictureOf(kept, kept.as, frame));
      else kept.as = null;
      fading ||= kept.alpha > 0;
    }
    this.pass?.draw(pictures, view, style);
    return fading;
  }

  private pictureOf({ width, height, slot, alpha }: Kept, { ordinal, x, y, room, from }: Chosen, { view, style, marks }: SinglesFrame): DrawnPicture {
    // A small picture grows no larger than it is.
    const most = Math.min(largestAt(view, from), Math.max(LARGEST, width, height));
    const placed = place({ x, y, cell: room, width, height }, view, most);
    return { placed, ...this.slot(slot), width, height, manner: mannerOf(ordinal, marks), alpha: alpha * style.alpha };
  }

  /** Of all that is chosen, also of what is chosen while the answer is under way. */
  private async ask(): Promise<void> {
    for (let ordinals = this.unknown(); ordinals.length > 0; ordinals = this.unknown()) {
      const addresses = await this.source!(ordinals);
      ordinals.forEach((ordinal, i) => this.addresses.set(ordinal, addresses[i] ?? null));
      // A record without a picture leaves its cell to the next one.
      if (addresses.some((address) => !address)) this.wish.stamp = "";
      this.wantAll();
      this.arrived();
    }
  }

  /** The chosen whose addresses nobody has told yet. */
  private unknown(): number[] {
    return this.chosen.list.map(({ ordinal }) => ordinal).filter((ordinal) => !this.addresses.has(ordinal));
  }

  private wantAll(): void {
    this.loader.want(this.chosen.list.map(({ ordinal }) => ordinal).filter((ordinal) => this.addresses.get(ordinal)));
  }

  private async fetch(ordinal: number, signal: AbortSignal): Promise<void> {
    const sizes = await loadPicture(this.addresses.get(ordinal)!, signal);
    const { width, height } = sizes[0]!;
    // As new as what the last frame drew: in a tab that draws none, pictures would throw each other out.
    const kept = { width, height, slot: this.freeSlot(), frame: this.frame, alpha: 0, as: null };
    this.kept.set(ordinal, kept);
    this.upload(kept, sizes);
    sizes.forEach((bitmap) => bitmap.close());
    this.arrived();
  }

  private upload({ slot }: Kept, sizes: ImageBitmap[]): void {
    if (!this.gl) return;
    this.pass ??= new PicturesPass(this.gl, this.layers, STORED, SIZES);
    const { layer, index } = this.slot(slot);
    this.pass.upload(layer, sizes, index);
  }

  private slot(slot: number): { layer: number; index: number } {
    return { layer: Math.floor(slot / PER_LAYER), index: slot % PER_LAYER };
  }

  private freeSlot(): number {
    if (this.kept.size < this.layers * PER_LAYER) return this.kept.size;
    const [ordinal, oldest] = [...this.kept].reduce((a, b) => (b[1].frame < a[1].frame ? b : a));
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
async function loadPicture(address: string, signal: AbortSignal): Promise<ImageBitmap[]> {
  const image = new Image();
  image.src = address;
  // Else a second try would wait with the first.
  signal.addEventListener("abort", () => (image.src = ""));
  await image.decode();
  const zoom = Math.min(1, STORED / Math.max(image.naturalWidth, image.naturalHeight));
  const size = (natural: number, i: number) => Math.max(1, Math.round((natural * zoom) / 2 ** i));
  const sizes = Array.from({ length: SIZES }, (_, i) =>
    createImageBitmap(image, {
      premultiplyAlpha: "none",
      resizeWidth: size(image.naturalWidth, i),
      resizeHeight: size(image.naturalHeight, i),
      resizeQuality: "medium",
    }),
  );
  return Promise.all(sizes);
}
