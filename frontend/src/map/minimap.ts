/** A small drawing of the whole map with the part that is on the screen. */

import type { Rgb } from "./gl";
import { pointAt, type TilePoints } from "./tile";
import { visibleBox, type Viewport } from "./viewport";

export interface MinimapStyle {
  paper: Rgb;
  frame: Rgb;
  colour(code: number): Rgb;
  /** The codes of the points; null = one colour for all. */
  codes: { [index: number]: number } | null;
  /** Whether a point counts, stands back or is hidden. */
  manner(ordinal: number): "lit" | "back" | "hidden";
}

/** Share of its colour that one point leaves on the paper. */
const INK = { lit: 0.55, back: 0.12, hidden: 0 };
/** So few points have dots of more than a pixel. */
const FEW = 6000;

/** RGBA of the points of the root tile, the sample that stands for all, on a square of `side` pixels. */
export function paintMinimap(points: TilePoints | null, side: number, style: MinimapStyle): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * side * side);
  const [r, g, b] = style.paper;
  for (let i = 0; i < pixels.length; i += 4) pixels.set([255 * r, 255 * g, 255 * b, 255], i);
  const dot = points && points.tile.count < FEW ? Math.max(1, Math.round(side / 100)) : 1;
  const ink = (at: number, colour: Rgb, share: number) => colour.forEach((part, k) => (pixels[at + k] = pixels[at + k]! + (255 * part - pixels[at + k]!) * share));
  for (let i = 0; points && i < points.tile.count; i++) {
    const share = INK[style.manner(points.tile.start + i)];
    if (share === 0) continue;
    const [x, y] = pointAt(points, i);
    const [column, row] = [x, 1 - y].map((part) => Math.min(side - dot, Math.floor(part * side))) as [number, number];
    const colour = style.colour(style.codes?.[i] ?? 0);
    for (let pixel = 0; pixel < dot * dot; pixel++) ink(4 * ((row + Math.floor(pixel / dot)) * side + column + (pixel % dot)), colour, share);
  }
  return pixels;
}

/** What the screen shows, on a square of `side` pixels: left, top, width, height. */
export function frameOn(side: number, view: Viewport): [number, number, number, number] {
  const { x0, y0, x1, y1 } = visibleBox(view);
  const inside = (value: number) => Math.min(1, Math.max(0, value));
  const [left, right, top, bottom] = [inside(x0), inside(x1), inside(1 - y1), inside(1 - y0)];
  return [left * side, top * side, Math.max(2, (right - left) * side), Math.max(2, (bottom - top) * side)];
}

/** Draws on a square canvas; the points are painted again after `refresh()` or when there are other ones. */
export class Minimap {
  private image: ImageData | null = null;
  private painted: { points: TilePoints | null; codes: MinimapStyle["codes"] } | null = null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly read: () => { points: TilePoints | null; style: MinimapStyle },
  ) {}

  refresh(): void {
    this.painted = null;
  }

  draw(view: Viewport): void {
    const context = this.canvas.getContext("2d")!;
    const side = this.canvas.width;
    const { points, style } = this.read();
    const same = this.painted?.points === points && this.painted.codes === style.codes && this.image?.width === side;
    if (!same) this.image = new ImageData(paintMinimap(points, side, style), side, side);
    this.painted = { points, codes: style.codes };
    context.putImageData(this.image!, 0, 0);
    const [r, g, b] = style.frame.map((part) => Math.round(255 * part));
    context.strokeStyle = `rgb(${r} ${g} ${b})`;
    context.lineWidth = Math.max(1, side / 100);
    context.strokeRect(...frameOn(side, view));
  }
}
