/** The map: puts canvas, layers, camera and pointer together; typed arrays in, events out. */

import { arrivalView, movedAlong, placesBefore, type PlacesBefore } from "./arrival";
import { startBudget } from "./budget";
import type { Look } from "./colours";
import { Events } from "./events";
import type { Flags } from "./flags";
import { Frames } from "./frames";
import type { Tool } from "./gestures";
import { parseRgb } from "./gl";
import type { Hit } from "./hits_pass";
import { countInView, type InView } from "./in_view";
import { Input } from "./input";
import { LabelLayer } from "./labels";
import { tileOf, type Column, type Labels, type Manifest } from "./manifest";
import type { MapEvents } from "./map_events";
import { Marks, type CodesLook, type ColumnLook } from "./marks";
import { Minimaps } from "./minimaps";
import type { Focus } from "./morph";
import { wantsNoMotion } from "./motion";
import { Mover } from "./mover";
import { Overlay } from "./overlay";
import type { Found } from "./pick";
import { Pictures } from "./pictures";
import { Sampler } from "./sample";
import { Scene } from "./scene";
import { Screen } from "./screen";
import type { Placed } from "./sheets";
import type { MapSource } from "./source";
import { TileStore } from "./store";
import type { Codes } from "./tile";
import { UNCOVERED, type Inset } from "./viewport";

export type { MapEvents } from "./map_events";
export { NoWebGLError } from "./screen";

export class MapView {
  readonly events = new Events<MapEvents>();
  readonly store: TileStore;
  readonly canvas: HTMLCanvasElement;
  readonly mover: Mover;
  readonly pictures: Pictures;
  /** Whether the browser has stopped drawing, and does not go on. */
  lost = false;
  private readonly glass: Screen;
  private readonly marks: Marks;
  private readonly scene: Scene;
  private readonly sampler: Sampler;
  private readonly overlay: Overlay;
  private readonly labels: LabelLayer;
  private readonly input: Input;
  private readonly minimaps: Minimaps;
  private readonly frames: Frames;
  private readonly abort = new AbortController();
  private painted = false;

  constructor(
    private readonly parent: HTMLElement,
    source: MapSource,
    manifest: Manifest,
    /** Pixels at the left that a panel covers on this screen. */
    inset = (): Inset => UNCOVERED,
    /** All that lies over the map at this moment, in pixels of it. */
    covers = (): Placed[] => [],
  ) {
    this.glass = new Screen(parent, {
      resized: (width, height) => this.resized(width, height),
      restored: () => this.restored(),
      lost: () => this.setLost(true),
    });
    const { canvas, gl, width, height } = this.glass;
    this.canvas = canvas;
    this.overlay = new Overlay(parent);
    this.labels = new LabelLayer(parent, (topic, manner) => this.events.emit("topic", { topic, manner }), covers);
    this.store = new TileStore(source, manifest, {
      arrived: () => this.invalidate(),
      dropped: (points) => this.scene.drop(points),
      failed: (error) => this.failed(error),
    });
    this.marks = new Marks(manifest.n, (column, ordinal) => this.codeIn(column, ordinal));
    this.pictures = new Pictures(source, manifest.n, { changed: () => this.invalidate(), failed: (error) => this.failed(error) });
    this.scene = new Scene(gl, this.marks, this.pictures);
    this.mover = new Mover(width, height, inset, () => this.frames.cameraMoved(), manifest.bounds);
    const budget = startBudget();
    this.sampler = new Sampler(this.store, this.marks, budget);
    this.minimaps = new Minimaps(this.store, this.marks, this.scene);
    const { glass, mover, sampler, scene, pictures, overlay, labels, minimaps } = this;
    this.frames = new Frames(
      { glass, mover, sampler, scene, pictures, overlay, labels, minimaps, budget },
      { moved: () => this.events.emit("camera", mover.camera), painted: () => this.report() },
    );
    const shown = { drawn: () => this.frames.drawn, pictureAt: (sx: number, sy: number) => pictures.at(sx, sy) };
    this.input = new Input(canvas, mover, this.marks, shown, overlay, this.events, () => this.invalidate());
    addEventListener("online", () => this.retry(), { signal: this.abort.signal });
    this.glass.watch();
  }

