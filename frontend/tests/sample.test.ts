import { expect, test } from "vitest";
import { Budget } from "../src/map/budget";
import { tileOf, type Tile } from "../src/map/manifest";
import { Marks } from "../src/map/marks";
import { Sampler } from "../src/map/sample";
import type { TileStore } from "../src/map/store";
import type { TilePoints } from "../src/map/tile";
import { fitted } from "../src/map/viewport";
import { madeMap } from "./made_map";

const made = madeMap(60_000);
const { n } = made.manifest;
const whole = fitted(400, 700);
/** Ten records that a sample has last, none of them in the last tile. */
const last = [...made.rankOf.keys()].sort((a, b) => made.rankOf[b]! - made.rankOf[a]!);
const rare = last.filter((ordinal) => tileOf(made.tiles, ordinal)!.index < 4).slice(0, 10);

/** A map on a machine that draws a thousand points; `wanted`: the tiles that were asked for. */
function small(): { marks: Marks; sampler: Sampler; wanted: Set<Tile> } {
  const wanted = new Set<Tile>();
  const loaded = new Map<Tile, TilePoints>(made.loaded.map((points) => [points.tile, points]));
  const tiles = made.loaded.map(({ tile }) => tile);
  const store = { tiles, loaded, manifest: made.manifest, want: (asked: Tile[]) => asked.forEach((tile) => wanted.add(tile)) };
  const marks = new Marks(n, () => null);
  return { marks, sampler: new Sampler(store as unknown as TileStore, marks, new Budget(1000)), wanted };
}

const bitsOf = (ordinals: number[]): Uint8Array => {
  const bits = new Uint8Array(Math.ceil(n / 8));
  for (const ordinal of ordinals) bits[ordinal >> 3]! |= 1 << (ordinal & 7);
  return bits;
};

const drawn = (sampler: Sampler, of: "prefix" | "lit"): Set<number> =>
  new Set(sampler.choose(whole).flatMap(({ points, prefix, lit }) => {
    const { solid } = (of === "lit" && lit) || prefix;
    return Array.from({ length: solid }, (_, i) => points.tile.start + i);
  }));

test("all of the few that a filter leaves are drawn, however few of all points are", () => {
  const { marks, sampler, wanted } = small();
  expect(drawn(sampler, "prefix").size).toBeLessThan(2000);
  marks.flags.showOnly(bitsOf(rare));
  const shown = drawn(sampler, "prefix");
  expect(rare.filter((ordinal) => !shown.has(ordinal))).toEqual([]);
  expect([...wanted].map(({ index }) => index).sort()).toEqual([0, 1, 2, 3].filter((index) => index === 0 || rare.some((ordinal) => tileOf(made.tiles, ordinal)!.index === index)));
});

test("all of a small selection is drawn, on a ground that is as even as before", () => {
  const { marks, sampler } = small();
  marks.flags.selectBits(bitsOf(rare));
  const lit = drawn(sampler, "lit");
  expect(rare.filter((ordinal) => !lit.has(ordinal))).toEqual([]);
  const ranks = [...drawn(sampler, "prefix")].map((ordinal) => made.rankOf[ordinal]!);
  expect(Math.max(...ranks)).toBe(ranks.length - 1);
  expect(ranks.length).toBeLessThan(8000);
});

test("of a rare value that the legend leaves alone much more is drawn than of all", () => {
  const { marks, sampler } = small();
  const column = made.manifest.columns.find(({ key }) => key === made.manifest.embedded)!;
  const codes = made.loaded[0]!.columns.get(column.key)!;
  const count = new Map<number, number>();
  for (const code of codes) count.set(code, (count.get(code) ?? 0) + 1);
  const [alone] = [...count].sort(([, a], [, b]) => a - b)[0]!;
  marks.setColumn(column, (code) => code === alone);
  expect(drawn(sampler, "lit").size).toBeGreaterThan(5 * drawn(sampler, "prefix").size);
});

test("all of the few that have a tag are drawn", () => {
  const { marks, sampler } = small();
  const tags = new Uint8Array(n).fill(255);
  for (const ordinal of rare) tags[ordinal] = 0;
  marks.setCodes(tags, { missing: 255 });
  const lit = drawn(sampler, "lit");
  expect(rare.filter((ordinal) => !lit.has(ordinal))).toEqual([]);
});

test("a filter that leaves nothing asks for no more than before", () => {
  const { marks, sampler, wanted } = small();
  sampler.choose(whole);
  const before = wanted.size;
  marks.flags.showOnly(bitsOf([]));
  expect([sampler.choose(whole), wanted.size]).toEqual([[], before]);
});
