/** The map: owns the canvas and its layers, moves the camera, says what the pointer is on. */

import { colourTable, rgb, type Look } from "./colours";
import { startBudget } from "./budget";
import { coveringTiles, tilesIn } from "./cover";
import { Events } from "./events";
import { Flags } from "./flags";
import { eased, flight, type Flight } from "./flight";
import { Gestures, type Tool } from "./gestures";
import type { GL, Rgb } from "./gl";
import { HitsPass, type Hit } from "./hits_pass";
import { handleKey } from "./keyboard";
import { LabelLayer } from "./labels";
import { octave, pointSize, prefix, sampleSize } from "./lod";
import { tileOf, type Column, type Labels, type Manifest, type SheetIndex, type Topic } from "./manifest";
import { Overlay, type WorldPoint } from "./overlay";
import { nearestPoint, type Found } from "./pick";
import { PointsPass, type DrawnTile } from "./points_pass";
import { boxOf, ordinalsIn, type Polygon } from "./region";
import type { MapSource } from "./source";
import { TileStore } from "./store";
import { Thumbnails, type PictureMode } from "./thumbnails";
import { clamped, fitted, panned, scaleOf, toScreen, toWorld, WORLD, zoomedAt, zoomOf, type Box, type Camera, type Viewport } from "./viewport";
import { nextPoint } from "./walk";

export interface MapEvents {
  /** The point under the pointer or reached by Shift + arrow; null = none. */
  hover: Found | null;
  /** `add`: with Shift or Ctrl. */
  click: { found: Found | null; add: boolean };
  open: Found;
  camera: Camera;
  topic: Topic;
  /** A region was drawn to its end; world units. */
  region: { polygon: Polygon; add: boolean };
  /** Whether something is still on its way. */
  loading: boolean;
  error: unknown;
  firstpaint: null;
}

const PICK_RADIUS = 10;
/** A point nearer to the edge than this is not comfortably in view. */
const EDGE = 60;
const PICTURE_LAYERS = 16;

/** Thrown where the browser offers no WebGL2. */
export class NoWebGLError extends Error {}

export class MapView {
  readonly events = new Events<MapEvents>();
  readonly flags: Flags;
  readonly store: TileStore;
  readonly canvas: HTMLCanvasElement;
  private readonly gl: GL;
  private readonly overlay: Overlay;
  private readonly labels: LabelLayer;
  private readonly gestures: Gestures;
  private readonly budget = startBudget();
  private readonly abort = new AbortController();
  private points: PointsPass;
  private hitsPass: HitsPass;
  private thumbnails: Thumbnails | null = null;
  private view: Viewport;
  private drawn: DrawnTile[] = [];
  private hits: Hit[] = [];
  private hitOrdinals = new Set<number>();
  private searching = false;
  private column: Column | null = null;
  private shownCodes: (code: number) => boolean = () => true;
  private allShown = true;
  private look: Look = "light";
  private paper: Rgb = [1, 1, 1];
  private rim: Rgb = [1, 1, 1];
  private hovered: Found | null = null;
  private flying: { flight: Flight; start: number } | null = null;
  private requested = 0;
  private lastFrame = 0;
  private moving = false;
  private painted = false;
  private wasLoading = false;

  constructor(
    private readonly parent: HTMLElement,
    private readonly source: MapSource,
    manifest: Manifest,
    /** Pixels at the left that a panel covers on this screen. */
    private readonly inset = (): number => 0,
  ) {
    this.canvas = document.createElement("canvas");
    this.canvas.className = "map-canvas";
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", "Map. Arrows move, plus and minus zoom, Shift and arrows walk from record to record, Enter opens one.");
    const gl = this.canvas.getContext("webgl2", { alpha: false, antialias: false, powerPreference: "high-performance" });
    if (!gl) throw new NoWebGLError("This browser offers no WebGL2.");
    this.gl = gl;
    parent.append(this.canvas);
    this.overlay = new Overlay(parent);
    this.labels = new LabelLayer(parent, (topic) => this.events.emit("topic", topic));
    this.flags = new Flags(manifest.n);
    this.store = new TileStore(source, manifest, {
      arrived: () => this.invalidate(),
      dropped: (points) => this.points.drop(points),
      failed: (error) => this.events.emit("error", error),
    });
    this.points = new PointsPass(gl);
    this.hitsPass = new HitsPass(gl);
    this.view = fitted(parent.clientWidth || 1, parent.clientHeight || 1, WORLD, inset());
    this.gestures = new Gestures(this.canvas, this.gestureHandlers());
    this.listen();
    this.resize();
  }

  get n(): number {
    return this.store.manifest.n;
  }

