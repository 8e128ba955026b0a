import { expect, test } from "vitest";
import type { Comment, Pin } from "../src/api/together";
import { groupPins, pinLevel, pinOf, placeOf } from "../src/explorer/pins";
import { ago } from "../src/panels/together/words";

const NO_ROWS = new Map();
const IMAGE = { id: "image", layout: "first" };
const CAPTION = { id: "caption", layout: "first" };
const REGION: [number, number][] = [
  [0.2, 0.2],
  [0.4, 0.2],
  [0.4, 0.8],
];

const comment = (id: string, pin: Pin): Comment => ({ id, pin, text: "", author: "", account: true, created_at: "", edited_at: null, mine: false, resolved: false, replies: [] });

test("a pin lies on its own map only, a record wherever it is", () => {
  expect(placeOf({ map: "image", x: 0.1, y: 0.2 }, IMAGE, NO_ROWS)).toEqual({ x: 0.1, y: 0.2 });
  expect(placeOf({ map: "image", x: 0.1, y: 0.2 }, CAPTION, NO_ROWS)).toBeNull();
  expect(placeOf({ row: 3 }, CAPTION, new Map([[3, { x: 0.5, y: 0.6 }]]))).toEqual({ x: 0.5, y: 0.6 });
  expect(placeOf({ row: 3 }, CAPTION, NO_ROWS)).toBeNull();
});

test("a place on an earlier layout of a map has no pin on it, one that names none has", () => {
  const place = { map: "image", x: 0.1, y: 0.2 };
  const placed = [{ ...place, layout: "first" }, { ...place, layout: "second" }, place].map((pin) => placeOf(pin, { ...IMAGE, layout: "second" }, NO_ROWS));
  expect(placed).toEqual([null, { x: 0.1, y: 0.2 }, { x: 0.1, y: 0.2 }]);
});

test("a region has its pin in its middle, a selection has none", () => {
  expect(placeOf({ map: "image", region: REGION }, IMAGE, NO_ROWS)).toEqual({ x: expect.closeTo(0.3) as number, y: 0.5 });
  expect(placeOf({ filter: { tag: "t" } }, IMAGE, NO_ROWS)).toBeNull();
});

test("a selection that is a drawn region is pinned to the region", () => {
  expect(pinOf({ region: REGION, map: "image", layout: "first" })).toEqual({ region: REGION, map: "image", layout: "first" });
  expect(pinOf({ rows: [1] })).toEqual({ filter: { rows: [1] } });
});

test("comments that lie close together share a marker until the map is near enough", () => {
  const places = (pin: Pin) => placeOf(pin, IMAGE, NO_ROWS);
  const all = [comment("a", { map: "image", x: 0.501, y: 0.501 }), comment("b", { map: "image", x: 0.505, y: 0.505 }), comment("c", { map: "image", x: 0.9, y: 0.1 })];
  expect(groupPins(all, places, pinLevel(1)).map(({ ids }) => ids)).toEqual([["a", "b"], ["c"]]);
  expect(groupPins(all, places, pinLevel(64)).map(({ ids }) => ids)).toEqual([["a"], ["b"], ["c"]]);
});

test("no two markers lie on each other", () => {
  const all = Array.from({ length: 300 }, (_, i) => comment(String(i), { map: "image", x: (i * 0.618) % 1, y: (i * 0.414) % 1 }));
  const groups = groupPins(all, (pin) => placeOf(pin, IMAGE, NO_ROWS), pinLevel(2));
  const nearest = Math.min(...groups.flatMap((a, i) => groups.slice(i + 1).map((b) => Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y)))));
  expect(groups.length).toBeGreaterThan(50);
  expect(nearest * 2048).toBeGreaterThanOrEqual(32);
});

test("every comment is in one group, whatever the zoom", () => {
  const all = Array.from({ length: 200 }, (_, i) => comment(String(i), { map: "image", x: (i * 0.618) % 1, y: (i * 0.414) % 1 }));
  for (const k of [0.5, 1, 3, 20_000]) {
    const ids = groupPins(all, (pin) => placeOf(pin, IMAGE, NO_ROWS), pinLevel(k)).flatMap((group) => group.ids);
    expect(new Set(ids).size).toBe(200);
    expect(ids.length).toBe(200);
  }
});

test.each([
  [5, "just now"],
  [130, "2 minutes ago"],
  [3 * 3600, "3 hours ago"],
  [86_400, "yesterday"],
  [40 * 86_400, "2026-01-01"],
])("%i seconds ago is %s", (seconds, words) => {
  const then = "2026-01-01T00:00:00Z";
  expect(ago(then, Date.parse(then) + seconds * 1000)).toBe(words);
});
