import { expect, test } from "vitest";
import { legendRows, shownCodes, soloed, toggled } from "../src/legend";
import { codeOf, colourTable, valueOf } from "../src/map/colours";
import type { Column, Topic } from "../src/map/manifest";

const artist: Column = { key: "artist", name: "Artist", kind: "category", type: "u8", missing: 255, size: 14 };
const year: Column = { key: "year", name: "Year", kind: "number", type: "u16", missing: 65535, min: 1500, max: 2000, scale: "linear" };
const values = { values: Array.from({ length: 14 }, (_, i) => `Artist ${i}`), counts: Array.from({ length: 14 }, (_, i) => 100 - i), missing: 3 };

test("the tail of a category is one row, and so is what has no value", () => {
  const rows = legendRows(artist, values, [], "light");
  expect(rows.length).toBe(12);
  expect(rows[10]).toMatchObject({ name: "Other (4)", count: 90 + 89 + 88 + 87, other: true });
  expect(rows[11]).toMatchObject({ name: "No value", count: 3, code: 255 });
});

test("topics of the column's own level are listed, the largest first", () => {
  const topic = (id: number, level: number, count: number) => ({ id, level, name: `t${id}`, count }) as Topic;
  const column: Column = { key: "topic-1", name: "Topic", kind: "topic", type: "u8", missing: 255 };
  const rows = legendRows(column, null, [topic(0, 0, 9), topic(1, 1, 2), topic(2, 1, 5)], "dark");
  expect(rows.map((row) => row.name)).toEqual(["t2", "t1"]);
});

test("a hidden row hides all of its codes", () => {
  const shown = shownCodes(artist, { hidden: new Set([10]), range: null })!;
  expect([0, 9, 10, 13, 255].map(shown)).toEqual([true, true, false, false, true]);
  expect(shownCodes(artist, { hidden: new Set(), range: null })).toBeUndefined();
});

test("a range leaves out what has no value", () => {
  const shown = shownCodes(year, { hidden: new Set(), range: [10, 20] })!;
  expect([9, 10, 20, 21, 65535].map(shown)).toEqual([false, true, true, false, false]);
});

test("one press hides, the next shows; a double press is this one alone, and back", () => {
  const rows = legendRows(artist, values, [], "light");
  expect([...toggled(new Set([1]), 2)]).toEqual([1, 2]);
  expect([...toggled(new Set([1]), 1)]).toEqual([]);
  const alone = soloed(new Set(), rows, 3);
  expect(alone.size).toBe(rows.length - 1);
  expect(alone.has(3)).toBe(false);
  expect(soloed(alone, rows, 3).size).toBe(0);
});

test("codes and values of a number column belong together", () => {
  expect(valueOf(year, 0)).toBe(1500);
  expect(valueOf(year, 65534)).toBe(2000);
  expect(codeOf(year, valueOf(year, 12345))).toBe(12345);
  const log: Column = { ...year, min: 1, max: 1000, scale: "log" };
  expect(valueOf(log, 32767)).toBeCloseTo(31.62, 1);
  expect(codeOf(log, valueOf(log, 777))).toBe(777);
});

test("the table carries what is shown in its alpha", () => {
  const table = colourTable(artist, "light", (code) => code !== 2);
  expect([table[4 * 1 + 3], table[4 * 2 + 3], table[4 * 3 + 3]]).toEqual([255, 0, 255]);
});