  get camera(): Camera {
    return { x: this.view.x, y: this.view.y, k: zoomOf(this.view) };
  }

  get viewport(): Viewport {
    return this.view;
  }

  close(): void {
    this.abort.abort();
    this.gestures.close();
    this.store.close();
    this.thumbnails?.close();
    cancelAnimationFrame(this.requested);
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.parent.replaceChildren();
  }

  setLabels(labels: Labels): void {
    this.labels.set(labels);
    this.invalidate();
  }

  showLabels(shown: boolean): void {
    this.labels.shown = shown;
    this.invalidate();
  }

  setSheets(index: SheetIndex): void {
    const failed = (error: unknown) => this.events.emit("error", error);
    this.thumbnails = new Thumbnails(this.source, index, this.n, PICTURE_LAYERS, () => this.invalidate(), failed);
    this.thumbnails.attach(this.gl);
    this.invalidate();
  }

  get hasPictures(): boolean {
    return this.thumbnails?.any ?? false;
  }

  showPictures(mode: PictureMode): void {
    if (this.thumbnails) this.thumbnails.mode = mode;
    this.invalidate();
  }

  set tool(tool: Tool) {
    this.gestures.tool = tool;
    this.canvas.dataset["tool"] = tool;
  }

  /** The look follows the page: paper and rim are the parent's background and text colours. */
  setLook(look: Look): void {
    this.look = look;
    const style = getComputedStyle(this.parent);
    this.paper = parseRgb(style.backgroundColor);
    this.rim = this.paper;
    this.recolour();
  }

  /** Colours by a column; `shown` says which of its codes count, the others stand back. */
  setColumn(key: string | null, shown?: (code: number) => boolean): void {
    this.column = this.store.column(key);
    this.shownCodes = shown ?? (() => true);
    this.allShown = !shown;
    this.recolour();
  }

  select(ordinals: Iterable<number>): void {
    this.flags.select(ordinals);
    this.invalidate();
  }

  /** Shows hits; `searching` says whether all other points stand back, also where there are no hits at all. */
  setHits(hits: Hit[], searching: boolean): void {
    this.hits = hits;
    this.searching = searching;
    this.hitOrdinals = new Set(hits.map((hit) => hit.ordinal));
    this.hitsPass.set(hits);
    this.invalidate();
  }

  /** Every point in the polygon, also those that this zoom does not draw: fetches the tiles it needs. */
  async ordinalsIn(polygon: Polygon): Promise<number[]> {
    const tiles = await this.store.all(tilesIn(this.store.tiles, boxOf(polygon)), this.abort.signal);
    return [...ordinalsIn(polygon, tiles)];
  }

  /** Rings the open record and draws lines to its neighbours. */
  markOpen(point: WorldPoint | null, neighbours: WorldPoint[] = []): void {
    this.overlay.open(point, neighbours);
    this.invalidate();
  }

  markHover(found: Found | null): void {
    this.hovered = found;
    this.overlay.hover(found);
    this.invalidate();
  }

  /** Screen place of a world point, in pixels of the map. */
  screen(x: number, y: number): [number, number] {
    return toScreen(this.view, x, y);
  }

  setCamera({ x, y, k }: Camera): void {
    this.flying = null;
    this.view = clamped({ ...this.view, x, y, scale: scaleOf(k) });
    this.cameraMoved();
  }

  flyTo(camera: Camera): void {
    this.fly(clamped({ ...this.view, x: camera.x, y: camera.y, scale: scaleOf(camera.k) }));
  }

  flyToBox(box: Box): void {
    this.fly(fitted(this.view.width, this.view.height, box, this.inset()));
  }

  /** Moves no more than it takes to bring a point into the free part of the screen, `right` pixels less than all. */
  reveal(point: WorldPoint, right: number): void {
    const [sx, sy] = this.screen(point.x, point.y);
    const [from, to] = [this.inset(), this.view.width - right];
    if (sx > from + EDGE && sx < to - EDGE && sy > EDGE && sy < this.view.height - EDGE) return;
    const middle = (from + to) / 2;
    this.fly(clamped({ ...this.view, x: point.x + (this.view.width / 2 - middle) / this.view.scale, y: point.y }));
  }

  recentre(): void {
    this.fly(fitted(this.view.width, this.view.height, WORLD, this.inset()));
  }

  zoomBy(factor: number): void {
    this.fly(zoomedAt(this.view, this.view.width / 2, this.view.height / 2, factor));
  }

  retry(): void {
    this.store.retry();
    this.thumbnails?.retry();
    this.invalidate();
  }

  invalidate(): void {
    if (!this.requested && !this.abort.signal.aborted) this.requested = requestAnimationFrame((now) => this.frame(now));
  }

