import { expect, test } from "vitest";
import { simplified } from "../src/explorer/simplify";

const turns = (n: number): number[] => Array.from({ length: n }, (_, i) => (i / n) * 2 * Math.PI);
const drawn = (corners: number[][]): Float64Array => Float64Array.from(corners.flat());

/** Even-odd, as the server has it. */
function isInside(x: number, y: number, corners: [number, number][]): boolean {
  let inside = false;
  corners.forEach(([x1, y1], at) => {
    const [x0, y0] = corners.at(at - 1)!;
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
  });
  return inside;
}

test("a lasso of many corners keeps its shape and fits into an address", () => {
  const radius = (turn: number): number => 0.3 * (1 + 0.2 * Math.sin(7 * turn));
  const lasso = turns(3000).map((turn) => [0.5 + radius(turn) * Math.cos(turn), 0.5 + radius(turn) * Math.sin(turn)]);
  const corners = simplified(drawn(lasso));
  expect(corners.length).toBeLessThanOrEqual(100);
  for (const turn of turns(360)) {
    for (const [part, inside] of [[0.98, true], [1.02, false]] as const) {
      const [x, y] = [Math.cos(turn), Math.sin(turn)].map((side) => 0.5 + part * radius(turn) * side);
      expect(isInside(x!, y!, corners)).toBe(inside);
    }
  }
});

test("corners stay and what lies between them goes", () => {
  const square = [[0, 0], [0.5, 0], [1, 0], [1, 0.4], [1, 1], [0, 1], [0, 0.3]];
  expect(simplified(drawn(square))).toEqual([[0, 0], [1, 0], [1, 1], [0, 1]]);
});

test("a region stays one, however thin", () => {
  expect(simplified(drawn([[0, 0], [0.5, 0], [1, 0], [0.5, 0]]))).toHaveLength(3);
  expect(simplified(drawn([[0, 0], [1, 0], [0, 1]]))).toHaveLength(3);
});
