export interface Rect {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** How many pairs of these boxes meet. */
export function overlaps(rects: Rect[]): number {
  let count = 0;
  rects.forEach((a, i) => {
    for (const b of rects.slice(i + 1)) {
      const apart = a.left + a.width <= b.left + 1e-6 || b.left + b.width <= a.left + 1e-6 || a.top + a.height <= b.top + 1e-6 || b.top + b.height <= a.top + 1e-6;
      if (!apart) count++;
    }
  });
  return count;
}
