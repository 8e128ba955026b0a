import { expect, test } from "vitest";
import { filterOfLegend, filterOfRow, legendRows, lookElsewhere, shownCodes, shownElsewhere, soloed, tagRows, tagsColumn, toggled } from "../src/legend";
import { categoryColour, codeAt, codeOf, colourOf, colourTable, hex, placeOf, valueOf } from "../src/map/colours";
import type { Column, Topic } from "../src/map/manifest";

const MAP = { id: "m", layout: "l" };
const artist: Column = { key: "artist", name: "Artist", kind: "category", type: "u8", missing: 255, size: 14 };
const year: Column = { key: "year", name: "Year", kind: "number", type: "u16", missing: 65535, min: 1500, max: 2000, scale: "linear" };
const values = { values: Array.from({ length: 14 }, (_, i) => `Artist ${i}`), counts: Array.from({ length: 14 }, (_, i) => 100 - i), missing: 3 };

test("the tail of a category is one row, and so is what has no value", () => {
  const rows = legendRows(artist, values, [], 0, "light");
  expect(rows.length).toBe(12);
  expect(rows[10]).toMatchObject({ name: "Other (4)", count: 90 + 89 + 88 + 87, other: true });
  expect(rows[11]).toMatchObject({ name: "No value", count: 3, code: 255 });
});

const level1: Column = { key: "topic-1", name: "Topic", kind: "topic", type: "u8", missing: 255 };

test("topics beyond the fortieth, and points in none, are one row, which is hidden and left alone as any other", () => {
  const topics = Array.from({ length: 60 }, (_, id) => ({ id, level: id % 12 === 0 ? 0 : 1, name: `t${id}`, count: 60 - id }) as Topic);
  const inside = topics.filter(({ level }) => level === 1).reduce((sum, { count }) => sum + count, 0);
  const rows = legendRows(level1, null, topics, inside + 7, "dark");
  expect(rows.length).toBe(41);
  const listed = rows.slice(0, 40).map(({ code }) => code);
  const beyond = topics.filter(({ id, level }) => level === 1 && !listed.includes(id));
  expect(rows[40]).toMatchObject({ name: "Other (15) or none", count: beyond.reduce((sum, { count }) => sum + count, 7), code: 255 });
  expect(legendRows(level1, null, topics, inside, "dark")[40]!.name).toBe("Other (15)");
  expect(rows[40]!.colours).toEqual(beyond.slice(0, 4).map(({ id }) => hex(colourOf(level1, id, "dark"))));

  const shown = (hidden: ReadonlySet<number>) => [1, 2, beyond[0]!.id, beyond[14]!.id, 255].map(shownCodes(level1, { hidden, range: null }, rows)!);
  expect(shown(new Set([2]))).toEqual([true, false, true, true, true]);
  expect(shown(soloed(new Set(), rows, 1))).toEqual([true, false, false, false, false]);
  expect(shown(soloed(new Set(), rows, 255))).toEqual([false, false, true, true, true]);

  const left = (...hidden: number[]) => filterOfLegend(level1, rows, { hidden: new Set(hidden), range: null }, MAP);
  expect(left(2)).toEqual({ not: { topic: 2, map: "m", layout: "l" } });
  expect(left(2, 3)).toEqual({ not: { any: [{ topic: 2, map: "m", layout: "l" }, { topic: 3, map: "m", layout: "l" }] } });
  expect(left(...listed.slice(1), 255)).toEqual({ topic: listed[0], map: "m", layout: "l" });
  expect(filterOfRow(level1, rows[40]!, rows, MAP)).toEqual({ not: { any: listed.map((topic) => ({ topic, map: "m", layout: "l" })) } });
});

test("points in no topic have a row, but none where every point is in one", () => {
  const topics = [{ id: 0, level: 1, name: "t0", count: 9 }] as Topic[];
  expect(legendRows(level1, null, topics, 10, "dark")[1]).toMatchObject({ name: "No topic", count: 1, colours: [hex(colourOf(level1, 255, "dark"))] });
  expect([legendRows(level1, null, topics, 9, "dark").length, legendRows(level1, null, [], 9, "dark").length]).toEqual([1, 0]);
});

