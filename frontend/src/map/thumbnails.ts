/** Pictures on the map: loads the sheets a view needs and crossfades from one level of them to the next. */

import { candidates, roomOf, type Taken } from "./candidates";
import type { GL } from "./gl";
import { Loader } from "./loader";
import { tileName, type SheetIndex, type Tile } from "./manifest";
import { faded, fadePart, FadeSteps } from "./motion";
import { mannerOf, type PictureMarks } from "./picture_marks";
import { PicturesPass, type DrawnPicture, type PictureStyle } from "./pictures_pass";
import type { DrawnTile } from "./points_pass";
import { cellAt, holds, largestAt, levelOf, looseLevel, place, readPictures, SheetTree, STAND_IN, type Picture, type Placed, type Region } from "./sheets";
import { Singles, type PictureSource, type SinglesFrame } from "./singles";
import type { MapSource } from "./source";
import { zoomOf, type Box, type Viewport } from "./viewport";

export type PictureMode = "off" | "auto" | "always";

interface Sheet {
  pictures: Picture[];
  layer: number;
  lastDrawn: number;
}

/** Automatic: pictures come where each of them stands for fewer points, but not in the overview, which is always dots. */
const FEW = 95;
const NEAR = 1.15;
/** How much further away they stay once they are there. */
const EASE = 1.2;

export class Thumbnails {
  mode: PictureMode = "auto";
  /** What the last frame showed, for picking. */
  drawn: { ordinal: number; placed: Placed; x: number; y: number }[] = [];
  private readonly tree: SheetTree;
  private readonly sheets = new Map<Tile, Sheet>();
  private readonly names = new Map<string, Tile>();
  private readonly loader: Loader<string>;
  private readonly singles: Singles;
  private pass: PicturesPass | null = null;
  private level = -1;
  private previous = -1;
  private changed = -Infinity;
  private alpha = 0;
  private readonly steps = new FadeSteps();
  /** Names of the sheets that the view needs. */
  private asked: ReadonlySet<string> = new Set();
  /** Sheets that came or finally did not. */
  private settled = 0;

  constructor(
    private readonly files: MapSource,
    index: SheetIndex,
    private readonly n: number,
    private readonly layers: number,
    private readonly arrived: () => void,
    failed: (error: unknown) => void,
  ) {
    this.tree = new SheetTree(index);
    const fail = (_: string, error: unknown): void => {
      this.settled++;
      failed(error);
    };
    this.loader = new Loader((name, signal) => this.fetch(name, signal), fail, 4);
    this.singles = new Singles(n, arrived, failed);
  }

  set source(source: PictureSource | null) {
    this.singles.source = source;
  }

  get pending(): boolean {
    return this.loader.pending || this.singles.pending;
  }

  /** Whether the map has pictures at all. */
  get any(): boolean {
    return this.tree.deepest >= 0;
  }

  /** A new context knows nothing: the sheets are fetched again, out of the browser's cache. */
  attach(gl: GL): void {
    this.pass = this.any ? new PicturesPass(gl, this.layers, this.tree.size) : null;
    for (const tile of this.sheets.keys()) this.loader.forget(tileName(tile));
    this.sheets.clear();
    this.singles.attach(gl);
  }

  retry(): void {
    this.loader.retry();
    this.singles.retry();
  }

  close(): void {
    this.loader.close();
    this.singles.close();
  }

  /** True while something moves by itself and the next frame is wanted. `points`: the tiles as this frame shows them. */
  draw(view: Viewport, now: number, style: PictureStyle, marks: PictureMarks, points: DrawnTile[]): boolean {
    this.drawn = [];
    const target = this.present(view, marks.part) ? 1 : 0;
    const step = this.steps.next(now);
    const alpha = (this.alpha = faded(this.alpha, target, step));
    if (!this.pass || alpha + target === 0) {
      this.loader.want([]);
      this.singles.rest();
      return false;
    }
    const level = levelOf(view);
    this.asked = new Set(this.wanted(view, level));
    this.loader.want([...this.asked]);
    if (level !== this.level && !this.loader.pending) {
      this.previous = this.level;
      this.level = level;
      this.changed = now;
    }
    const fade = fadePart(now - this.changed);
    const frame = { view, now, step, style: { ...style, alpha }, marks };
    const taken = this.takenCells(view, marks);
    this.chooseSingles(frame, points, taken);
    if (fade < 1) this.drawLevel(this.previous, frame, 1 - fade);
    this.drawLevel(this.level, frame, fade);
    const more = this.singles.draw(frame, taken, this.drawn);
    return fade < 1 || alpha !== target || more;
  }

  /** Whether this view shows pictures. Leaving takes more than coming, so that a small step does not let them flicker. */
  private present(view: Viewport, part: number): boolean {
    if (this.mode === "off" || !this.any) return false;
    if (this.mode === "always") return true;
    const k = zoomOf(view);
    const depth = Math.max(0, Math.log2(k));
    const [upper, lower] = [Math.floor(depth), Math.ceil(depth)].map((level) =>
      Math.log(this.tree.pointsPerPicture(this.n * part, level)),
    );
    const each = Math.exp(upper! + (lower! - upper!) * (depth % 1));
    const ease = this.alpha > 0 ? EASE : 1;
    return each < FEW * ease && k > NEAR / ease;
  }