  get n(): number {
    return this.store.manifest.n;
  }

  get flags(): Flags {
    return this.marks.flags;
  }

  close(): void {
    this.abort.abort();
    this.input.close();
    this.store.close();
    this.pictures.close();
    this.frames.stop();
    this.glass.close();
  }

  // --- what it shows ------------------------------------------------------------------------------------------

  setLabels(labels: Labels): void {
    this.labels.set(labels);
    this.invalidate();
  }

  showLabels(shown: boolean): void {
    this.labels.shown = shown;
    this.invalidate();
  }

  set tool(tool: Tool) {
    this.input.tool = tool;
  }

  /** The look follows the page: paper, ink and accent are its colours of ground, text and controls. */
  setLook(look: Look): void {
    const style = getComputedStyle(this.parent);
    this.scene.setLook(look, { paper: parseRgb(style.backgroundColor), ink: parseRgb(style.color), accent: parseRgb(style.accentColor) });
    this.recolour();
  }

  /**
   * Colours by a column; `shown` says which of its codes count, the others stand back. `given` runs the colours of numbers
   * along their values or their logarithms; as they are stored unless it is said.
   */
  setColumn(key: string | null, shown?: (code: number) => boolean, given: ColumnLook = {}): void {
    const column = this.store.column(key);
    this.marks.setColumn(column && { ...column, ...given }, shown ?? null);
    this.recolour();
  }

  /**
   * Colours by codes that are no column of the files, by ordinal, as a category; null = by the column again. What `shown` of
   * `setColumn` says holds for them too. Throws a RangeError unless there is one code for each point.
   */
  setCodes(codes: Codes | null, look: CodesLook = { missing: 255 }): void {
    this.marks.setCodes(codes, look);
    this.recolour();
  }

  /**
   * Selects the points whose bit is set: bit i, from the lowest bit of the first byte on, is ordinal i. Null selects none.
   * Throws a RangeError where bits are too few.
   */
  setSelectionBits(bits: Uint8Array | null): void {
    this.flags.selectBits(bits);
    this.minimaps.refresh();
    this.invalidate();
  }

  /**
   * A filter: a point whose bit is **not** set is neither drawn nor picked nor shown as a picture or hit. `matching` is what
   * the server answers to a filter; null shows all. Throws a RangeError where bits are too few.
   */
  setHidden(matching: Uint8Array | null): void {
    this.flags.showOnly(matching);
    this.scene.setHits();
    this.input.filtered();
    this.minimaps.refresh();
    this.invalidate();
  }

  /** Relevance of every point by ordinal, 128 = the cut: from there on brighter and larger, the others stand back. Null = off. */
  setGlow(bytes: Uint8Array | null): void {
    if (!bytes && !this.marks.glow) return;
    this.marks.setGlow(bytes);
    this.invalidate();
  }

  /** Shows hits, best first; `searching` says whether all other points stand back, also where there are no hits at all. */
  setHits(hits: Hit[], searching: boolean): void {
    this.marks.setHits(hits, searching);
    this.scene.setHits();
    // Somebody waits for these: the GPU begins while the page still makes its panels.
    this.frames.draw(performance.now());
  }

  /**
   * Draws the whole map, small, into a square canvas, with a frame round what is on the screen; it follows the camera, the
   * colours and the look until the map is closed or the answer is called. The canvas shows the world from edge to edge.
   */
  drawMinimap(canvas: HTMLCanvasElement): () => void {
    const stop = this.minimaps.add(canvas);
    this.invalidate();
    return stop;
  }

  /** How many points are on the screen that no filter hides. Takes some milliseconds with a million: not for every frame. */
  countInView(): InView {
    return countInView(this.store.tiles, this.store.loaded, this.flags, this.mover.view);
  }

  /** What a click at this place of the screen would meet. */
  hitAt(sx: number, sy: number): Found | null {
    return this.input.find(sx, sy);
  }

  /** Rings the open record and draws lines to its neighbours. */
  markOpen(found: Found | null, neighbours: Found[] = []): void {
    this.overlay.open(found, neighbours);
    this.invalidate();
  }