  private fly(to: Viewport): void {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.view = to;
      this.flying = null;
    } else {
      this.flying = { flight: flight(this.view, to), start: performance.now() };
    }
    this.cameraMoved();
  }

  private moveTo(view: Viewport): void {
    this.hover(null);
    this.flying = null;
    this.view = view;
    this.cameraMoved();
  }

  private cameraMoved(): void {
    this.moving = true;
    this.events.emit("camera", this.camera);
    this.invalidate();
  }

  private listen(): void {
    const { signal } = this.abort;
    const observer = new ResizeObserver(() => this.resize());
    observer.observe(this.parent);
    signal.addEventListener("abort", () => observer.disconnect());
    this.watchRatio();
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault(), { signal });
    this.canvas.addEventListener("webglcontextrestored", () => this.restore(), { signal });
    this.canvas.addEventListener("keydown", (event) => handleKey(event, this.keyHandlers()), { signal });
    addEventListener("online", () => this.retry(), { signal });
  }

  /** A window moved to another screen changes the pixel ratio without a resize. */
  private watchRatio(): void {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    const changed = () => {
      this.resize();
      this.watchRatio();
    };
    query.addEventListener("change", changed, { once: true, signal: this.abort.signal });
  }

  private restore(): void {
    this.points = new PointsPass(this.gl);
    this.hitsPass = new HitsPass(this.gl);
    this.hitsPass.set(this.hits);
    this.thumbnails?.attach(this.gl);
    this.recolour();
  }

  private resize(): void {
    const width = this.parent.clientWidth || 1;
    const height = this.parent.clientHeight || 1;
    this.canvas.width = Math.round(width * devicePixelRatio);
    this.canvas.height = Math.round(height * devicePixelRatio);
    const untouched = !this.painted;
    this.view = untouched ? fitted(width, height, WORLD, this.inset()) : clamped({ ...this.view, width, height });
    this.invalidate();
  }

  private recolour(): void {
    this.points.setColours(colourTable(this.column, this.look, this.shownCodes));
    this.invalidate();
  }

  private frame(now: number): void {
    this.requested = 0;
    if (this.gl.isContextLost()) return;
    if (this.moving) this.budget.frame(now - this.lastFrame);
    this.lastFrame = now;
    this.moving = false;
    this.advanceFlight(now);
    this.chooseTiles();
    const animating = this.drawAll(now);
    this.report();
    if (animating || this.flying) this.invalidate();
  }

  private advanceFlight(now: number): void {
    if (!this.flying) return;
    const { flight: way, start } = this.flying;
    const t = way.duration > 0 ? Math.min(1, Math.max(0, now - start) / way.duration) : 1;
    this.view = clamped({ ...way.at(eased(t)), width: this.view.width, height: this.view.height });
    if (t >= 1) this.flying = null;
    this.moving = true;
    this.events.emit("camera", this.camera);
  }

  private chooseTiles(): void {
    const { view, store } = this;
    const o = octave(this.n, sampleSize(this.budget.points, zoomOf(view)));
    // Up to the end of the fading octave: a tile left out would be a square hole in it.
    const tiles = coveringTiles(store.tiles, store.manifest.tiles.rank, view, this.n / 2 ** Math.floor(o));
    store.want(tiles, this.column?.key ?? null, view.scale);
    this.drawn = [];
    for (const tile of tiles) {
      const points = store.loaded.get(tile);
      if (points) this.drawn.push({ points, prefix: prefix(points.cuts, o) });
    }
  }

  private drawAll(now: number): boolean {
    const { gl, view } = this;
    const ratio = this.canvas.width / view.width;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(...this.paper, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    const size = pointSize(this.n, sampleSize(this.budget.points, zoomOf(view)), view.scale);
    const { searching } = this;
    this.points.draw(this.drawn, view, {
      size,
      ratio,
      paper: this.paper,
      rim: this.rim,
      column: this.column,
      layered: !searching && (!this.allShown || this.flags.selected > 0),
      lit: searching ? "none" : this.flags.selected > 0 ? "selected" : "all",
      flags: this.flags,
    });
    const pictures = this.thumbnails?.draw(view, now, { ratio, paper: this.paper, rim: this.rim }, (ordinal) => this.isLit(ordinal));
    const [from, to] = this.look === "dark" ? ["#c08a4a", "#ffd27a"] : ["#d98a5b", "#b3261e"];
    this.hitsPass.draw(view, { size: Math.max(8, size * 1.35), ratio, rim: this.rim, from: rgb(from), to: rgb(to) });
    this.overlay.draw(view, size / 2 + 5);
    this.labels.draw(view);
    return pictures ?? false;
  }

  /** Whether something that the view needs is still on its way. */
  get loading(): boolean {
    return this.store.pending || (this.thumbnails?.pending ?? false);
  }

  private report(): void {
    if (!this.painted && (this.drawn.length > 0 || this.n === 0)) {
      this.painted = true;
      this.events.emit("firstpaint", null);
    }
    const { loading } = this;
    if (loading !== this.wasLoading) this.events.emit("loading", loading);
    this.wasLoading = loading;
  }

  private isLit(ordinal: number): boolean {
    if (this.searching) return this.hitOrdinals.has(ordinal);
    if (this.flags.selected > 0 && !this.flags.isSelected(ordinal)) return false;
    return this.allShown || this.isShown(ordinal);
  }

  private isShown(ordinal: number): boolean {
    const tile = tileOf(this.store.tiles, ordinal);
    const codes = tile && this.column && this.store.loaded.get(tile)?.columns.get(this.column.key);
    return !codes || this.shownCodes(codes[ordinal - tile.start]!);
  }

  private find(sx: number, sy: number): Found | null {
    const [x, y] = toWorld(this.view, sx, sy);
    const radius = PICK_RADIUS / this.view.scale;
    const hit = nearestHit(this.hits, x, y, radius);
    if (hit) return hit;
    const picture = this.thumbnails?.at(sx, sy);
    if (picture) return picture;
    const candidates = this.drawn.map(({ points, prefix: { fading } }) => ({ points, drawn: fading }));
    const lit = nearestPoint(candidates, x, y, radius, (ordinal) => this.isLit(ordinal));
    return lit ?? nearestPoint(candidates, x, y, radius, () => true);
  }

  private hover(found: Found | null): void {
    if (found?.ordinal === this.hovered?.ordinal) return;
    this.markHover(found);
    this.canvas.dataset["over"] = found ? "point" : "";
    this.events.emit("hover", found);
  }

  private gestureHandlers(): ConstructorParameters<typeof Gestures>[1] {
    return {
      pan: (dx, dy) => this.moveTo(panned(this.view, dx, dy)),
      zoom: (x, y, factor) => this.moveTo(zoomedAt(this.view, x, y, factor)),
      step: (x, y, nearer) => this.fly(zoomedAt(this.view, x, y, nearer ? 2.5 : 0.4)),
      hover: (x, y) => this.hover(this.find(x, y)),
      leave: () => this.hover(null),
      click: (x, y, add) => this.events.emit("click", { found: this.find(x, y), add }),
      region: (_tool, path, done, add) => this.region(path, done, add),
    };
  }

  private region(path: number[], done: boolean, add: boolean): void {
    this.overlay.drawRegion(done ? [] : path);
    if (!done || path.length < 6) return;
    const polygon = new Float64Array(path.length);
    for (let i = 0; i < path.length; i += 2) polygon.set(toWorld(this.view, path[i]!, path[i + 1]!), i);
    this.events.emit("region", { polygon, add });
  }

  private keyHandlers(): Parameters<typeof handleKey>[1] {
    return {
      pan: (dx, dy) => this.moveTo(panned(this.view, dx, dy)),
      zoomBy: (factor) => this.zoomBy(factor),
      recentre: () => this.recentre(),
      walk: (dx, dy) => this.walk(dx, dy),
      open: () => this.hovered && this.events.emit("open", this.hovered),
    };
  }

  private walk(dx: number, dy: number): void {
    const from = this.hovered ?? { x: this.view.x, y: this.view.y };
    const candidates = this.drawn.map(({ points, prefix: { fading } }) => ({ points, drawn: fading }));
    const reach = Math.max(this.view.width, this.view.height) / this.view.scale;
    const found = nextPoint(candidates, from, [dx, -dy], reach);
    if (!found) return;
    const [sx, sy] = this.screen(found.x, found.y);
    const outside = sx < 40 || sy < 40 || sx > this.view.width - 40 || sy > this.view.height - 40;
    if (outside) this.moveTo(clamped({ ...this.view, x: found.x, y: found.y }));
    this.hover(found);
  }
}

function nearestHit(hits: Hit[], x: number, y: number, radius: number): Hit | null {
  let best: Hit | null = null;
  let bestSquare = radius ** 2;
  for (const hit of hits) {
    const square = (hit.x - x) ** 2 + (hit.y - y) ** 2;
    if (square > bestSquare || (square === bestSquare && best)) continue;
    best = hit;
    bestSquare = square;
  }
  return best;
}

function parseRgb(text: string): Rgb {
  const [r = 255, g = 255, b = 255] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [r / 255, g / 255, b / 255];
}
