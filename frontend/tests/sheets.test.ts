import { expect, test } from "vitest";
import type { Labels, SheetIndex } from "../src/map/manifest";
import { visibleTopics } from "../src/map/labels";
import { place, readPictures, SheetTree } from "../src/map/sheets";
import { scaleOf, toScreen } from "../src/map/viewport";
import { madeMap } from "./made_map";
import { seeded } from "./mock/random";

const made = madeMap(30_000);
const tree = new SheetTree(made.json<SheetIndex>("thumbs/index.json"));
const random = seeded(9);

const view = (k: number) => ({ x: random.uniform(), y: random.uniform(), scale: scaleOf(k), width: 1280, height: 800 });

interface Rect {
  left: number;
  top: number;
  width: number;
  height: number;
}

function overlaps(rects: Rect[]): number {
  let count = 0;
  rects.forEach((a, i) => {
    for (const b of rects.slice(i + 1)) {
      const apart = a.left + a.width <= b.left + 1e-6 || b.left + b.width <= a.left + 1e-6 || a.top + a.height <= b.top + 1e-6 || b.top + b.height <= a.top + 1e-6;
      if (!apart) count++;
    }
  });
  return count;
}

test("no two pictures meet, at any of 20 zooms", () => {
  let shown = 0;
  for (let step = 0; step < 20; step++) {
    const now = view(0.6 * 1.5 ** step);
    const pictures = tree.covering(now, tree.level(now)).flatMap((sheet) => {
      const bytes = made.files.get(`thumbs/${sheet.z}-${sheet.x}-${sheet.y}.idx`) as Uint8Array;
      return readPictures(sheet, bytes.slice().buffer);
    });
    const rects = pictures.map((picture) => place(picture, now)).filter(({ left, top }) => left > -100 && left < 1280 && top > -100 && top < 800);
    shown += rects.length;
    expect(overlaps(rects)).toBe(0);
  }
  expect(shown).toBeGreaterThan(300);
});

test("a picture keeps its proportions and stays in its cell", () => {
  const now = { ...view(8), x: 0.5, y: 0.5 };
  for (const sheet of tree.covering(now, 3)) {
    const bytes = made.files.get(`thumbs/${sheet.z}-${sheet.x}-${sheet.y}.idx`) as Uint8Array;
    for (const picture of readPictures(sheet, bytes.slice().buffer)) {
      const placed = place(picture, now);
      expect(placed.width / placed.height).toBeCloseTo(picture.width / picture.height, 9);
      const [left, bottom] = toScreen(now, picture.cell.x0, picture.cell.y0);
      expect(placed.left).toBeGreaterThanOrEqual(left - 1e-6);
      expect(placed.top + placed.height).toBeLessThanOrEqual(bottom + 1e-6);
    }
  }
});

test("no two labels meet in 200 random views", () => {
  const { topics } = made.json<Labels>("labels.json");
  let shown = 0;
  for (let turn = 0; turn < 200; turn++) {
    const now = view(0.6 * 100 ** random.uniform());
    const rects = visibleTopics(topics, now).map(({ x, y, w, h }) => {
      const [sx, sy] = toScreen(now, x, y);
      return { left: sx - w / 2, top: sy - h / 2, width: w, height: h };
    });
    shown += rects.length;
    expect(overlaps(rects)).toBe(0);
  }
  expect(shown).toBeGreaterThan(200);
});
