/** Paints one frame: paper, points, pictures, hits. Owns everything on the GPU and brings it back after a lost context. */

import { colourOf, colourTable, GLOW, HIT_RAMP, rgb, type Look } from "./colours";
import type { GL, Rgb } from "./gl";
import { HitsPass, type Hit } from "./hits_pass";
import type { Marks } from "./marks";
import type { MinimapStyle } from "./minimap";
import type { Pictures } from "./pictures";
import { PointsPass, type DrawnTile, type MorphStyle } from "./points_pass";
import type { Codes, TilePoints } from "./tile";
import type { Viewport } from "./viewport";

interface Frame {
  view: Viewport;
  now: number;
  drawn: DrawnTile[];
  /** Diameter of a point in CSS pixels. */
  size: number;
  morph: MorphStyle | null;
}

/** How far the hairline round a picture is from the paper towards the ink. */
const FRAME = 0.22;

export class Scene {
  private points: PointsPass;
  private hits: HitsPass;
  /** Hits that have a dot: those whose pictures are not shown, which have a frame. */
  private dots: Hit[] | null = null;
  private look: Look = "light";
  private paper: Rgb = [1, 1, 1];
  /** Round pictures: seen on paper as on night. */
  private frame: Rgb = [1, 1, 1];
  private ink: Rgb = [0, 0, 0];
  private accent: Rgb = [0, 0, 0];

  constructor(
    private readonly gl: GL,
    private readonly marks: Marks,
    private readonly pictures: Pictures,
  ) {
    this.points = new PointsPass(gl);
    this.hits = new HitsPass(gl);
    pictures.attach(gl);
  }

  /** A new context knows nothing. */
  restore(): void {
    this.points = new PointsPass(this.gl);
    this.hits = new HitsPass(this.gl);
    this.setHits();
    this.pictures.attach(this.gl);
    this.recolour();
  }

  /** The colours are made anew by `recolour()`. */
  setLook(look: Look, { paper, ink, accent }: { paper: Rgb; ink: Rgb; accent: Rgb }): void {
    this.look = look;
    this.paper = paper;
    this.ink = ink;
    this.accent = accent;
    this.frame = paper.map((part, i) => part + (ink[i]! - part) * FRAME) as Rgb;
  }

  minimapStyle(codes: Codes | null): MinimapStyle {
    const { colouredBy } = this.marks;
    const missing = colouredBy?.missing ?? 0;
    return {
      paper: this.paper,
      frame: this.ink,
      codes,
      manner: (ordinal) => (!this.marks.isVisible(ordinal) ? "hidden" : this.marks.divided && !this.marks.isLit(ordinal) ? "back" : "lit"),
      colour: (code) => colourOf(colouredBy, codes ? code : missing, this.look),
    };
  }

  recolour(): void {
    this.points.setColours(colourTable(this.marks.colouredBy, this.look, (code) => this.marks.isShownCode(code)));
  }

  /** Takes the hits over from the marks. */
  setHits(): void {
    this.dots = null;
  }

  private putDots(): void {
    const pictured = new Set(this.pictures.drawn.map(({ ordinal }) => ordinal));
    const dots = this.marks.visibleHits.filter(({ ordinal }) => !pictured.has(ordinal));
    if (dots.length === this.dots?.length && dots.every((hit, i) => hit === this.dots![i])) return;
    this.dots = dots;
    this.hits.set(dots);
  }

  drop(points: TilePoints): void {
    this.points.drop(points);
  }

  /** True while something moves by itself and the next frame is wanted. */
  draw({ view, now, drawn, size, morph }: Frame): boolean {
    const { gl, marks, paper, look } = this;
    const ratio = gl.drawingBufferWidth / view.width;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(...paper, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    this.points.draw(drawn, view, {
      size,
      ratio,
      paper,
      rim: paper,
      column: marks.colouredBy,
      codes: marks.codes,
      divided: marks.divided,
      lit: marks.lit,
      flags: marks.flags,
      glow: marks.glow,
      glowColours: GLOW[look],
      morph,
    });
    if (morph) return true;
    const [from, to] = HIT_RAMP[look];
    const moving = this.pictures.draw(view, now, { ratio, paper, rim: this.frame, selected: this.accent, hit: rgb(to) }, marks, drawn);
    this.putDots();
    this.hits.draw(view, { size: Math.max(8, size * 1.35), ratio, rim: paper, from: rgb(from), to: rgb(to) });
    return moving;
  }
}
