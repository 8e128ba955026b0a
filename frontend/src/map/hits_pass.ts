/** Draws a query's hits above everything, from the places the server sent: it waits for no tile. */

import { createProgram, fillBuffer, type GL, type Program, type Rgb } from "./gl";
import { HIT_FRAGMENT, HIT_VERTEX } from "./shaders";
import type { Viewport } from "./viewport";

export interface Hit {
  ordinal: number;
  x: number;
  y: number;
  /** 0 … 1 within this query. */
  score: number;
}

interface HitStyle {
  size: number;
  ratio: number;
  rim: Rgb;
  from: Rgb;
  to: Rgb;
}

const FLOATS = 5;

export class HitsPass {
  private readonly shader: Program;
  private readonly vertices: WebGLVertexArrayObject;
  private readonly buffer: WebGLBuffer;
  private count = 0;

  constructor(private readonly gl: GL) {
    this.shader = createProgram(gl, HIT_VERTEX, HIT_FRAGMENT, ["a_place", "a_score"]);
    this.vertices = gl.createVertexArray();
    this.buffer = gl.createBuffer();
    gl.bindVertexArray(this.vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 4, gl.FLOAT, false, 4 * FLOATS, 0);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 1, gl.FLOAT, false, 4 * FLOATS, 16);
    gl.bindVertexArray(null);
  }

  /** Best last, so that it lies on top. Places are split into two floats: one alone trembles from a zoom of 500 on. */
  set(hits: Hit[]): void {
    const data = new Float32Array(FLOATS * hits.length);
    hits.forEach(({ x, y, score }, i) => {
      const at = FLOATS * (hits.length - 1 - i);
      data.set([x, y, x - Math.fround(x), y - Math.fround(y), score], at);
    });
    fillBuffer(this.gl, this.buffer, data, this.gl.DYNAMIC_DRAW);
    this.count = hits.length;
  }

  draw(view: Viewport, style: HitStyle): void {
    const { gl, shader } = this;
    if (this.count === 0) return;
    gl.useProgram(shader.program);
    const [x, y] = [Math.fround(view.x), Math.fround(view.y)];
    gl.uniform4f(shader.uniform("u_centre"), x, y, view.x - x, view.y - y);
    gl.uniform1f(shader.uniform("u_scale"), view.scale);
    gl.uniform2f(shader.uniform("u_half"), view.width / 2, view.height / 2);
    gl.uniform1f(shader.uniform("u_size"), style.size);
    gl.uniform1f(shader.uniform("u_ratio"), style.ratio);
    gl.uniform3fv(shader.uniform("u_rim"), style.rim);
    gl.uniform3fv(shader.uniform("u_from"), style.from);
    gl.uniform3fv(shader.uniform("u_to"), style.to);
    gl.bindVertexArray(this.vertices);
    gl.drawArrays(gl.POINTS, 0, this.count);
    gl.bindVertexArray(null);
  }
}