  /** The cells of the level that hold a picture of a sheet. */
  private takenCells(view: Viewport, marks: PictureMarks): Taken {
    const taken = new Map<number, number>();
    for (const { picture } of this.picturesOf(this.level, view)) {
      if (marks.isVisible(picture.ordinal)) taken.set(cellAt(picture.x, picture.y, this.level).key, picture.ordinal);
    }
    return taken;
  }

  /** Where a picture comes as a single one, that of the sheet stands in its place until it is there. */
  private drawLevel(level: number, { view, now, style, marks }: SinglesFrame, fade: number): void {
    const pictures: DrawnPicture[] = [];
    const current = level === this.level;
    for (const { picture, sheet, index } of this.picturesOf(level, view)) {
      sheet.lastDrawn = now;
      const { ordinal, x, y, width, height } = picture;
      const growth = this.singles.growthOf(ordinal);
      const single = this.singles.shows(ordinal);
      if (!marks.isVisible(ordinal) || (growth && (!current || single === "whole"))) continue;
      // Below its sheet's level a picture keeps to the smaller cell round its point.
      const cell = growth?.room ?? cellAt(x, y, level).box;
      const placed = place({ ...picture, cell }, view, growth && Math.min(STAND_IN, largestAt(view, growth.from)));
      if (!onScreen(placed, view)) continue;
      const alpha = style.alpha * (growth ? 1 : fade);
      pictures.push({ placed, layer: sheet.layer, index, width, height, manner: mannerOf(ordinal, marks), alpha });
      if (current && (!growth || single === "no")) this.drawn.push({ ordinal, placed, x, y });
    }
    if (style.alpha > 0) this.pass?.draw(pictures, view, style);
  }

  private *picturesOf(level: number, view: Viewport): Generator<{ picture: Picture; sheet: Sheet; index: number }> {
    if (level < 0) return;
    for (const { sheet: tile, box } of this.tree.covering(view, level)) {
      const sheet = this.sheets.get(tile);
      if (!sheet) continue;
      for (const [index, picture] of sheet.pictures.entries()) {
        if (holds(box, picture.x, picture.y)) yield { picture, sheet, index };
      }
    }
  }

  private chooseSingles({ view, now, marks }: SinglesFrame, points: DrawnTile[], taken: Taken): void {
    const { level } = this;
    const ended = this.endedRegions(view, level, marks.flags.hidden > 0);
    const stamp = `${level} ${marks.flags.revision} ${points.length} ${this.settled}`;
    const visible = (ordinal: number) => marks.isVisible(ordinal);
    const loose = looseLevel(this.n * marks.part);
    this.singles.choose(view, now, level, stamp, (known) =>
      candidates(points, ended, view, level, taken, (ordinal) => known(ordinal) && visible(ordinal)).map((candidate) => {
        const from = Math.max(candidate.last + 1, loose);
        return { ...candidate, from, room: level < from ? candidate.cell : roomOf(candidate, points, level, taken, visible) };
      }),
    );
  }

  /** Where single thumbnails fill in: below the last sheets, and everywhere while a filter hides what the sheets show. */
  private endedRegions(view: Viewport, level: number, filtered: boolean): Region[] {
    if (level < 0 || this.loader.pending) return [];
    return this.tree.covering(view, level).filter(({ sheet }) => filtered || sheet.z < level || sheet.count === 0);
  }

  /** Names of the sheets that a view needs, nearest to its middle first, and no more than there is room for. */
  private wanted(view: Viewport, level: number): string[] {
    const away = ({ x0, y0, x1, y1 }: Box) => Math.hypot((x0 + x1) / 2 - view.x, (y0 + y1) / 2 - view.y);
    const regions = this.tree.covering(view, level).filter(({ sheet }) => sheet.count > 0);
    const names = regions.sort((a, b) => away(a.box) - away(b.box)).map(({ sheet }) => this.name(sheet));
    return [...new Set(names)].slice(0, this.layers);
  }

  private name(tile: Tile): string {
    const name = tileName(tile);
    this.names.set(name, tile);
    return name;
  }

  private async fetch(name: string, signal: AbortSignal): Promise<void> {
    const tile = this.names.get(name)!;
    const [bitmap, index] = await Promise.all([
      this.files.picture(`thumbs/${name}.webp`, signal),
      this.files.bytes(`thumbs/${name}.idx`, signal),
    ]);
    const layer = this.freeLayer();
    this.sheets.set(tile, { pictures: readPictures(tile, index), layer, lastDrawn: performance.now() });
    this.pass?.upload(layer, [bitmap]);
    bitmap.close();
    this.settled++;
    this.arrived();
  }

  /** Of a sheet that this view does without, were it drawn a moment ago: those of the next level are drawn once all are here. */
  private freeLayer(): number {
    if (this.sheets.size < this.layers) return this.sheets.size;
    const spare = [...this.sheets].filter(([tile]) => !this.asked.has(tileName(tile)));
    const [tile, sheet] = (spare.length > 0 ? spare : [...this.sheets]).reduce((a, b) => (b[1].lastDrawn < a[1].lastDrawn ? b : a));
    this.sheets.delete(tile);
    this.loader.forget(tileName(tile));
    return sheet.layer;
  }
}

const onScreen = ({ left, top, width, height }: Placed, view: Viewport): boolean =>
  left < view.width && left + width > 0 && top < view.height && top + height > 0;
