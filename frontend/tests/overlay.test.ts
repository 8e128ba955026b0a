import { expect, test } from "vitest";
import { lineBetween } from "../src/map/overlay";

const box = (left: number, top: number, width: number, height: number) => ({ box: { left, top, width, height } });

test("a line goes from the edge of what is framed to the edge of the other, on the way between their middles", () => {
  expect(lineBetween(box(0, 0, 20, 20), box(100, 0, 40, 20))).toEqual({ x1: 20, y1: 10, x2: 100, y2: 10 });
  expect(lineBetween(box(0, 0, 20, 20), box(0, -100, 20, 20))).toEqual({ x1: 10, y1: 0, x2: 10, y2: -80 });
  expect(lineBetween(box(0, 0, 20, 20), box(40, 40, 20, 20))).toEqual({ x1: 20, y1: 20, x2: 40, y2: 40 });
});

test("what meets or lies at one place has no line between", () => {
  for (const other of [box(5, 5, 20, 20), box(0, 0, 20, 20)]) {
    const { x1, y1, x2, y2 } = lineBetween(box(0, 0, 20, 20), other);
    expect([x2, y2]).toEqual([x1, y1]);
  }
});
