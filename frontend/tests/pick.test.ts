import { expect, test } from "vitest";
import { nearestPoint } from "../src/map/pick";
import { pointAt } from "../src/map/tile";
import { nextPoint } from "../src/map/walk";
import { madeMap } from "./made_map";
import { seeded } from "./mock/random";

const made = madeMap(40_000);
const drawn = made.loaded.map((points) => ({ points, drawn: points.tile.count }));
const places = made.loaded.flatMap((points) =>
  Array.from({ length: points.tile.count }, (_, i) => [points.tile.start + i, ...pointAt(points, i)] as const),
);

test("picking agrees with looking at every point", () => {
  const random = seeded(5);
  for (let turn = 0; turn < 200; turn++) {
    const [x, y] = [random.uniform(), random.uniform()];
    const radius = 0.02 * random.uniform();
    let best: number | null = null;
    let bestSquare = radius ** 2;
    for (const [ordinal, px, py] of places) {
      const square = (px - x) ** 2 + (py - y) ** 2;
      if (square < bestSquare || (square === bestSquare && best === null)) [best, bestSquare] = [ordinal, square];
    }
    expect(nearestPoint(drawn, x, y, radius, () => true)?.ordinal ?? null).toBe(best);
  }
});

test("points that are not drawn or not accepted are not picked", () => {
  const [ordinal, x, y] = places[20_000]!;
  expect(nearestPoint(drawn, x, y, 0.001, () => true)?.ordinal).toBe(ordinal);
  expect(nearestPoint(drawn, x, y, 0.001, (other) => other !== ordinal)?.ordinal).not.toBe(ordinal);
  const none = drawn.map(({ points }) => ({ points, drawn: 0 }));
  expect(nearestPoint(none, x, y, 0.5, () => true)).toBeNull();
});

test("walking goes to a point in the arrow's quarter", () => {
  const from = { x: 0.5, y: 0.5 };
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as [number, number][]) {
    const found = nextPoint(drawn, from, [dx, dy], 1, () => true)!;
    const [x, y] = [found.x - from.x, found.y - from.y];
    expect(x * dx + y * dy).toBeGreaterThanOrEqual(Math.abs(x * dy - y * dx));
  }
});
