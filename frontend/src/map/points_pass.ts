/** Draws the tiles: each point once, what stands back below what counts. */

import { createProgram, fillBuffer, type GL, type Program, type Rgb } from "./gl";
import type { Prefix } from "./lod";
import type { PerPoint } from "./marks";
import { NOWHERE } from "./morph";
import { POINT_ATTRIBUTES, pointFragment, pointVertex, RIM_FROM, type PointVariant } from "./shaders";
import { STEPS, type TilePoints } from "./tile";
import type { Viewport } from "./viewport";

const [AT, LOW, CODE, FLAGS, GLOW, FROM] = [0, 1, 2, 3, 4, 5] as const;
const LIT = { all: 0, selected: 1, none: 2 };
/** The layers of a map on which all points count, of one on which some stand back, of one that glows. */
const PLAIN = [0];
const DIVIDED = [1, 2];
const GLOWING = [1, 2, 3];
/** The layer of those that stand back. */
const BACK = 1;
/** Without its low plane a point lies in the middle of its step. */
const MIDDLE = 127.5;

/** Which state of an attribute the GPU holds; null = none, it has a constant value. */
type Stamp = string | number | null;

interface GpuTile {
  vertices: WebGLVertexArrayObject;
  buffers: WebGLBuffer[];
  stamps: Stamp[];
}

export interface DrawnTile {
  points: TilePoints;
  prefix: Prefix;
  /** Of the points that count, where it is more than `prefix`. */
  lit?: Prefix;
}

export interface MorphStyle {
  /** How much of the way is done, 0 … 1. */
  way: number;
  /** Where the points of a tile come from: x, y in turn, 1/65534 of the world; 65535 = from nowhere. */
  places: { from(points: TilePoints): Uint16Array | null };
}

interface PointStyle {
  size: number;
  ratio: number;
  paper: Rgb;
  rim: Rgb;
  column: { key: string; missing: number } | null;
  /** Codes by ordinal instead of a column. */
  codes: PerPoint | null;
  /** Whether some points stand back: they are then drawn first, in a pass of their own. */
  divided: boolean;
  /** Which points count; the others stand back. */
  lit: keyof typeof LIT;
  flags: { bytes: Uint8Array; revision: number; selected: number; hidden: number };
  glow: PerPoint | null;
  glowColours: [Rgb, Rgb, Rgb];
  morph: MorphStyle | null;
}

export class PointsPass {
  private readonly shaders = new Map<string, Program>();
  private readonly colours: WebGLTexture;
  private readonly tiles = new Map<TilePoints, GpuTile>();

  constructor(private readonly gl: GL) {
    this.colours = gl.createTexture();
  }

  /** 256 × 256 RGBA texels, one for each possible code; alpha 0 = stands back. */
  setColours(texels: Uint8Array): void {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.colours);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 256, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  draw(drawn: DrawnTile[], view: Viewport, style: PointStyle): void {
    const { gl } = this;
    const plain = !style.divided && style.lit === "all" && !isFlagged(style);
    const small = style.size * style.ratio < RIM_FROM && !style.glow;
    const shader = this.shader({ glow: style.glow !== null, morph: style.morph !== null, plain, small });
    gl.useProgram(shader.program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.colours);
    gl.uniform1i(shader.uniform("u_colours"), 0);
    gl.uniform2f(shader.uniform("u_half"), view.width / 2, view.height / 2);
    gl.uniform1f(shader.uniform("u_size"), style.size);
    gl.uniform1f(shader.uniform("u_ratio"), style.ratio);
    gl.uniform1i(shader.uniform("u_lit"), LIT[style.lit]);
    gl.uniform3fv(shader.uniform("u_paper"), style.paper);
    gl.uniform3fv(shader.uniform("u_rim"), style.rim);
    if (style.glow) gl.uniform3fv(shader.uniform("u_glow"), style.glowColours.flat());
    if (style.morph) {
      gl.uniform2f(shader.uniform("u_centre"), view.x, view.y);
      gl.uniform1f(shader.uniform("u_scale"), view.scale);
      gl.uniform1f(shader.uniform("u_way"), style.morph.way);
    }
    for (const layer of style.glow ? GLOWING : style.divided ? DIVIDED : PLAIN) {
      gl.uniform1i(shader.uniform("u_layer"), layer);
      for (const { points, prefix, lit } of drawn) this.drawTile(shader, points, (layer > BACK && lit) || prefix, view, style);
    }
    gl.bindVertexArray(null);
  }

