/** Draws the tiles: each point once, what stands back below what counts. */

import { createProgram, fillBuffer, type GL, type Program, type Rgb } from "./gl";
import type { Prefix } from "./lod";
import { POINT_ATTRIBUTES, POINT_FRAGMENT, POINT_VERTEX } from "./shaders";
import { STEPS, type TilePoints } from "./tile";
import type { Viewport } from "./viewport";

const [AT, LOW, CODE, FLAGS] = [0, 1, 2, 3];
const LIT = { all: 0, selected: 1, none: 2 };
const ALL = 0;
const BACK = 1;
const FRONT = 2;
/** Without its low plane a point lies in the middle of its step. */
const MIDDLE = 127.5;

interface GpuTile {
  vertices: WebGLVertexArrayObject;
  buffers: WebGLBuffer[];
  hasLow: boolean;
  codes: string | null;
  flags: number;
}

export interface DrawnTile {
  points: TilePoints;
  prefix: Prefix;
}

export interface PointStyle {
  size: number;
  ratio: number;
  paper: Rgb;
  rim: Rgb;
  column: { key: string; missing: number } | null;
  /** Whether some points stand back: they are then drawn first, in a pass of their own. */
  layered: boolean;
  /** Which points count; the others stand back. */
  lit: keyof typeof LIT;
  flags: { bytes: Uint8Array<ArrayBuffer>; revision: number };
}

export class PointsPass {
  private readonly shader: Program;
  private readonly colours: WebGLTexture;
  private readonly tiles = new Map<TilePoints, GpuTile>();

  constructor(private readonly gl: GL) {
    this.shader = createProgram(gl, POINT_VERTEX, POINT_FRAGMENT, POINT_ATTRIBUTES);
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
    const { gl, shader } = this;
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
    for (const layer of style.layered ? [BACK, FRONT] : [ALL]) {
      gl.uniform1i(shader.uniform("u_layer"), layer);
      for (const { points, prefix } of drawn) this.drawTile(points, prefix, view, style);
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

  private drawTile(points: TilePoints, prefix: Prefix, view: Viewport, style: PointStyle): void {
    const { gl, shader } = this;
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
    let tile = this.tiles.get(points);
    if (!tile) this.tiles.set(points, (tile = this.create(points)));
    gl.bindVertexArray(tile.vertices);
    if (points.low && !tile.hasLow) {
      fillBuffer(gl, tile.buffers[LOW!]!, points.low as Uint8Array<ArrayBuffer>, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(LOW!);
      gl.vertexAttribPointer(LOW!, 2, gl.UNSIGNED_BYTE, false, 0, 0);
      tile.hasLow = true;
    }
    this.bindCodes(tile, points, style);
    if (tile.flags !== style.flags.revision) {
      const { start, count } = points.tile;
      fillBuffer(gl, tile.buffers[FLAGS!]!, style.flags.bytes.subarray(start, start + count), gl.DYNAMIC_DRAW);
      gl.enableVertexAttribArray(FLAGS!);
      gl.vertexAttribPointer(FLAGS!, 1, gl.UNSIGNED_BYTE, false, 0, 0);
      tile.flags = style.flags.revision;
    }
    // The values of attributes without an array belong to the context, not to the vertex array.
    if (!tile.hasLow) gl.vertexAttrib2f(LOW!, MIDDLE, MIDDLE);
    if (tile.codes === null) gl.vertexAttrib1f(CODE!, style.column?.missing ?? 0);
  }

  private bindCodes(tile: GpuTile, points: TilePoints, { column }: PointStyle): void {
    const { gl } = this;
    const codes = column && points.columns.get(column.key);
    const key = codes ? column.key : null;
    if (tile.codes === key) return;
    tile.codes = key;
    if (!codes) {
      gl.disableVertexAttribArray(CODE!);
      return;
    }
    fillBuffer(gl, tile.buffers[CODE!]!, codes as Uint8Array<ArrayBuffer>, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(CODE!);
    gl.vertexAttribPointer(CODE!, 1, codes.BYTES_PER_ELEMENT === 1 ? gl.UNSIGNED_BYTE : gl.UNSIGNED_SHORT, false, 0, 0);
  }

  private create(points: TilePoints): GpuTile {
    const { gl } = this;
    const tile: GpuTile = {
      vertices: gl.createVertexArray(),
      buffers: [AT, LOW, CODE, FLAGS].map(() => gl.createBuffer()),
      hasLow: false,
      codes: null,
      flags: 0,
    };
    gl.bindVertexArray(tile.vertices);
    fillBuffer(gl, tile.buffers[AT!]!, points.at as Uint16Array<ArrayBuffer>, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(AT!);
    gl.vertexAttribPointer(AT!, 2, gl.UNSIGNED_SHORT, false, 0, 0);
    return tile;
  }
}
