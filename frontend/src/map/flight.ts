/** The way from one view to another: J. van Wijk and W. Nuij, "Smooth and efficient zooming and panning" (2003). */

import type { Viewport } from "./viewport";

/** How strongly the flight prefers zooming out over panning; 1.42 is what the paper's readers liked best. */
const RHO = 1.42;
const MILLISECONDS_PER_UNIT = 320;

export interface Flight {
  /** Milliseconds. */
  duration: number;
  /** The view after the part `t` (0 … 1) of the flight. */
  at(t: number): Viewport;
}

export function flight(from: Viewport, to: Viewport): Flight {
  const w0 = from.width / from.scale;
  const w1 = to.width / to.scale;
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const distance = Math.hypot(dx, dy);
  const view = (along: number, w: number): Viewport => ({
    ...to,
    x: from.x + along * dx,
    y: from.y + along * dy,
    scale: to.width / w,
  });

  if (distance < 1e-9 * w0) {
    const length = Math.abs(Math.log(w1 / w0)) / RHO;
    return { duration: length * MILLISECONDS_PER_UNIT, at: (t) => view(t, w0 * Math.exp(t * Math.log(w1 / w0))) };
  }

  const b0 = (w1 ** 2 - w0 ** 2 + RHO ** 4 * distance ** 2) / (2 * w0 * RHO ** 2 * distance);
  const b1 = (w1 ** 2 - w0 ** 2 - RHO ** 4 * distance ** 2) / (2 * w1 * RHO ** 2 * distance);
  const r0 = -Math.asinh(b0);
  const r1 = -Math.asinh(b1);
  const length = (r1 - r0) / RHO;
  return {
    duration: length * MILLISECONDS_PER_UNIT,
    at(t) {
      if (t >= 1) return to;
      const s = t * length;
      const along = (w0 * (Math.cosh(r0) * Math.tanh(RHO * s + r0) - Math.sinh(r0))) / (RHO ** 2 * distance);
      return view(along, (w0 * Math.cosh(r0)) / Math.cosh(RHO * s + r0));
    },
  };
}

/** Starts and ends gently. */
export const eased = (t: number): number => (t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2);
