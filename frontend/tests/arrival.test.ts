import { beforeEach, expect, test, vi } from "vitest";
import { arrivalView, movedAlong, placesBefore } from "../src/map/arrival";
import type { Tile } from "../src/map/manifest";
import { NOWHERE, PATIENCE_MS } from "../src/map/morph";
import { TileStore } from "../src/map/store";
import { pointAt } from "../src/map/tile";
import { toScreen } from "../src/map/viewport";
import { madeMap } from "./made_map";
import { readBytes } from "./mock/files";

const made = madeMap(30_000);
const { signal } = new AbortController();
const nearby = { x: 0.4, y: 0.6, scale: 20_000, width: 800, height: 600 };

beforeEach(() => void vi.useFakeTimers());

function storeOver(read: (path: string) => Promise<ArrayBuffer>): TileStore {
  const source = { json: () => Promise.reject(new Error()), picture: () => Promise.reject(new Error()), bytes: read };
  return new TileStore(source, made.manifest, { arrived: () => {}, dropped: () => {}, failed: () => {} });
}

const bytesOf = async (path: string) => readBytes(made.files, path)!.slice().buffer;
const places = async ({ count }: Tile) => new Uint16Array(2 * count);

test("all tiles come with their old places", async () => {
  const store = storeOver(bytesOf);
  const known = await placesBefore(store, store.tiles, places, signal);
  expect(known.size).toBe(store.tiles.length);
  expect([...known.keys()].every((points) => known.get(points)!.length === 2 * points.tile.count)).toBe(true);
});

test("a tile without old places, or too late with them, does not keep the others waiting", async () => {
  const store = storeOver(bytesOf);
  const [, failing, late] = store.tiles;
  const from = (tile: Tile): Promise<Uint16Array> => {
    if (tile === failing) return Promise.reject(new Error("away"));
    return tile === late ? new Promise(() => {}) : places(tile);
  };
  const known = placesBefore(store, store.tiles, from, signal);
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  expect((await known).size).toBe(store.tiles.length - 2);
});

test("a map without its first tile is no map to change to", async () => {
  const store = storeOver((path) => (path.includes("0-0-0") ? Promise.reject(new Error("away")) : bytesOf(path)));
  await expect(placesBefore(store, store.tiles, places, signal)).rejects.toThrow("away");
});

test("where nobody wants motion the tiles are waited for and nothing else is asked", async () => {
  const store = storeOver(bytesOf);
  expect((await placesBefore(store, store.tiles, null, signal)).size).toBe(0);
  expect(store.loaded.size).toBe(store.tiles.length);
});

test("a near view goes where the point in its middle has gone, a view of the whole map stays", async () => {
  const store = storeOver(bytesOf);
  const from = async ({ count }: Tile) => {
    const old = new Uint16Array(2 * count).fill(NOWHERE);
    old.set([0.4 * 65534, 0.6 * 65534], 2 * 7);
    return old;
  };
  const [x, y] = pointAt(made.loaded[0]!, 7);
  const view = await arrivalView(store, nearby, from, null, signal);
  expect([view.x, view.y]).toEqual([expect.closeTo(x, 4), expect.closeTo(y, 4)]);
  const whole = { ...nearby, scale: 560 };
  expect(await arrivalView(store, whole, () => Promise.reject(new Error("not asked")), null, signal)).toBe(whole);
});

test("whoever moves the old map while the new one comes stays there", () => {
  const [before, now] = [{ ...nearby, x: 0.5 }, { ...nearby, x: 0.6, y: 0.7, scale: 40_000 }];
  const far = movedAlong(before, before, now);
  expect([far.x, far.y, far.scale].map((part) => Number(part.toFixed(6)))).toEqual([0.6, 0.7, 40_000]);
  const after = movedAlong({ ...before, x: 0.1, y: 0.2 }, before, now);
  expect([after.x, after.y, after.scale].map((part) => Number(part.toFixed(6)))).toEqual([0.2, 0.3, 40_000]);
  expect(movedAlong(nearby, before, before)).toEqual(nearby);
});

test("a near view keeps what is open where it was on the screen", async () => {
  const focus = { before: { x: 0.401, y: 0.602 }, after: { x: 0.7, y: 0.2 } };
  const view = await arrivalView(storeOver(bytesOf), nearby, () => Promise.reject(new Error("not asked")), focus, signal);
  expect(toScreen(view, 0.7, 0.2)).toEqual(toScreen(nearby, 0.401, 0.602).map((pixel) => expect.closeTo(pixel)));
});
