import { expect, test } from "vitest";
import { fitted, MAX_ZOOM, panned, scaleOf, toScreen, toWorld, visibleBox, zoomedAt, zoomOf } from "../src/map/viewport";
import { eased, flight } from "../src/map/flight";

const view = { x: 0.4, y: 0.6, scale: 2000, width: 800, height: 600 };

test("screen and world are each other's inverse, also at the deepest zoom", () => {
  for (const scale of [500, 20_000, scaleOf(MAX_ZOOM)]) {
    const deep = { ...view, scale };
    const [x, y] = toWorld(deep, 123.25, 456.5);
    const [sx, sy] = toScreen(deep, x, y);
    expect(sx).toBeCloseTo(123.25, 6);
    expect(sy).toBeCloseTo(456.5, 6);
  }
});

test("y grows upward in the world and downward on the screen", () => {
  expect(toWorld(view, 400, 0)[1]).toBeGreaterThan(toWorld(view, 400, 600)[1]);
});

test("zooming keeps the world point under the cursor", () => {
  const before = toWorld(view, 700, 50);
  const after = toWorld(zoomedAt(view, 700, 50, 3.7), 700, 50);
  expect(after[0]).toBeCloseTo(before[0], 12);
  expect(after[1]).toBeCloseTo(before[1], 12);
});

test("panning moves the world with the hand", () => {
  const [x, y] = toWorld(view, 400, 300);
  const [sx, sy] = toScreen(panned(view, 30, -20), x, y);
  expect([sx, sy].map(Math.round)).toEqual([430, 280]);
});

test("zoom and place stay within limits", () => {
  const deep = zoomedAt(view, 0, 0, 1e12);
  expect(zoomOf(deep)).toBe(MAX_ZOOM);
  const far = zoomedAt(view, 0, 0, 1e-12);
  expect(far.scale).toBe(300);
  expect(panned(view, 1e9, 0).x).toBe(0);
});

test("the fitted view shows the whole world", () => {
  const box = visibleBox(fitted(1280, 720));
  expect(box.x0).toBeLessThan(0);
  expect(box.y1).toBeGreaterThan(1);
});

test("the fitted view lies in the part of the screen that nothing covers", () => {
  const fit = fitted(1280, 720, undefined, { left: 300, top: 80, right: 40, bottom: 140 });
  const [left, top] = toScreen(fit, 0, 0);
  const [right, bottom] = toScreen(fit, 1, 1);
  expect(left).toBeGreaterThan(300);
  expect(right).toBeLessThan(1240);
  expect(top).toBeGreaterThan(80);
  expect(bottom).toBeLessThan(580);
  expect((left + right) / 2).toBeCloseTo(770);
  expect((top + bottom) / 2).toBeCloseTo(330);
});

test("a flight starts and ends where it should and goes out in between", () => {
  const from = { ...view, x: 0.1, y: 0.1, scale: 50_000 };
  const to = { ...view, x: 0.9, y: 0.8, scale: 40_000 };
  const way = flight(from, to);
  expect(way.at(0).scale).toBeCloseTo(from.scale, 3);
  expect(way.at(0).x).toBeCloseTo(from.x, 9);
  expect(way.at(1)).toEqual(to);
  expect(way.at(0.999999).x).toBeCloseTo(to.x, 4);
  expect(way.at(0.5).scale).toBeLessThan(10_000);
  expect(way.duration).toBeGreaterThan(0);
});

test("a flight in place only zooms", () => {
  const way = flight(view, { ...view, scale: 8000 });
  expect(way.at(0.5)).toMatchObject({ x: view.x, y: view.y });
  expect(way.at(0.5).scale).toBeCloseTo(4000, 6);
  expect(eased(0)).toBe(0);
  expect(eased(1)).toBe(1);
});
