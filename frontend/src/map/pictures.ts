/** The pictures of a map: none until somebody says which sheets of them there are. */

import type { GL } from "./gl";
import type { SheetIndex } from "./manifest";
import type { PictureMarks } from "./picture_marks";
import { LAYER_SIDE, type PictureStyle } from "./pictures_pass";
import type { DrawnTile } from "./points_pass";
import type { Placed } from "./sheets";
import type { PictureSource } from "./singles";
import type { MapSource } from "./source";
import { Thumbnails, type PictureMode } from "./thumbnails";
import { clamp, type Viewport } from "./viewport";

/** Sheets kept on the GPU, of 4 MB each: all that fill the screen and some of where it was before, within limits. */
const [FEWEST, MOST] = [16, 24];
const BEFORE = 4;

function roomFor({ sheets }: SheetIndex): number {
  const across = (pixels: number) => Math.ceil(pixels / LAYER_SIDE) + 1;
  return Math.min(sheets.count.length, clamp(across(screen.width) * across(screen.height) + BEFORE, FEWEST, MOST));
}

export class Pictures {
  private thumbnails: Thumbnails | null = null;
  private source: PictureSource | null = null;
  private mode: PictureMode = "auto";
  private gl: GL | null = null;

  constructor(
    private readonly files: MapSource,
    private readonly n: number,
    private readonly events: { changed(): void; failed(error: unknown): void },
  ) {}

  setSheets(index: SheetIndex): void {
    this.thumbnails = new Thumbnails(this.files, index, this.n, roomFor(index), this.events.changed, this.events.failed);
    if (this.gl) this.thumbnails.attach(this.gl);
    this.apply();
  }

  /** Where single thumbnails come from, below the deepest sheets. */
  setSource(source: PictureSource): void {
    this.source = source;
    this.apply();
  }

  show(mode: PictureMode): void {
    this.mode = mode;
    this.apply();
  }

  /** Whether the map has pictures at all. */
  get any(): boolean {
    return this.thumbnails?.any ?? false;
  }

  /** What the last frame showed. */
  get drawn(): Thumbnails["drawn"] {
    return this.thumbnails?.drawn ?? [];
  }

  get pending(): boolean {
    return this.thumbnails?.pending ?? false;
  }

  retry(): void {
    this.thumbnails?.retry();
  }

  close(): void {
    this.thumbnails?.close();
  }

  /** A new context knows nothing. */
  attach(gl: GL): void {
    this.gl = gl;
    this.thumbnails?.attach(gl);
  }

  /** True while something moves by itself and the next frame is wanted. */
  draw(view: Viewport, now: number, style: PictureStyle, marks: PictureMarks, points: DrawnTile[]): boolean {
    return this.thumbnails?.draw(view, now, style, marks, points) ?? false;
  }

  /** The picture at a place on the screen. */
  at(sx: number, sy: number): { ordinal: number; x: number; y: number } | null {
    const holds = ({ left, top, width, height }: Placed) => sx >= left && sx <= left + width && sy >= top && sy <= top + height;
    return this.drawn.findLast(({ placed }) => holds(placed)) ?? null;
  }

  /** Where the last frame drew a record's picture. */
  placeOf(ordinal: number): Placed | null {
    return this.drawn.find((each) => each.ordinal === ordinal)?.placed ?? null;
  }

  private apply(): void {
    if (this.thumbnails) Object.assign(this.thumbnails, { source: this.source, mode: this.mode });
    this.events.changed();
  }
}
