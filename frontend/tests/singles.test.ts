import { expect, test } from "vitest";
import { prefix } from "../src/map/lod";
import type { SheetIndex } from "../src/map/manifest";
import { cellAt, holds, levelOf, place, readPictures, SheetTree } from "../src/map/sheets";
import { candidates } from "../src/map/singles";
import { pointAt } from "../src/map/tile";
import { scaleOf, visibleBox } from "../src/map/viewport";
import { madeMap } from "./made_map";
import { seeded } from "./mock/random";
import { overlaps } from "./overlaps";

const made = madeMap(30_000);
const index = made.json<SheetIndex>("thumbs/index.json");
/** Only the first sheet is left: all below it is single pictures. */
const tree = new SheetTree({ ...index, sheets: { count: index.sheets.count.slice(0, 1), children: [0] } });
const drawn = made.loaded.map((points) => ({ points, prefix: prefix(points.cuts, 0) }));
const random = seeded(12);

/** A view round a random point of the map. */
function viewAt(k: number) {
  const points = made.loaded[Math.floor(random.uniform() * made.loaded.length)]!;
  const [x, y] = pointAt(points, Math.floor(random.uniform() * points.tile.count));
  return { x, y, scale: scaleOf(k), width: 1280, height: 800 };
}

function everything(view: ReturnType<typeof viewAt>) {
  const level = levelOf(view);
  const regions = tree.covering(view, level);
  const fromSheets = regions.flatMap(({ sheet, box }) => {
    const bytes = made.files.get(`thumbs/${sheet.z}-${sheet.x}-${sheet.y}.idx`) as Uint8Array;
    return readPictures(sheet, bytes.slice().buffer).filter(({ x, y }) => holds(box, x, y));
  });
  const taken = new Set(fromSheets.map(({ x, y }) => cellAt(x, y, level).key));
  const ended = regions.filter(({ sheet }) => sheet.z < level);
  const singles = candidates(drawn, ended, view, level, taken, () => true);
  const sizes = { width: 128, height: 96 };
  const placed = [
    ...fromSheets.map((picture) => place({ ...picture, cell: cellAt(picture.x, picture.y, level).box }, view)),
    ...singles.map((single) => place({ ...single, ...sizes }, view)),
  ];
  return { level, ended, taken, singles, placed };
}

test("pictures of sheets and single ones never meet, at any of 20 zooms, and are at most 200", () => {
  let shown = 0;
  for (let step = 0; step < 20; step++) {
    const { singles, placed } = everything(viewAt(2 * 1.45 ** step));
    expect(singles.length).toBeLessThanOrEqual(200);
    expect(overlaps(placed)).toBe(0);
    shown += singles.length;
  }
  expect(shown).toBeGreaterThan(100);
});

test("near enough every point in view has its picture, where no other lies in its cell", () => {
  const view = viewAt(3000);
  const { level, ended, taken, singles } = everything(view);
  const box = visibleBox(view);
  const cells = new Set([...taken, ...singles.map(({ key }) => key)]);
  for (const points of made.loaded) {
    for (let i = 0; i < points.tile.count; i++) {
      const [x, y] = pointAt(points, i);
      if (holds(box, x, y) && ended.some((region) => holds(region.box, x, y))) expect(cells).toContain(cellAt(x, y, level).key);
    }
  }
});

test("of the records in a cell the one of lowest rank is shown, of those that are accepted", () => {
  const view = { x: 0.5, y: 0.5, scale: scaleOf(40), width: 1280, height: 800 };
  const whole = [{ sheet: made.tiles[0]!, box: { x0: 0, y0: 0, x1: 1, y1: 1 } }];
  const even = (ordinal: number) => ordinal % 2 === 0;
  const ranks = new Map<number, number>();
  for (const points of made.loaded) {
    for (let i = 0; i < points.tile.count; i++) {
      const ordinal = points.tile.start + i;
      const { key } = cellAt(...pointAt(points, i), 5);
      if (even(ordinal) && !ranks.has(key)) ranks.set(key, ordinal);
    }
  }
  const singles = candidates(drawn, whole, view, 5, new Set(), even);
  expect(singles.length).toBeGreaterThan(20);
  for (const { ordinal, key } of singles) expect(ranks.get(key)).toBe(ordinal);
});
