/** How many points a zoom shows: one even sample "rank < R" of the whole map, at every place the same. */

import { clamp } from "./viewport";

/** The sample grows slower than the area (k²), so a nearer view is also a calmer one. */
export const sampleSize = (base: number, k: number): number => base * k ** 1.5;

/** log2(n / R): octave 0 is all points, octave 15 the first n / 2^15. */
export function octave(n: number, sample: number): number {
  return clamp(Math.log2(Math.max(n, 1) / sample), 0, 15);
}

export interface Prefix {
  /** Points 0 … solid-1 are drawn fully, solid … fading-1 with `alpha`. */
  solid: number;
  fading: number;
  alpha: number;
}

export function prefix(cuts: Uint32Array, o: number): Prefix {
  const upper = Math.ceil(o);
  return { solid: cuts[upper]!, fading: cuts[Math.floor(o)]!, alpha: upper - o };
}

/** Diameter of a point in CSS pixels: a few points are large, a million are fine grain. */
export function pointSize(n: number, sample: number, scale: number): number {
  const each = scale ** 2 / Math.max(1, Math.min(n, sample));
  return clamp(0.5 * Math.sqrt(each), 2.5, 11);
}
