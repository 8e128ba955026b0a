/** The cut between hits and the rest, on the histogram of a query's scores. */

import type { Histogram } from "./api/search";

/** How many records score above the cut; within a step they are taken as evenly spread. */
export function countAbove({ from, to, counts }: Histogram, cut: number): number {
  const step = (to - from) / counts.length || 1;
  const above = counts.reduce((sum, count, i) => {
    const share = (from + (i + 1) * step - cut) / step;
    return sum + count * Math.min(1, Math.max(0, share));
  }, 0);
  return Math.round(above);
}

/** Heights of the bars, 0 … 1: on a square root, for hits are few beside the rest. */
export function heights({ counts }: Histogram): number[] {
  const most = Math.max(1, ...counts);
  return counts.map((count) => Math.sqrt(count / most));
}
