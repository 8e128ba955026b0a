import { expect, test } from "vitest";
import { isNear, keepingFocus, Morph, MORPH_MS, nearestBefore, NOWHERE } from "../src/map/morph";
import type { TilePoints } from "../src/map/tile";
import { pointAt } from "../src/map/tile";
import { toScreen } from "../src/map/viewport";
import { madeMap } from "./made_map";

const view = { x: 0.4, y: 0.6, scale: 20_000, width: 800, height: 600 };

test("the focus stays at its place on the screen", () => {
  const focus = { before: { x: 0.41, y: 0.595 }, after: { x: 0.7, y: 0.2 } };
  const after = keepingFocus(view, focus);
  expect(after.scale).toBe(view.scale);
  const [sx, sy] = toScreen(view, 0.41, 0.595);
  const [tx, ty] = toScreen(after, 0.7, 0.2);
  expect([tx, ty]).toEqual([expect.closeTo(sx, 6), expect.closeTo(sy, 6)]);
});

test("a view of the whole map has no focus to keep", () => {
  expect(isNear({ ...view, scale: 560 })).toBe(false);
  expect(isNear(view)).toBe(true);
});

test("what was nearest to the middle is found among the points that were on the old map", () => {
  const points = madeMap(100).loaded[0]!;
  const from = new Uint16Array(200).fill(NOWHERE);
  from.set([0.3 * 65534, 0.6 * 65534], 2 * 17);
  from.set([0.39 * 65534, 0.61 * 65534], 2 * 42);
  const focus = nearestBefore(points, from, view)!;
  const [x, y] = pointAt(points, 42);
  expect(focus.after).toEqual({ x, y });
  expect(focus.before.x).toBeCloseTo(0.39, 4);
  expect(nearestBefore(points, new Uint16Array(200).fill(NOWHERE), view)).toBeNull();
});

test("a morph goes from the old view to the new one and says when it has ended, once", () => {
  let ended = 0;
  const after = { ...view, x: 0.8, scale: 80_000 };
  const morph = new Morph(view, after, new Map(), () => ended++);
  expect(morph.at(1000)).toEqual({ way: 0, view: { ...after, x: 0.4, scale: 20_000 } });
  const middle = morph.at(1000 + MORPH_MS / 2)!;
  expect(middle.way).toBeCloseTo(0.5, 6);
  expect(middle.view.scale).toBeCloseTo(40_000, 3);
  expect(ended).toBe(0);
  expect(morph.at(1000 + MORPH_MS)).toBeNull();
  expect(ended).toBe(1);
});

test("a tile whose old places are not known has none", () => {
  const [points, other] = [{} as TilePoints, {} as TilePoints];
  const places = new Uint16Array([1, 2]);
  const morph = new Morph(view, view, new Map([[points, places]]), () => {});
  expect(morph.from(points)).toBe(places);
  expect(morph.from(other)).toBeNull();
});
