import { expect, test } from "vitest";
import { BEST, earlier, holding, later } from "../src/explorer/hit_window";

test("a hit far down is listed among its neighbours, not behind all that are better", () => {
  const shown = holding(BEST, 4800);
  expect(shown.first).toBeLessThan(4800);
  expect(shown.end).toBeGreaterThan(4800);
  expect(shown.end - shown.first).toBeLessThanOrEqual(BEST.end);
});

test("one that is listed changes nothing, and the next after the last brings a page more", () => {
  expect(holding(BEST, 39)).toBe(BEST);
  expect(holding(BEST, 40)).toEqual(later(BEST));
});

test("from there the list grows both ways, up to the best", () => {
  const shown = holding(BEST, 70 + BEST.end);
  expect([shown, earlier(shown), earlier(earlier(earlier(shown))).first, later(shown).end]).toEqual([{ first: 90, end: 130 }, { first: 50, end: 130 }, 0, 170]);
});
