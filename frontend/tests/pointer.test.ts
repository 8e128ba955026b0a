import { expect, test } from "vitest";
import { Marks } from "../src/map/marks";
import { Mover } from "../src/map/mover";
import type { Found } from "../src/map/pick";
import { Pointer } from "../src/map/pointer";
import type { DrawnTile } from "../src/map/points_pass";
import { STEPS, type TilePoints } from "../src/map/tile";
import { UNCOVERED, type Inset } from "../src/map/viewport";

/** One tile with points at these places. */
function tileWith(places: [number, number][]): TilePoints {
  const at = new Uint16Array(places.flat().map((part) => part * STEPS));
  const tile = { index: 0, z: 0, x: 0, y: 0, start: 0, count: places.length, children: [] };
  return { tile, cuts: new Uint32Array(16).fill(places.length), at, low: null, columns: new Map() };
}

function pointerOn(drawn: DrawnTile[], marks: Marks, inset: Inset = UNCOVERED): { pointer: Pointer; mover: Mover; walked: (Found | null)[] } {
  const walked: (Found | null)[] = [];
  const mover = new Mover(1000, 1000, () => inset, () => undefined, undefined);
  mover.set({ x: 0.5, y: 0.5, scale: 1000, width: 1000, height: 1000 });
  const nothing = (): void => undefined;
  const events = { hover: nothing, walk: (found: Found | null) => walked.push(found), click: nothing, open: nothing, drawing: nothing, region: nothing };
  return { pointer: new Pointer(mover, marks, { drawn: () => drawn, pictureAt: () => null }, events), mover, walked };
}

test("a point that counts is met and walked to where the sample of the others leaves it out", () => {
  const points = tileWith([[0.3, 0.5], [0.9, 0.5], [0.7, 0.5]]);
  const marks = new Marks(3, () => null);
  marks.flags.selectBits(new Uint8Array([0b100]));
  const first = { solid: 1, fading: 1, alpha: 0 };
  const { pointer, walked } = pointerOn([{ points, prefix: first, lit: { solid: 3, fading: 3, alpha: 0 } }], marks);

  expect([300, 700, 900].map((x) => pointer.find(x, 500)?.ordinal)).toEqual([0, 2, undefined]);
  pointer.keyHandlers().walk(1, 0);
  expect(walked.map((found) => found?.ordinal)).toEqual([2]);
});

test("walking begins in the free part of the screen, and brings what it meets out from under a panel", () => {
  const points = tileWith([[0.7, 0.5], [0.55, 0.5], [0.15, 0.5]]);
  const drawn = [{ points, prefix: { solid: 3, fading: 3, alpha: 0 } }];
  const { pointer, mover, walked } = pointerOn(drawn, new Marks(3, () => null), { left: 304, top: 72, right: 72, bottom: 0 });
  const { walk } = pointer.keyHandlers();
  // The middle of what is free is at 616 pixels.
  walk(1, 0);
  walk(-1, 0);
  walk(-1, 0);
  expect(walked.map((found) => found?.ordinal)).toEqual([0, 1, 2]);
  const [x, y] = mover.screen(walked[2]!.x, walked[2]!.y);
  expect([x > 304, x < 928, y > 72]).toEqual([true, true, true]);
});
