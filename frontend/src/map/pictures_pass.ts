/** Draws thumbnails out of one texture array: sheets of them, or places for single ones. */

import { createProgram, fillBuffer, type GL, type Program, type Rgb } from "./gl";
import { PICTURE_FRAGMENT, PICTURE_VERTEX } from "./shaders";
import type { Placed } from "./sheets";
import type { Viewport } from "./viewport";

export const LAYER_SIDE = 1024;
const SIZES = [2, 2, 3, 2, 1, 1];
const FLOATS = SIZES.reduce((sum, size) => sum + size);

/** Pixels of a frame that is more than a hairline. */
const FRAME = 2.5;

/** As the shader counts them: it stands back, it is as it is, it has a frame. */
const MANNERS = ["back", "plain", "selected", "hit"] as const;
export type PictureManner = (typeof MANNERS)[number];

export interface DrawnPicture {
  placed: Placed;
  layer: number;
  /** Place of the picture in its layer. */
  index: number;
  alpha: number;
  /** Size in the sheet, in pixels. */
  width: number;
  height: number;
  /** How it is shown: see `MANNERS`. */
  manner: PictureManner;
}

export interface PictureStyle {
  ratio: number;
  paper: Rgb;
  rim: Rgb;
  /** Of the frames round those that are selected or found. */
  selected: Rgb;
  hit: Rgb;
}

export class PicturesPass {
  private readonly shader: Program;
  private readonly vertices: WebGLVertexArrayObject;
  private readonly buffer: WebGLBuffer;
  private readonly texture: WebGLTexture;

  constructor(
    private readonly gl: GL,
    readonly layers: number,
    private readonly cell: number,
    /** How many sizes of each picture there are, each half of the one before: what is drawn smaller stays smooth. */
    levels = 1,
  ) {
    this.shader = createProgram(gl, PICTURE_VERTEX, PICTURE_FRAGMENT, ["a_corner", "a_pixels", "a_texel", "a_size", "a_manner", "a_alpha"]);
    this.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, levels, gl.RGBA8, LAYER_SIDE, LAYER_SIDE, layers);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MIN_FILTER, levels > 1 ? gl.LINEAR_MIPMAP_LINEAR : gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    this.vertices = gl.createVertexArray();
    this.buffer = gl.createBuffer();
    gl.bindVertexArray(this.vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    let offset = 0;
    SIZES.forEach((size, place) => {
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, gl.FLOAT, false, 4 * FLOATS, 4 * offset);
      offset += size;
    });
    gl.bindVertexArray(null);
  }

  /** Puts a sheet, or one picture at its place, into a layer: in all its sizes, the largest first. */
  upload(layer: number, sizes: ImageBitmap[], index = 0): void {
    const { gl } = this;
    const [u, v] = this.corner(index);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture);
    sizes.forEach((bitmap, i) => {
      gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, i, u >> i, v >> i, layer, bitmap.width, bitmap.height, 1, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    });
  }

  private corner(index: number): [number, number] {
    const columns = LAYER_SIDE / this.cell;
    return [(index % columns) * this.cell, Math.floor(index / columns) * this.cell];
  }

  draw(pictures: DrawnPicture[], view: Viewport, style: PictureStyle): void {
    const { gl, shader } = this;
    if (pictures.length === 0) return;
    gl.useProgram(shader.program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture);
    gl.uniform1i(shader.uniform("u_sheets"), 0);
    gl.uniform2f(shader.uniform("u_half"), view.width / 2, view.height / 2);
    gl.uniform3fv(shader.uniform("u_paper"), style.paper);
    gl.uniform3fv(shader.uniform("u_rim"), style.rim);
    gl.uniform3fv(shader.uniform("u_selected"), style.selected);
    gl.uniform3fv(shader.uniform("u_hit"), style.hit);
    gl.uniform1f(shader.uniform("u_frame"), FRAME * style.ratio);
    gl.bindVertexArray(this.vertices);
    fillBuffer(gl, this.buffer, this.triangles(pictures, view, style.ratio), gl.STREAM_DRAW);
    gl.drawArrays(gl.TRIANGLES, 0, 6 * pictures.length);
    gl.bindVertexArray(null);
  }

  /** Two plain triangles each: instancing costs 30 times as much where GL is done in software. */
  private triangles(pictures: DrawnPicture[], view: Viewport, ratio: number): Float32Array<ArrayBuffer> {
    const data = new Float32Array(6 * FLOATS * pictures.length);
    let at = 0;
    for (const { placed, layer, index, width, height, manner, alpha } of pictures) {
      const [u, v] = this.corner(index);
      // Half a texel inside, of the size that is drawn: the neighbour in the sheet must not bleed in.
      const inset = 0.5 * Math.max(1, width / (placed.width * ratio));
      for (const [cx, cy] of CORNERS) {
        const texelX = u + inset + cx * (width - 2 * inset);
        const texelY = v + inset + cy * (height - 2 * inset);
        const x = placed.left + cx * placed.width - view.width / 2;
        const y = view.height / 2 - (placed.top + cy * placed.height);
        data.set([cx, cy, x, y, texelX / LAYER_SIDE, texelY / LAYER_SIDE, layer, placed.width * ratio, placed.height * ratio, MANNERS.indexOf(manner), alpha], at);
        at += FLOATS;
      }
    }
    return data;
  }
}

const CORNERS: [number, number][] = [
  [0, 0],
  [1, 0],
  [0, 1],
  [0, 1],
  [1, 0],
  [1, 1],
];
