import { expect, test } from "vitest";
import { shownRamp } from "../src/legend";
import { colourOf, hex } from "../src/map/colours";
import { fitted } from "../src/map/fitted";
import type { Column } from "../src/map/manifest";
import { layCaption, type Caption, type PictureLegend } from "../src/map_picture";
import { overlaps } from "./overlaps";

const widthOf = (words: string): number => 7 * words.length;
const rows = Array.from({ length: 40 }, (_, i) => ({ name: `${"A painter ".repeat(i % 5)}${i}`, colours: [`#0000${10 + i}`] }));
const ramp = { colours: ["#000000", "#ffffff"], from: "1850", to: "1920" };
const caption = (legend: PictureLegend | null, title = "Pomological watercolours"): Caption => ({ title, day: "May 1, 2026", legend });
const LEGENDS: Record<string, PictureLegend | null> = {
  none: null,
  rows: { name: "Artist", ramp: null, rows },
  ramp: { name: "Year", ramp, rows: [] },
  "the longest names": { name: "x".repeat(500), ramp: null, rows: [{ name: "y".repeat(9000), colours: ["#123456"] }] },
};

test.each(Object.keys(LEGENDS).flatMap((name) => [360, 1280].map((width) => [name, width] as const)))(
  "beneath a map with a legend of %s, %i pixels wide, nothing overlaps or runs off",
  (name, width) => {
    const { height, pieces } = layCaption(caption(LEGENDS[name]!, "Watercolours of fruits and nuts that grew before 1942"), width, widthOf);
    expect(overlaps(pieces.map((piece) => ({ ...piece, height: 24 })))).toBe(0);
    for (const piece of pieces) {
      expect(piece.left).toBeGreaterThanOrEqual(20);
      expect(piece.left + piece.width).toBeLessThanOrEqual(width - 20);
      expect(piece.top + 24).toBeLessThanOrEqual(height - 20);
    }
  },
);

test("a legend has every colour that is handed in, each before its name on the same line", () => {
  const { pieces } = layCaption(caption(LEGENDS["rows"]!), 360, widthOf);
  rows.forEach(({ colours }) => {
    const at = pieces.findIndex((piece) => "colours" in piece && piece.colours[0] === colours[0]);
    const [dot, name] = [pieces[at]!, pieces[at + 1]!];
    expect([name.top, name.left]).toEqual([dot.top, dot.left + 17]);
  });
});

test("the day stands at the right end of the title's line, below it where there is no room", () => {
  const at = (width: number) => layCaption(caption(null), width, widthOf).pieces.map(({ left, width: wide, top }) => [left + wide, top]);
  expect(at(800)[1]).toEqual([780, at(800)[0]![1]]);
  expect(at(250)[1]![1]).toBeGreaterThan(at(250)[0]![1]!);
});

test("as much of a name is left as there is room for, and never half a sign", () => {
  expect(fitted("cherries", 56, widthOf)).toBe("cherries");
  expect(fitted("cherries", 55, widthOf)).toBe("cherri…");
  expect(fitted("on a branch", 36, widthOf)).toBe("on a…");
  expect(fitted("🍒🍒🍒", 24, widthOf)).toBe("🍒…");
  expect(fitted("cherries", 1, widthOf)).toBe("…");
});

test("of a ramp that part is in the picture which the legend shows, with the values at its ends", () => {
  const year: Column = { key: "year", name: "Year", kind: "number", type: "u16", missing: 65535, min: 1500, max: 2000, scale: "linear" };
  const end = (code: number) => hex(colourOf(year, code, "light"));
  const whole = shownRamp(year, null, null, "light");
  expect([whole.from, whole.to, whole.colours[0], whole.colours.at(-1)]).toEqual(["1500", "2000", end(0), end(65534)]);
  const part = shownRamp(year, null, [13107, 32767], "light");
  expect([part.from, part.to, part.colours[0], part.colours.at(-1)]).toEqual(["1600", "1750", end(13107), end(32767)]);
  const bright: Column = { ...year, key: "bright", min: 0, max: 0.5 };
  expect(shownRamp(bright, null, [13107, 32767], "dark")).toMatchObject({ from: "0.1", to: "0.25" });
  expect(shownRamp({ ...year, kind: "date", min: 0, max: 86_400 * 365 }, null, null, "dark")).toMatchObject({ from: "1970-01-01", to: "1971-01-01" });
});
