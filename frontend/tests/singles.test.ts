import { expect, test } from "vitest";
import { prefix } from "../src/map/lod";
import type { SheetIndex } from "../src/map/manifest";
import { candidates, roomOf } from "../src/map/candidates";
import { cellAt, cellsWithin, holds, largestAt, levelOf, LARGEST, looseLevel, place, readPictures, SheetTree, STORED } from "../src/map/sheets";
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
  const taken = new Map(fromSheets.map(({ ordinal, x, y }) => [cellAt(x, y, level).key, ordinal]));
  const ended = regions.filter(({ sheet }) => sheet.z < level);
  const chosen = candidates(drawn, ended, view, level, taken, () => true);
  const singles = chosen.map((single) => ({ ...single, room: level > single.last ? roomOf(single, drawn, level, taken, () => true) : single.cell }));
  const own = new Set(singles.map(({ ordinal }) => ordinal));
  const placed = [
    ...fromSheets.filter(({ ordinal }) => !own.has(ordinal)).map((picture) => place({ ...picture, cell: cellAt(picture.x, picture.y, level).box }, view)),
    ...singles.map((single) => place({ ...single, ...SIZE, cell: single.room }, view, largestAt(view, single.last + 1))),
  ];
  return { level, ended, taken, singles, placed };
}

const SIZE = { width: 256, height: 192 };

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

test("a picture with no other near it grows with every step of the zoom, up to the stored size, without a leap", () => {
  let grown = 0;
  for (let turn = 0; turn < 8; turn++) {
    const { x, y } = viewAt(1);
    let before = 0;
    for (let k = 2; k < 4000; k *= 1.05) {
      const now = { x, y, scale: scaleOf(k), width: 1280, height: 800 };
      const { level, singles } = everything(now);
      const single = singles.find((each) => Math.hypot(each.x - x, each.y - y) < 1e-9);
      const alone = single && level > single.last && single.room.x1 - single.room.x0 > single.cell.x1 - single.cell.x0;
      if (!alone) continue;
      const { width, height } = place({ ...single, ...SIZE, cell: single.room }, now, largestAt(now, single.last + 1));
      expect(width / height).toBeCloseTo(SIZE.width / SIZE.height, 9);
      if (before > 0) expect(width / before).toBeLessThan(1.06);
      if (before > 0) expect(width).toBeGreaterThan(before - 1e-6);
      before = width;
    }
    if (before > STORED - 1e-6) grown++;
  }
  expect(grown).toBeGreaterThan(4);
}, 30_000);

test("pictures begin to grow where there is room for all and the sheets end, and the cells in a wider one are all of its level", () => {
  const at = (k: number) => largestAt({ x: 0.5, y: 0.5, scale: scaleOf(k), width: 1280, height: 800 }, 5);
  expect([at(8), at(32), at(64), at(5000)]).toEqual([LARGEST, LARGEST, 2 * LARGEST, STORED]);
  expect([looseLevel(1), looseLevel(800), looseLevel(30_000), looseLevel(1_000_000)]).toEqual([0, 3, 6, 8]);
  const wide = cellAt(0.3, 0.7, 5);
  const within = cellsWithin(wide.box, 7);
  expect(new Set(within).size).toBe(16);
  expect(within).toContain(cellAt(0.3, 0.7, 7).key);
  expect(cellsWithin(cellAt(0.3, 0.7, 7).box, 7)).toEqual([cellAt(0.3, 0.7, 7).key]);
});

test("near enough every point in view has its picture, where no other lies in its cell", () => {
  const view = viewAt(3000);
  const { level, ended, taken, singles } = everything(view);
  const box = visibleBox(view);
  const cells = new Set([...taken.keys(), ...singles.map(({ key }) => key)]);
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
  const singles = candidates(drawn, whole, view, 5, new Map(), even);
  expect(singles.length).toBeGreaterThan(20);
  for (const { ordinal, key } of singles) expect(ranks.get(key)).toBe(ordinal);
});
