import { expect, test } from "vitest";
import { labelBox, uncovered, visibleTopics } from "../src/map/labels";
import type { Labels, Topic } from "../src/map/manifest";
import { scaleOf, type Viewport } from "../src/map/viewport";
import { madeMap } from "./made_map";
import { seeded } from "./mock/random";
import { overlaps } from "./overlaps";

const { topics } = madeMap(30_000).json<Labels>("labels.json");
const random = seeded(9);
const viewOn = (width: number, height: number): Viewport => ({
  x: random.uniform(),
  y: random.uniform(),
  scale: scaleOf(0.6 * 100 ** random.uniform()),
  width,
  height,
});

test.each([[1280, 800], [360, 740]])("no two labels meet in 200 random views of %i × %i pixels", (width, height) => {
  let shown = 0;
  for (let turn = 0; turn < 200; turn++) {
    const view = viewOn(width, height);
    const boxes = visibleTopics(topics, view).map((topic) => labelBox(topic, view));
    shown += boxes.length;
    expect(overlaps(boxes)).toBe(0);
  }
  expect(shown).toBeGreaterThan(100);
});

const wide = { x: 0.5, y: 0.5, w: 200, h: 20 } as Topic;
const view = (x: number): Viewport => ({ x, y: 0.5, scale: 1000, width: 360, height: 740 });

test("a label in the middle has all of its box, one at the edge ends there", () => {
  expect(labelBox(wide, view(0.5))).toEqual({ left: 80, top: 360, width: 200, height: 20 });
  const right = labelBox(wide, view(0.4));
  expect(right.left + right.width).toBe(358);
  expect(right.left).toBeCloseTo(180);
  expect(labelBox(wide, view(0.6)).left).toBe(2);
});

test("a label that is nearly gone runs off the edge and never leaves its box", () => {
  const box = labelBox(wide, view(0.23));
  expect(box.left).toBeCloseTo(350);
  expect(box.width).toBe(44);
  const other = labelBox(wide, view(0.77));
  expect(other.left + other.width).toBeCloseTo(10);
});

test("a label ends where a panel begins, on whichever side more of it is left, and goes where too little is", () => {
  const box = { left: 100, top: 50, width: 200, height: 20 };
  const panel = (left: number, top: number, width: number, height: number) => ({ left, top, width, height });
  const side = panel(0, 0, 140, 400);
  expect(uncovered(box, [])).toEqual(box);
  expect(uncovered(box, [panel(0, 70, 800, 100), panel(300, 0, 50, 400)])).toEqual(box);
  expect(uncovered(box, [side])).toEqual({ ...box, left: 142, width: 158 });
  expect(uncovered(box, [side, panel(250, 60, 50, 400)])).toEqual({ ...box, left: 142, width: 106 });
  expect(uncovered(box, [panel(0, 0, 260, 400)])).toBeNull();
  expect(uncovered(box, [side, panel(170, 0, 50, 400)])).toEqual({ ...box, left: 222, width: 78 });
  expect(uncovered({ ...box, width: 30 }, [panel(200, 0, 50, 400)])).toEqual({ ...box, width: 30 });
});
