import { expect, test } from "vitest";
import type { SheetIndex, Tile } from "../src/map/manifest";
import { holds, levelOf, place, cellAt, readPictures, SheetTree, type Picture } from "../src/map/sheets";
import { scaleOf, toScreen, type Viewport } from "../src/map/viewport";
import { madeMap } from "./made_map";
import { seeded } from "./mock/random";
import { overlaps } from "./overlaps";

const made = madeMap(30_000);
const tree = new SheetTree(made.json<SheetIndex>("thumbs/index.json"));
const random = seeded(9);

const view = (k: number) => ({ x: random.uniform(), y: random.uniform(), scale: scaleOf(k), width: 1280, height: 800 });

function picturesOf(sheet: Tile): Picture[] {
  const bytes = made.files.get(`thumbs/${sheet.z}-${sheet.x}-${sheet.y}.idx`) as Uint8Array;
  return readPictures(sheet, bytes.slice().buffer);
}

const picturesIn = (now: Viewport, level: number): Picture[] =>
  tree.covering(now, level).flatMap(({ sheet, box }) => picturesOf(sheet).filter(({ x, y }) => holds(box, x, y)));

test("no two pictures meet, at any of 20 zooms", () => {
  let shown = 0;
  for (let step = 0; step < 20; step++) {
    const now = view(0.6 * 1.5 ** step);
    const level = levelOf(now);
    const pictures = picturesIn(now, level).map((picture) => ({ ...picture, cell: cellAt(picture.x, picture.y, level).box }));
    const rects = pictures.map((picture) => place(picture, now)).filter(({ left, top }) => left > -100 && left < 1280 && top > -100 && top < 800);
    shown += rects.length;
    expect(overlaps(rects)).toBe(0);
  }
  expect(shown).toBeGreaterThan(300);
});

test("a picture keeps its proportions and stays in its cell", () => {
  const now = { ...view(8), x: 0.5, y: 0.5 };
  for (const { sheet } of tree.covering(now, 3)) {
    for (const picture of picturesOf(sheet)) {
      const placed = place(picture, now);
      expect(placed.width / placed.height).toBeCloseTo(picture.width / picture.height, 9);
      const [left, bottom] = toScreen(now, picture.cell.x0, picture.cell.y0);
      expect(placed.left).toBeGreaterThanOrEqual(left - 1e-6);
      expect(placed.top + placed.height).toBeLessThanOrEqual(bottom + 1e-6);
    }
  }
});