  /** Frees the tile's memory on the GPU. */
  drop(points: TilePoints): void {
    const tile = this.tiles.get(points);
    if (!tile) return;
    this.gl.deleteVertexArray(tile.vertices);
    tile.buffers.forEach((buffer) => this.gl.deleteBuffer(buffer));
    this.tiles.delete(points);
  }

  private shader(variant: PointVariant): Program {
    const name = JSON.stringify(variant);
    let shader = this.shaders.get(name);
    if (!shader) {
      shader = createProgram(this.gl, pointVertex(variant), pointFragment(variant), POINT_ATTRIBUTES);
      this.shaders.set(name, shader);
    }
    return shader;
  }

  private drawTile(shader: Program, points: TilePoints, prefix: Prefix, view: Viewport, style: PointStyle): void {
    const { gl } = this;
    if (prefix.fading === 0) return;
    const { x, y, z } = points.tile;
    const steps = 2 ** z * STEPS;
    const centreX = view.x * steps - x * STEPS;
    const centreY = view.y * steps - y * STEPS;
    gl.uniform2f(shader.uniform("u_whole"), Math.floor(centreX), Math.floor(centreY));
    gl.uniform2f(shader.uniform("u_part"), centreX - Math.floor(centreX), centreY - Math.floor(centreY));
    gl.uniform1f(shader.uniform("u_step"), view.scale / steps);
    this.bind(points, style);
    gl.uniform1f(shader.uniform("u_alpha"), 1);
    if (prefix.solid > 0) gl.drawArrays(gl.POINTS, 0, prefix.solid);
    if (prefix.fading > prefix.solid && prefix.alpha > 0) {
      gl.uniform1f(shader.uniform("u_alpha"), prefix.alpha);
      gl.drawArrays(gl.POINTS, prefix.solid, prefix.fading - prefix.solid);
    }
  }

  private bind(points: TilePoints, style: PointStyle): void {
    const { gl } = this;
    const { start, count } = points.tile;
    const { column, codes, flags, glow, morph } = style;
    const part = (all: PerPoint) => all.values.subarray(start, start + count);
    let tile = this.tiles.get(points);
    if (!tile) this.tiles.set(points, (tile = this.create(points)));
    gl.bindVertexArray(tile.vertices);
    this.attach(tile, LOW, 2, "low", () => points.low);
    if (codes) this.attach(tile, CODE, 1, codes.revision, () => part(codes));
    else this.attach(tile, CODE, 1, column?.key ?? null, () => (column && points.columns.get(column.key)) ?? null);
    this.attach(tile, FLAGS, 1, isFlagged(style) ? flags.revision : null, () => flags.bytes.subarray(start, start + count));
    this.attach(tile, GLOW, 1, glow?.revision ?? null, () => glow && part(glow));
    this.attach(tile, FROM, 2, morph ? "from" : null, () => morph?.places.from(points) ?? null);
    // The values of attributes without an array belong to the context, not to the vertex array.
    gl.vertexAttrib2f(LOW, MIDDLE, MIDDLE);
    gl.vertexAttrib1f(CODE, column?.missing ?? 0);
    gl.vertexAttrib1f(FLAGS, 0);
    gl.vertexAttrib2f(FROM, NOWHERE, NOWHERE);
  }

  /** Brings an attribute to the state that `stamp` names; without values (yet) it falls back to its constant. */
  private attach(tile: GpuTile, place: number, size: number, stamp: Stamp, read: () => Uint8Array | Uint16Array | null): void {
    const { gl } = this;
    if (tile.stamps[place] === stamp) return;
    const values = stamp === null ? null : read();
    if (values) {
      fillBuffer(gl, tile.buffers[place]!, values as Uint8Array<ArrayBuffer>, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, values.BYTES_PER_ELEMENT === 1 ? gl.UNSIGNED_BYTE : gl.UNSIGNED_SHORT, false, 0, 0);
      tile.stamps[place] = stamp;
    } else if (tile.stamps[place] !== null) {
      gl.disableVertexAttribArray(place);
      tile.stamps[place] = null;
    }
  }

  private create(points: TilePoints): GpuTile {
    const { gl } = this;
    const tile: GpuTile = {
      vertices: gl.createVertexArray(),
      buffers: POINT_ATTRIBUTES.map(() => gl.createBuffer()),
      stamps: POINT_ATTRIBUTES.map(() => null),
    };
    gl.bindVertexArray(tile.vertices);
    this.attach(tile, AT, 2, "at", () => points.at);
    return tile;
  }
}

const isFlagged = ({ flags }: PointStyle): boolean => flags.selected > 0 || flags.hidden > 0;
