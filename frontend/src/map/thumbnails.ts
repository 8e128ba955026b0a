/** Pictures on the map: loads the sheets a view needs and crossfades from one level of them to the next. */

import type { GL, Rgb } from "./gl";
import { Loader } from "./loader";
import { tileName, type SheetIndex, type Tile } from "./manifest";
import { PicturesPass, type DrawnPicture } from "./pictures_pass";
import { place, readPictures, SheetTree, type Picture, type Placed } from "./sheets";
import type { MapSource } from "./source";
import { clamp, zoomOf, type Viewport } from "./viewport";

export type PictureMode = "off" | "auto" | "always";

/** Which pictures are shown, and which of them stand back. */
export interface PictureMarks {
  isVisible(ordinal: number): boolean;
  isLit(ordinal: number): boolean;
}

interface Sheet {
  bitmap: ImageBitmap;
  pictures: Picture[];
  layer: number;
  lastDrawn: number;
}

const FADE_MS = 200;
/** Automatic: pictures fade in as each of them stands for fewer points than the first, down to the second. */
const MANY = 150;
const FEW = 60;
/** Automatic: the overview is always dots; pictures fade in between these zooms at the earliest. */
const OVERVIEW = 0.9;
const NEAR = 1.4;

export class Thumbnails {
  mode: PictureMode = "auto";
  /** What the last frame showed, for picking. */
  drawn: { ordinal: number; placed: Placed; x: number; y: number }[] = [];
  private readonly tree: SheetTree;
  private readonly sheets = new Map<Tile, Sheet>();
  private readonly names = new Map<string, Tile>();
  private readonly loader: Loader<string>;
  private pass: PicturesPass | null = null;
  private level = -1;
  private previous = -1;
  private changed = -Infinity;

  constructor(
    private readonly source: MapSource,
    index: SheetIndex,
    private readonly n: number,
    private readonly layers: number,
    private readonly arrived: () => void,
    failed: (error: unknown) => void,
  ) {
    this.tree = new SheetTree(index);
    this.loader = new Loader((name, signal) => this.fetch(name, signal), (_, error) => failed(error), 4);
  }

  get pending(): boolean {
    return this.loader.pending;
  }

  /** Whether the map has pictures at all. */
  get any(): boolean {
    return this.tree.deepest >= 0;
  }

  /** A new context knows nothing: the sheets are uploaded again from the bitmaps kept here. */
  attach(gl: GL): void {
    this.pass = this.any ? new PicturesPass(gl, this.layers, this.tree.size) : null;
    for (const sheet of this.sheets.values()) this.pass?.upload(sheet.layer, sheet.bitmap);
  }

  retry(): void {
    this.loader.retry();
  }

  close(): void {
    this.loader.close();
    for (const sheet of this.sheets.values()) sheet.bitmap.close();
  }

  /** True while something moves by itself and the next frame is wanted. */
  draw(view: Viewport, now: number, style: { ratio: number; paper: Rgb; rim: Rgb }, marks: PictureMarks): boolean {
    this.drawn = [];
    const alpha = this.alpha(view);
    if (!this.pass || alpha === 0) {
      this.loader.want([]);
      return false;
    }
    const target = this.tree.level(view);
    const wanted = this.tree.covering(view, target);
    this.loader.want(wanted.map((tile) => this.name(tile)));
    if (target !== this.level && !this.loader.pending) {
      this.previous = this.level;
      this.level = target;
      this.changed = now;
    }
    const fade = Math.min(1, (now - this.changed) / FADE_MS);
    if (fade < 1) this.drawLevel(this.previous, view, now, { ...style, alpha: alpha * (1 - fade) }, marks);
    this.drawLevel(this.level, view, now, { ...style, alpha: alpha * fade }, marks);
    return fade < 1;
  }

  /** The picture at a place on the screen. */
  at(sx: number, sy: number): { ordinal: number; x: number; y: number } | null {
    const found = this.drawn.findLast(
      ({ placed }) =>
        sx >= placed.left && sx <= placed.left + placed.width && sy >= placed.top && sy <= placed.top + placed.height,
    );
    return found ?? null;
  }

  private alpha(view: Viewport): number {
    if (this.mode === "off" || !this.any) return 0;
    if (this.mode === "always") return 1;
    const k = zoomOf(view);
    const depth = Math.max(0, Math.log2(k));
    const [upper, lower] = [Math.floor(depth), Math.ceil(depth)].map((level) =>
      Math.log(this.tree.pointsPerPicture(this.n, Math.min(level, this.tree.deepest))),
    );
    const each = Math.exp(upper! + (lower! - upper!) * (depth % 1));
    const few = clamp(Math.log(MANY / each) / Math.log(MANY / FEW), 0, 1);
    return few * clamp((k - OVERVIEW) / (NEAR - OVERVIEW), 0, 1);
  }

  private drawLevel(
    level: number,
    view: Viewport,
    now: number,
    style: { ratio: number; paper: Rgb; rim: Rgb; alpha: number },
    marks: PictureMarks,
  ): void {
    if (level < 0 || style.alpha <= 0) return;
    const pictures: DrawnPicture[] = [];
    for (const tile of this.tree.covering(view, level)) {
      const sheet = this.sheets.get(tile);
      if (!sheet) continue;
      sheet.lastDrawn = now;
      sheet.pictures.forEach((picture, index) => {
        const placed = place(picture, view);
        if (!onScreen(placed, view) || !marks.isVisible(picture.ordinal)) return;
        const { ordinal, width, height } = picture;
        pictures.push({ placed, layer: sheet.layer, index, width, height, lit: marks.isLit(ordinal) });
        if (level === this.level) this.drawn.push({ ordinal, placed, x: picture.x, y: picture.y });
      });
    }
    this.pass?.draw(pictures, view, style);
  }

  private name(tile: Tile): string {
    const name = tileName(tile);
    this.names.set(name, tile);
    return name;
  }

  private async fetch(name: string, signal: AbortSignal): Promise<void> {
    const tile = this.names.get(name)!;
    const [bitmap, index] = await Promise.all([
      this.source.picture(`thumbs/${name}.webp`, signal),
      this.source.bytes(`thumbs/${name}.idx`, signal),
    ]);
    const layer = this.freeLayer();
    this.sheets.set(tile, { bitmap, pictures: readPictures(tile, index), layer, lastDrawn: performance.now() });
    this.pass?.upload(layer, bitmap);
    this.arrived();
  }

  private freeLayer(): number {
    if (this.sheets.size < this.layers) return this.sheets.size;
    const [tile, sheet] = [...this.sheets].reduce((a, b) => (b[1].lastDrawn < a[1].lastDrawn ? b : a));
    sheet.bitmap.close();
    this.sheets.delete(tile);
    this.loader.forget(tileName(tile));
    return sheet.layer;
  }
}

const onScreen = ({ left, top, width, height }: Placed, view: Viewport): boolean =>
  left < view.width && left + width > 0 && top < view.height && top + height > 0;
