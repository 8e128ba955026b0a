/** The map core alone on a page, and what the tests in a browser measure of it: `window.core`. */

import type { Labels, Manifest, SheetIndex } from "../../src/map/manifest";
import { MapView } from "../../src/map/map_view";
import type { MapSource } from "../../src/map/source";
import { pointAt, STEPS } from "../../src/map/tile";
import { overlaps } from "../overlaps";
import { seeded } from "./random";

const BASE = "/maps/map-image/v1/";
const answer = async (path: string) => fetch(BASE + path);
const source: MapSource = {
  json: async (path) => (await answer(path)).json(),
  bytes: async (path) => (await answer(path)).arrayBuffer(),
  picture: async (path) => createImageBitmap(await (await answer(path)).blob()),
};
const random = seeded(4);

const frame = (): Promise<unknown> => new Promise(requestAnimationFrame);

/** Waits until a frame has shown all that the view needs. */
async function settled(view: MapView): Promise<void> {
  await frame();
  await frame();
  while (view.loading) await frame();
  await frame();
}

const lookAnywhere = (view: MapView, nearest: number, farthest: number): void =>
  view.mover.setCamera({ x: random.uniform(), y: random.uniform(), k: farthest * (nearest / farthest) ** random.uniform() });

/** How many labels of so many random views are shown in all, and how many pairs of them overlap, as the page lays them out. */
async function labels(view: MapView, views: number): Promise<{ shown: number; overlapping: number }> {
  const found = { shown: 0, overlapping: 0 };
  for (let turn = 0; turn < views; turn++) {
    lookAnywhere(view, 60, 0.6);
    await frame();
    const boxes = [...document.querySelectorAll(".map-label")].map((label) => label.getBoundingClientRect());
    found.shown += boxes.length;
    found.overlapping += overlaps(boxes);
  }
  return found;
}

/** The same of the pictures at so many zooms, from the overview to far below the deepest sheet. */
async function pictures(view: MapView, zooms: number): Promise<{ shown: number; single: number; overlapping: number }> {
  view.pictures.show("always");
  const found = { shown: 0, single: 0, overlapping: 0 };
  const { x, y } = view["labels"]["topics"][0]!;
  for (let turn = 0; turn < zooms; turn++) {
    const k = 0.6 * 1000 ** (turn / (zooms - 1));
    view.mover.setCamera({ x: x + random.normal() / 40 / k, y: y + random.normal() / 40 / k, k });
    await settled(view);
    await new Promise((resolve) => setTimeout(resolve, 250)); // the old level fades
    await settled(view);
    const thumbnails = view.pictures["thumbnails"]!;
    const { drawn } = thumbnails;
    found.shown += drawn.length;
    found.single += thumbnails["singles"]["chosen"].list.length;
    found.overlapping += overlaps(drawn.map(({ placed }) => placed));
  }
  view.pictures.show("off");
  return found;
}

/** How many single pictures a step away from them takes off the screen, and how much of one goes at most from frame to frame. */
async function leaving(view: MapView): Promise<{ left: number; steepest: number }> {
  view.pictures.show("always");
  const { x, y } = view["labels"]["topics"][0]!;
  view.mover.setCamera({ x, y, k: 600 });
  await settled(view);
  const alphas = () => new Map([...view.pictures["thumbnails"]!["singles"]["kept"]].map(([ordinal, { alpha }]) => [ordinal, alpha]));
  while (![...alphas().values()].includes(1)) await settled(view);
  view.mover.setCamera({ x, y, k: 60 });
  const found = { left: 0, steepest: 0 };
  for (let [turn, before] = [0, alphas()]; turn < 60; turn++) {
    await frame();
    const now = alphas();
    for (const [ordinal, alpha] of before) {
      const left = now.get(ordinal) ?? 0;
      found.steepest = Math.max(found.steepest, alpha - left);
      if (alpha > 0 && left === 0) found.left++;
    }
    before = now;
  }
  view.pictures.show("off");
  return found;
}

