import { expect, test } from "vitest";
import { coveringTiles } from "../src/map/cover";
import { octave, prefix, sampleSize } from "../src/map/lod";
import { tileOf, walkTiles } from "../src/map/manifest";
import { pointAt, readTile } from "../src/map/tile";
import { fitted } from "../src/map/viewport";
import { madeMap } from "./made_map";

const made = madeMap(60_000);

test("places and starts of the tiles follow from their order", () => {
  const tiles = walkTiles({ count: [10, 3, 4, 2], children: [9, 0, 2, 0] });
  expect(tiles.map(({ z, x, y, start }) => [z, x, y, start])).toEqual([
    [0, 0, 0, 0],
    [1, 0, 0, 10],
    [1, 1, 1, 13],
    [2, 3, 2, 17],
  ]);
});

test("a tile list that does not fit its masks is refused", () => {
  expect(() => walkTiles({ count: [1, 1, 1], children: [1, 0, 0] })).toThrow(/disagree/);
});

test("an empty map has no tiles", () => {
  expect(walkTiles({ count: [], children: [] })).toEqual([]);
  expect(coveringTiles([], [], fitted(800, 600), 1000)).toEqual([]);
});

test("every point is read where it was written", () => {
  for (const points of made.loaded) {
    for (let i = 0; i < points.tile.count; i += 97) {
      const rank = made.rankOf[points.tile.start + i]!;
      const [x, y] = pointAt(points, i);
      const step = 2 ** -points.tile.z / 65536;
      expect(Math.abs(x - made.points.x[rank]!)).toBeLessThanOrEqual(step / 2);
      expect(Math.abs(y - made.points.y[rank]!)).toBeLessThanOrEqual(step / 2);
    }
  }
});

test("the low plane makes a place 256 times as exact", () => {
  const points = made.loaded[0]!;
  const name = `t/${points.tile.z}-${points.tile.x}-${points.tile.y}.low`;
  const exact = { ...points, low: made.files.get(name) as Uint8Array };
  for (let i = 0; i < 500; i++) {
    const rank = made.rankOf[i]!;
    expect(Math.abs(pointAt(exact, i)[0] - made.points.x[rank]!)).toBeLessThanOrEqual(1 / 65536 / 256 / 2 + 1e-12);
  }
});

test("another version's tile and a cut-off tile are refused", () => {
  const tile = made.tiles[0]!;
  const bytes = (made.files.get("t/0-0-0.atm") as Uint8Array).slice();
  expect(() => readTile({ ...tile, start: 5 }, bytes.buffer, null)).toThrow(/another version/);
  expect(() => readTile(tile, bytes.slice(0, 1000).buffer, null)).toThrow(RangeError);
  bytes[0] = 0;
  expect(() => readTile(tile, bytes.buffer, null)).toThrow(/no tile/);
});

test("an ordinal is found in its tile", () => {
  for (const tile of made.tiles) {
    expect(tileOf(made.tiles, tile.start)).toBe(tile);
    expect(tileOf(made.tiles, tile.start + tile.count - 1)).toBe(tile);
  }
  expect(tileOf(made.tiles, made.manifest.n)).toBeNull();
});

test("the drawn sample is exactly the points of low rank, everywhere", () => {
  for (const o of [0, 1, 2.4, 3]) {
    const drawn = made.loaded.flatMap((points) => {
      const { solid } = prefix(points.cuts, o);
      return Array.from({ length: solid }, (_, i) => made.rankOf[points.tile.start + i]!);
    });
    const limit = made.manifest.n >> Math.ceil(o);
    expect(drawn.length).toBe(limit);
    expect(Math.max(...drawn)).toBe(limit - 1);
  }
});

test("nearer views want more points, up to all of them", () => {
  expect(octave(1_000_000, sampleSize(250_000, 1))).toBe(2);
  expect(octave(1_000_000, sampleSize(250_000, 4))).toBe(0);
  expect(octave(1000, 250_000)).toBe(0);
});

test("the fading octave comes in as the zoom grows", () => {
  const cuts = new Uint32Array([100, 50, 25, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(prefix(cuts, 1.25)).toEqual({ solid: 25, fading: 50, alpha: 0.75 });
  expect(prefix(cuts, 2)).toEqual({ solid: 25, fading: 25, alpha: 0 });
});

test("only tiles on the screen and within the sample are wanted, the coarsest first", () => {
  const view = { ...fitted(800, 600), x: 0.2, y: 0.2, scale: 8000 };
  const all = coveringTiles(made.tiles, made.manifest.tiles.rank, view, made.manifest.n);
  expect(all.length).toBeLessThan(made.tiles.length);
  expect(all[0]).toBe(made.tiles[0]);
  expect(all.map((tile) => tile.z)).toEqual(all.map((tile) => tile.z).sort());
  expect(coveringTiles(made.tiles, made.manifest.tiles.rank, view, 1000)).toEqual([made.tiles[0]]);
});
