import { describe, expect, it } from "vitest";
import { countAbove, heights } from "../src/cut";

const HISTOGRAM = { from: 0, to: 4, counts: [100, 9, 0, 4] };

describe("the cut", () => {
  it("counts what scores above it", () => {
    expect(countAbove(HISTOGRAM, 0)).toBe(113);
    expect(countAbove(HISTOGRAM, 2)).toBe(4);
    expect(countAbove(HISTOGRAM, 3.5)).toBe(2);
    expect(countAbove(HISTOGRAM, 4)).toBe(0);
  });

  it("takes equal scores as one step", () => {
    expect(countAbove({ from: 1, to: 1, counts: [5] }, 1)).toBe(5);
  });

  it("keeps the few hits visible beside the many others", () => {
    expect(heights(HISTOGRAM)).toEqual([1, 0.3, 0, 0.2]);
  });
});