/** How far, in pixels, a point strays from where it should be while the nearest view of it moves by parts of a pixel. */
async function stray(view: MapView): Promise<number> {
  const topic = view["labels"]["topics"][0]!;
  view.mover.setCamera({ ...topic, k: 100 });
  await settled(view);
  const { points, prefix } = view["frames"].drawn.findLast(({ prefix }) => prefix.fading > 0)!;
  let [exactX, exactY, off] = [0, 0, 1];
  // Another point near by would be looked at, too, now more of it and now less.
  while (off > 0.5) {
    const place = random.below(prefix.fading);
    const [x, y] = pointAt(points, place);
    view.mover.setCamera({ x, y, k: 20_000 });
    await settled(view);
    [exactX, exactY] = pointAt(points, place);
    const [sx, sy] = view.mover.screen(exactX, exactY);
    const [cx, cy] = inkedNear(view, sx, sy);
    off = Math.hypot(cx - sx, cy - sy);
  }
  const away: [number, number][] = [];
  for (let step = 0; step < 40; step++) {
    const { scale } = view.mover.view;
    view.mover.setCamera({ x: exactX + (0.37 * step) / scale, y: exactY - (0.23 * step) / scale, k: 20_000 });
    const [sx, sy] = view.mover.screen(exactX, exactY);
    const [cx, cy] = inkedNear(view, sx, sy);
    away.push([cx - sx, cy - sy]);
  }
  const [mx, my] = [0, 1].map((part) => away.reduce((sum, each) => sum + each[part]!, 0) / away.length) as [number, number];
  return Math.max(...away.map(([dx, dy]) => Math.hypot(dx - mx, dy - my)));
}

/** The middle of what a frame, drawn now, shows round a place of the screen. */
function inkedNear(view: MapView, sx: number, sy: number): [number, number] {
  const side = 64;
  const [left, top] = [Math.round(sx) - side / 2, Math.round(sy) - side / 2];
  const { gl } = view["glass"];
  view["frames"].draw(performance.now());
  const pixels = new Uint8Array(4 * side * side);
  gl.readPixels(left, gl.drawingBufferHeight - top - side, side, side, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  let [weight, x, y] = [0, 0, 0];
  for (let i = 0; i < side * side; i++) {
    const ink = [0, 1, 2].reduce((sum, part) => sum + Math.abs(pixels[4 * i + part]! - pixels[part]!), 0);
    weight += ink;
    x += ink * (left + (i % side) + 0.5);
    y += ink * (top + side - Math.floor(i / side) - 0.5);
  }
  return [x / weight, y / weight];
}

/** At how many of so many random places a point is met, and at how many it is another than the nearest of all that are drawn. */
async function picks(view: MapView, places: number): Promise<{ met: number; wrong: number }> {
  const found = { met: 0, wrong: 0 };
  const { width, height } = view.mover.view;
  for (let turn = 0; turn < places; turn++) {
    if (turn % 5 === 0) {
      lookAnywhere(view, 30, 0.6);
      await settled(view);
    }
    const place = turn % 2 ? besidePoint(view) : ([width * random.uniform(), height * random.uniform()] as const);
    const picked = view.hitAt(...place)?.ordinal ?? null;
    if (picked !== null) found.met++;
    if (picked !== nearest(view, ...view.mover.world(...place))) found.wrong++;
  }
  return found;
}

/** A few pixels from one of the points that are drawn. */
function besidePoint(view: MapView): readonly [number, number] {
  const drawn = view["frames"].drawn.filter(({ prefix }) => prefix.fading > 0);
  const { points, prefix } = drawn[random.below(drawn.length)]!;
  const [sx, sy] = view.mover.screen(...pointAt(points, random.below(prefix.fading)));
  return [sx + 5 * random.normal(), sy + 5 * random.normal()];
}

/** By looking at every point that is drawn. */
function nearest(view: MapView, x: number, y: number): number | null {
  let best: number | null = null;
  let bestSquare = (10 / view.mover.view.scale) ** 2;
  for (const { points, prefix } of view["frames"].drawn) {
    const { tile, at, low } = points;
    const side = 2 ** tile.z;
    const world = (start: number, i: number) => (start + (at[i]! + (low ? (low[i]! + 0.5) / 256 : 0.5)) / STEPS) / side;
    for (let i = 0; i < prefix.fading; i++) {
      const square = (world(tile.x, 2 * i) - x) ** 2 + (world(tile.y, 2 * i + 1) - y) ** 2;
      if (square >= bestSquare) continue;
      best = tile.start + i;
      bestSquare = square;
    }
  }
  return best;
}

async function start(): Promise<void> {
  const view = new MapView(document.querySelector<HTMLElement>(".map-stage")!, source, (await source.json("manifest.json")) as Manifest);
  view.pictures.setSource(async (ordinals) => ordinals.map((ordinal) => `/pictures/${ordinal}`));
  view.setLabels((await source.json("labels.json")) as Labels);
  view.pictures.setSheets((await source.json("thumbs/index.json")) as SheetIndex);
  view.pictures.show("off");
  await settled(view);
  const core = {
    labels: (views: number) => labels(view, views),
    pictures: (zooms: number) => pictures(view, zooms),
    leaving: () => leaving(view),
    stray: () => stray(view),
    picks: (places: number) => picks(view, places),
  };
  Object.assign(window, { core });
  document.body.dataset["state"] = "ready";
}

void start();
