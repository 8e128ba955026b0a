import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { prefix } from "../src/map/lod";
import type { SheetIndex } from "../src/map/manifest";
import type { PictureStyle } from "../src/map/pictures_pass";
import type { PictureMarks } from "../src/map/picture_marks";
import type { MapSource } from "../src/map/source";
import { Thumbnails } from "../src/map/thumbnails";
import { scaleOf, type Viewport } from "../src/map/viewport";
import { madeMap } from "./made_map";

const made = madeMap(30_000);
const index = made.json<SheetIndex>("thumbs/index.json");
const points = made.loaded.map((points) => ({ points, prefix: prefix(points.cuts, 0) }));
const STYLE = { ratio: 1, paper: [1, 1, 1], rim: [0, 0, 0], selected: [0, 0, 0], hit: [0, 0, 0] } as PictureStyle;
/** A filter hides some record that is not looked at. */
const MARKS = { flags: { hidden: 1, revision: 0, isSelected: () => false }, part: 1, isVisible: () => true, isLit: () => true, isHit: () => false };
const MARKED: PictureMarks = MARKS;
/** Answers every call with something true. */
const GLASS = new Proxy({}, { get: () => () => ({}) }) as WebGL2RenderingContext;

let asked: string[];
let closed: number;
let missing: RegExp;
let singles: number[];
let thumbnails: Thumbnails | null = null;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  [asked, closed, missing, singles] = [[], 0, /nothing/, []];
});

afterEach(() => {
  thumbnails!.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const bytesOf = (path: string): ArrayBuffer => {
  asked.push(path);
  if (missing.test(path)) throw new Error("away");
  return (made.files.get(path) as Uint8Array).slice().buffer as ArrayBuffer;
};

const FILES = {
  bytes: async (path: string) => bytesOf(path),
  picture: async () => ({ width: 1024, height: 1024, close: () => closed++ }),
} as unknown as MapSource;

function shown(layers: number, sheets = index): Thumbnails {
  thumbnails = new Thumbnails(FILES, sheets, 30_000, layers, () => undefined, () => undefined);
  thumbnails.mode = "always";
  thumbnails.source = async (ordinals) => (singles.push(...ordinals), ordinals.map(() => null));
  thumbnails.attach(GLASS);
  return thumbnails;
}

/** So long frame after frame. */
async function look(view: Viewport, seconds: number): Promise<void> {
  for (let frame = 0; frame < 4 * seconds; frame++) {
    thumbnails!.draw(view, performance.now(), STYLE, MARKED, points);
    await vi.advanceTimersByTimeAsync(250);
  }
}

const viewAt = (x: number, y: number, k: number, width = 1280): Viewport => ({ x, y, scale: scaleOf(k), width, height: 800 });

test("single pictures fill in once it is clear that a sheet does not come, also where as many sheets are kept as ever", async () => {
  shown(1);
  await look(viewAt(0.75, 0.75, 2.5, 100), 2);
  expect(singles.length).toBeGreaterThan(0);
  missing = /thumbs\/1-0-0/;
  singles.length = 0;
  await look(viewAt(0.25, 0.25, 2.5, 100), 2);
  expect(singles).toEqual([]);
  await look(viewAt(0.25, 0.25, 2.5, 100), 10);
  expect(singles.length).toBeGreaterThan(0);
});

test("a sheet of no pictures has no files, and is not asked for", async () => {
  const { count, children } = index.sheets;
  shown(16, { ...index, sheets: { count: count.map((each, i) => (i === 0 ? 0 : each)), children } });
  await look(viewAt(0.5, 0.5, 1), 2);
  expect(asked).toEqual([]);
  expect(thumbnails!.pending).toBe(false);
  expect(singles.length).toBeGreaterThan(0);
});

test("where there is room for some of the sheets only, those in the middle of the screen are there", async () => {
  shown(2);
  await look({ ...viewAt(0.9, 0.9, 8), width: 4096 }, 2);
  expect(asked.length).toBe(2);
  const middles = asked.map((path) => /(\d+)-(\d+)-(\d+)/.exec(path)!.slice(1).map(Number)).map(([z, x, y]) => [(x! + 0.5) / 2 ** z!, (y! + 0.5) / 2 ** z!]);
  for (const [x, y] of middles) expect(Math.hypot(x! - 0.9, y! - 0.9)).toBeLessThan(0.15);
});

test("sheets of the next level do not throw each other out where those of the level before take up the room", async () => {
  const slow = vi.spyOn(FILES, "picture").mockImplementation(async () => {
    await new Promise((resolve) => setTimeout(resolve, 600));
    return { width: 1024, height: 1024, close: () => closed++ } as unknown as ImageBitmap;
  });
  shown(8);
  const wide = (k: number): Viewport => ({ ...viewAt(0.5, 0.5, k), width: 4096, height: 2400 });
  await look(wide(3), 5);
  expect(asked.length).toBe(4);
  await look(wide(6), 10);
  slow.mockRestore();
  expect([asked.length, new Set(asked).size]).toEqual([12, 12]);
  expect(thumbnails!.pending).toBe(false);
});

test("a sheet is kept on the GPU only, and fetched again for a new context", async () => {
  shown(16);
  const view = viewAt(0.5, 0.5, 1);
  await look(view, 1);
  expect([asked.length, closed]).toEqual([1, 1]);
  thumbnails!.attach(GLASS);
  await look(view, 1);
  expect([asked.length, closed]).toEqual([2, 2]);
});