  markHover(found: Found | null): void {
    this.input.mark(found);
  }

  /** What a record covers of the screen: its picture's box, or no more than its point. */
  placeOf({ ordinal, x, y }: Found): Placed {
    const [left, top] = this.mover.screen(x, y);
    return this.pictures.placeOf(ordinal) ?? { left, top, width: 0, height: 0 };
  }

  /**
   * Takes over from the map `old` of the same records: points start where they were on it and travel to their places here.
   * `from` fetches where the points of a tile were (FORMAT.md, "From one map to another"). What is in the middle of the old
   * view stays there, or else the `focus` that the caller knows. Resolves when all is in its place, at once where the person
   * wants no motion; the old map may be closed then. Rejects where there is nothing to show: the old map stays as it is.
   */
  async morphFrom(old: MapView, from: PlacesBefore, focus: Focus | null = null): Promise<void> {
    const { signal } = this.abort;
    const { width, height } = this.mover.view;
    const before = { ...old.mover.view, width, height };
    const after = await arrivalView(this.store, before, from, focus, signal).catch(() => before);
    const tiles = this.sampler.tiles(after);
    const still = wantsNoMotion();
    const known = await placesBefore(this.store, tiles, still ? null : from, signal);
    if (signal.aborted) return;
    const now = { ...old.mover.view, width, height };
    this.mover.set(movedAlong(after, before, now));
    old.leave();
    if (!still && !this.lost) await this.frames.travel(now, this.mover.view, known);
  }

  /** Fades away: another map takes its place. */
  leave(): void {
    this.parent.dataset["state"] = "going";
  }

  /**
   * Paints what it shows now, the names of topics too, on another canvas, whose unit is a pixel of CSS and has `ratio` real
   * ones. Throws an Error where the browser has stopped drawing.
   */
  paintOn(pen: CanvasRenderingContext2D, ratio: number): void {
    this.glass.paintOn(pen, ratio, () => this.frames.draw(performance.now()));
    // Nothing lies over the picture.
    this.labels.draw(this.mover.view, () => []);
    this.labels.paintOn(pen, this.canvas.getBoundingClientRect());
    this.invalidate();
  }

  // --- frames -------------------------------------------------------------------------------------------------

  /** Whether something that the view needs is still on its way. */
  get loading(): boolean {
    return this.store.pending || this.pictures.pending;
  }

  /** Asks again for what could not be had. */
  retry(): void {
    this.store.retry();
    this.pictures.retry();
    this.invalidate();
  }

  invalidate(): void {
    this.frames.invalidate();
  }

  private resized(width: number, height: number): void {
    this.mover.resize(width, height);
    this.events.emit("camera", this.mover.camera);
    // A canvas of a new size is empty: waiting for the next frame would let it flicker.
    if (this.painted) this.frames.draw(performance.now());
    else this.invalidate();
  }

  private restored(): void {
    this.setLost(false);
    this.scene.restore();
    this.invalidate();
  }

  private setLost(lost: boolean): void {
    this.lost = lost;
    // Nobody sees it.
    if (lost) this.frames.arrive();
    this.events.emit("lost", lost);
  }

  private recolour(): void {
    this.scene.recolour();
    this.minimaps.refresh();
    this.invalidate();
  }

  /** The next frame says that nothing is on its way any more. */
  private failed(error: unknown): void {
    this.events.emit("error", error);
    this.invalidate();
  }

  private report(): void {
    this.parent.toggleAttribute("data-pictures", this.pictures.drawn.length > 0);
    if (!this.painted && (this.frames.drawn.length > 0 || this.n === 0)) {
      this.painted = true;
      this.events.emit("firstpaint", null);
    }
    // Also where nothing changed: who began to listen since has missed the change.
    this.events.emit("loading", this.loading);
  }

  private codeIn(column: Column, ordinal: number): number | null {
    const tile = tileOf(this.store.tiles, ordinal);
    const codes = tile && this.store.loaded.get(tile)?.columns.get(column.key);
    return codes ? codes[ordinal - tile.start]! : null;
  }
}