test("topics of the column's own level are listed, the largest first", () => {
  const topic = (id: number, level: number, count: number) => ({ id, level, name: `t${id}`, count }) as Topic;
  const rows = legendRows(level1, null, [topic(0, 0, 9), topic(1, 1, 2), topic(2, 1, 5)], 7, "dark");
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
  const rows = legendRows(artist, values, [], 0, "light");
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

test("a row stands for its records, Other for all that no row names", () => {
  const rows = legendRows(artist, values, [], 0, "light");
  expect(filterOfRow(artist, rows[2]!, rows, MAP)).toEqual({ column: "Artist", in: ["Artist 2"] });
  expect(filterOfRow(artist, rows[11]!, rows, MAP)).toEqual({ column: "Artist", in: [null] });
  const named = Array.from({ length: 10 }, (_, i) => `Artist ${i}`);
  expect(filterOfRow(artist, rows[10]!, rows, MAP)).toEqual({ not: { column: "Artist", in: [...named, null] } });
  const topics: Column = { key: "topic-0", name: "Topic", kind: "topic", type: "u8", missing: 255 };
  expect(filterOfRow(topics, { ...rows[0]!, code: 7 }, rows, MAP)).toEqual({ topic: 7, map: "m", layout: "l" });
});

test("the legend leaves what is not switched off, in as few words as it takes", () => {
  const rows = legendRows(artist, values, [], 0, "light");
  const all = rows.map(({ code }) => code);
  const left = (...codes: number[]) => ({ hidden: new Set(all.filter((code) => !codes.includes(code))), range: null });
  expect(filterOfLegend(artist, rows, left(...all), MAP)).toBeNull();
  expect(filterOfLegend(artist, rows, left(), MAP)).toBeNull();
  expect(filterOfLegend(artist, rows, left(0, 3, 255), MAP)).toEqual({ column: "Artist", in: ["Artist 0", "Artist 3", null] });
  expect(filterOfLegend(artist, rows, left(0, 10), MAP)).toMatchObject({ any: [{ in: ["Artist 0"] }, { not: {} }] });
});

test("a brushed range takes in the values at its ends and leaves an open end open", () => {
  const range = (from: number, to: number) => filterOfLegend(year, [], { hidden: new Set(), range: [from, to] }, MAP);
  expect(range(codeOf(year, 1600), codeOf(year, 1700))).toEqual({ column: "Year", from: 1600, to: 1700 });
  expect(range(0, codeOf(year, 1700))).toEqual({ column: "Year", to: 1700 });
  const day: Column = { ...year, kind: "date", min: 0, max: 86_400 * 100 };
  expect(filterOfLegend(day, [], { hidden: new Set(), range: [codeOf(day, 86_400 * 10), 65534] }, MAP)).toEqual({ column: "Year", from: "1970-01-11" });
});

const tags = (n: number) => Array.from({ length: n }, (_, i) => ({ id: `t${i}`, name: `Tag ${i}`, count: i, colour: (i + 3) % 10, mine: true }));

test("a tag has the colour that is stored with it, on the map as in the legend", () => {
  const column = tagsColumn(tags(12));
  expect(hex(colourOf(column, 0, "dark"))).toBe(categoryColour(3, "dark"));
  expect(tagRows(tags(12), 0, "dark").flatMap(({ colours }) => colours)).toEqual(tags(12).map(({ colour }) => categoryColour(colour, "dark")));
  expect(new Set([0, 60, column.several!, column.missing].map((code) => hex(colourOf(tagsColumn(tags(70)), code, "light")))).size).toBe(4);
});

test("tags beyond the sixtieth and points with several have a row each, which stands for its records", () => {
  const rows = tagRows(tags(62), 5, "light");
  const column = tagsColumn(tags(62));
  expect(rows.length).toBe(62);
  expect(rows[60]).toMatchObject({ name: "Other (2)", count: 60 + 61, code: 60 });
  expect(rows[61]).toMatchObject({ name: "Several tags", count: 5, code: 254 });
  expect(filterOfRow(column, rows[3]!, rows, MAP)).toEqual({ tag: "t3" });
  expect(filterOfRow(column, rows[60]!, rows, MAP)).toEqual({ any: [{ tag: "t60" }, { tag: "t61" }] });
  expect(filterOfRow(column, rows[61]!, rows, MAP)).toEqual({ tags: "several" });
  const alone = shownCodes(column, { hidden: soloed(new Set(), rows, 60), range: null })!;
  expect([0, 59, 60, 61, 254].map(alone)).toEqual([false, false, true, true, false]);
});

test("where points with several tags are switched off, those left have just one", () => {
  const column = tagsColumn(tags(2));
  const rows = tagRows(tags(2), 5, "light");
  const hidden = (...codes: number[]) => ({ hidden: new Set(codes), range: null });
  expect(filterOfLegend(column, rows, hidden(1), MAP)).toEqual({ any: [{ tag: "t0" }, { tags: "several" }] });
  expect(filterOfLegend(column, rows, hidden(1, 254), MAP)).toEqual({ all: [{ tag: "t0" }, { not: { tags: "several" } }] });
});

test.each<[Column["scale"], Column["ramp"], number]>([
  ["linear", "log", 1],
  ["linear", "log", 0],
  ["linear", "log", -50],
  ["log", "linear", 1],
  ["linear", "linear", 0],
])("stored %s, shown %s from %d: places on the ramp run from end to end and lead back to their codes", (scale, ramp, min) => {
  const column: Column = { ...year, min, max: 5000, scale: scale!, ramp: ramp! };
  expect([placeOf(column, 0), placeOf(column, 65534)]).toEqual([expect.closeTo(0), expect.closeTo(1)]);
  const codes = [0, 1000, 30000, 65000, 65534];
  const places = codes.map((code) => placeOf(column, code));
  expect([...places].sort((a, b) => a - b)).toEqual(places);
  expect(places.map((place) => codeAt(column, place))).toEqual(codes);
});

test("a logarithmic ramp gives the small values more room", () => {
  const column: Column = { ...year, min: 1, max: 10_000, ramp: "log" };
  expect(placeOf(column, codeOf(column, 100))).toBeCloseTo(0.5, 2);
});

test("a computed column is asked for by its key and its map, an uploaded one of the same name by its name", () => {
  const agreement: Column = { key: "agreement", name: "Agreement", kind: "number", type: "u16", missing: 65535, min: -1, max: 5, scale: "linear", computed: true };
  const duplicates: Column = { key: "duplicates", name: "Duplicates", kind: "category", type: "u8", missing: 255, size: 3, computed: true };
  const values = { values: ["Unique", "Copy", "Original"], counts: [9, 2, 1], missing: 0 };
  const rows = legendRows(duplicates, values, [], 0, "light");
  expect(filterOfRow(duplicates, rows[1]!, rows, MAP)).toEqual({ computed: "duplicates", map: "m", in: ["Copy"] });
  expect(filterOfLegend(duplicates, rows, { hidden: new Set([1]), range: null }, MAP)).toEqual({ computed: "duplicates", map: "m", in: ["Unique", "Original"] });
  expect(filterOfLegend(agreement, [], { hidden: new Set(), range: [0, 20_000] }, MAP)).toMatchObject({ computed: "agreement", map: "m" });
  expect(filterOfLegend({ ...agreement, computed: false }, [], { hidden: new Set(), range: [0, 20_000] }, MAP)).toMatchObject({ column: "Agreement" });
});

test("a value has one colour on two maps that number it in different ways, and so has a year", () => {
  const rows = legendRows(artist, values, [], 0, "light");
  const there = { values: ["Artist 12", "Artist 4", "Artist 1", "Somebody else"], missing: 1 };
  const second = { ...artist, ...lookElsewhere(artist, rows, there) };
  const other = colourOf(artist, 12, "light");
  expect([0, 1, 2, 3].map((code) => colourOf(second, code, "light"))).toEqual([other, colourOf(artist, 4, "light"), colourOf(artist, 1, "light"), other]);
  expect(colourOf(second, 255, "light")).toEqual(colourOf(artist, 255, "light"));
  const hidden = shownElsewhere(artist, { hidden: new Set([10]), range: null }, rows, second, there);
  expect([0, 1, 2, 3].map(shownCodes(second, hidden)!)).toEqual([false, true, true, false]);

  const later: Column = { ...year, min: 1700, max: 1900, ...lookElsewhere(year, [], null) };
  for (const look of ["light", "dark"] as const) {
    expect(placeOf(later, codeOf(later, 1750))).toBeCloseTo(placeOf(year, codeOf(year, 1750)), 4);
    expect(hex(colourOf(later, 0, look))).toBe(hex(colourOf(year, codeOf(year, 1700), look)));
  }
});

test("what a legend hides is hidden by its name on another map, and a range by its values", () => {
  const rows = legendRows(artist, values, [], 0, "light");
  const there = { values: ["Artist 4", "Artist 1", "Somebody else"], missing: 1 };
  const hidden = shownElsewhere(artist, { hidden: new Set([1, 3, 255]), range: null }, rows, { ...artist, missing: 65535 }, there);
  const shown = shownCodes({ ...artist, missing: 65535, ...lookElsewhere(artist, rows, there) }, hidden)!;
  expect([0, 1, 2, 65535].map(shown)).toEqual([true, false, true, false]);
  const later: Column = { ...year, min: 1000 };
  const { range } = shownElsewhere(year, { hidden: new Set(), range: [0, 65534] }, [], later, null);
  expect(range!.map((code) => Math.round(valueOf(later, code)))).toEqual([1500, 2000]);
});
