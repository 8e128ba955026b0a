import { expect, test } from "vitest";
import { Flags } from "../src/map/flags";
import { countInView } from "../src/map/in_view";
import { pointAt } from "../src/map/tile";
import { visibleBox } from "../src/map/viewport";
import { madeMap } from "./made_map";
import { seeded } from "./mock/random";

const { tiles, loaded, manifest } = madeMap(30_000);
const all = new Map(loaded.map((points, i) => [tiles[i]!, points]));
const random = seeded(7);
const anywhere = () => ({ x: random.uniform(), y: random.uniform(), scale: 500 * 20 ** random.uniform(), width: 900, height: 600 });

test("all points on the screen are counted, also those that are not drawn, and none that is hidden", () => {
  const flags = new Flags(manifest.n);
  const odd = new Uint8Array(Math.ceil(manifest.n / 8)).fill(0b10101010);
  for (const bits of [null, odd]) {
    flags.showOnly(bits);
    for (let turn = 0; turn < 4; turn++) {
      const view = anywhere();
      const { x0, y0, x1, y1 } = visibleBox(view);
      const inside = loaded.flatMap((points) => Array.from({ length: points.tile.count }, (_, i) => [...pointAt(points, i), points.tile.start + i] as const)).filter(([x, y, ordinal]) => x >= x0 && x <= x1 && y >= y0 && y <= y1 && !flags.isHidden(ordinal));
      expect(countInView(tiles, all, flags, view)).toEqual({ count: inside.length, exact: true });
    }
  }
});

test("what is not loaded is estimated, and what is wholly on the screen need not be loaded", () => {
  const flags = new Flags(manifest.n);
  expect(countInView(tiles, new Map(), flags, { x: 0.5, y: 0.5, scale: 500, width: 900, height: 600 })).toEqual({ count: manifest.n, exact: true });
  const half = countInView(tiles, new Map(), flags, { x: 0.25, y: 0.5, scale: 1000, width: 500, height: 1000 });
  expect(half.exact).toBe(false);
  expect(half.count).toBeGreaterThan(manifest.n / 5);
  expect(half.count).toBeLessThan((4 * manifest.n) / 5);
});
