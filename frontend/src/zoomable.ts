/** How far a picture is zoomed in and where it lies; its middle is the origin, lengths are pixels of the frame. */

export interface Zoom {
  k: number;
  x: number;
  y: number;
}

export const WHOLE: Zoom = { k: 1, x: 0, y: 0 };

const DEEPEST = 16;

/** The place (x, y) of the frame stays where it is; nearer than whole, or whole and in the middle. */
export function zoomed({ k, x, y }: Zoom, factor: number, at = { x: 0, y: 0 }): Zoom {
  const next = Math.min(DEEPEST, Math.max(1, k * factor));
  if (next === 1) return WHOLE;
  const grown = next / k;
  return { k: next, x: at.x - (at.x - x) * grown, y: at.y - (at.y - y) * grown };
}

/** Moved by some pixels, but never so far that the picture leaves the frame of this size. */
export function moved({ k, x, y }: Zoom, dx: number, dy: number, frame: { width: number; height: number }): Zoom {
  const within = (value: number, size: number) => Math.min(1, Math.max(-1, value / ((size * (k - 1)) / 2 || 1))) * ((size * (k - 1)) / 2);
  return { k, x: within(x + dx, frame.width), y: within(y + dy, frame.height) };
}
