import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MapRecord } from "../src/api/maps";
import type { MapConfig, MapEntry } from "../src/config";
import { Explorer } from "../src/explorer/explorer.svelte";
import { Unseen, type Surface } from "../src/explorer/surface";
import type { MapView } from "../src/map/map_view";
import type { OpenedMap } from "../src/open_map";
import { NO_LINK } from "../src/url";

const entries = ["image", "caption"].map((space) => ({ id: space, space, version: "1" })) as unknown as MapEntry[];
const config = { dataset: { id: "d", columns: [] }, maps: entries } as unknown as MapConfig;
const record = (row: number) => ({ row, ordinal: row, x: 0.5, y: 0.5 }) as MapRecord;
const answer = (body: unknown) => new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });

/** What the server answers to an address, and when. */
let answers: (url: string) => Promise<unknown>;

beforeEach(() => {
  vi.stubGlobal("innerWidth", 500);
  vi.stubGlobal("document", { documentElement: { dataset: { theme: "light" } }, cookie: "", querySelector: () => null, addEventListener: () => undefined, createElement: () => ({ parentElement: { parentElement: { dataset: {} } }, getAttribute: () => "Map", setAttribute: () => undefined }) });
  vi.stubGlobal("matchMedia", () => ({ addEventListener: () => undefined }));
  vi.stubGlobal("fetch", async (url: string) => answer(await answers(url)));
  answers = async (url) => (url.includes("tags") ? { tags: [] } : { records: [] });
});
afterEach(() => void vi.unstubAllGlobals());

const opened = (entry: MapEntry): OpenedMap =>
  ({ entry, view: new Unseen(10), drawn: false, manifest: { n: 10, columns: [], embedded: null }, failed: false, labels: () => Promise.resolve({ topics: [] }) }) as unknown as OpenedMap;

type Open<View extends Surface = Surface> = (entry: MapEntry) => Promise<OpenedMap<View>>;

function made(reopen: Open, openBeside: Open<MapView> | null = null): Explorer {
  const explorer = new Explorer(config, reopen, openBeside);
  explorer.adopt(opened(entries[0]!));
  return explorer;
}

const rowOf = (url: string): number => Number(/records\/(\d+)\?/.exec(url)?.[1]);

test("another map can be chosen after one that could not be shown", async () => {
  const explorer = made((entry) => Promise.resolve({ ...opened(entry), view: undefined } as unknown as OpenedMap));
  await expect(explorer.switchTo("caption")).rejects.toThrow();
  expect(explorer.switching).toBe(false);
});

test("the record that was asked for last is the one that opens", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  let late!: (record: MapRecord) => void;
  answers = (url) => {
    if (rowOf(url) === 1) return new Promise((resolve) => (late = resolve));
    return Promise.resolve(rowOf(url) ? record(rowOf(url)) : { records: [] });
  };
  const first = explorer.detail.openRow(1);
  await explorer.detail.openRow(2);
  late(record(1));
  await first;
  expect(explorer.detail.opened?.record.row).toBe(2);
});

test("a record that comes after the drawer was closed stays closed", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  let late!: (record: MapRecord) => void;
  answers = () => new Promise((resolve) => (late = resolve));
  const opening = explorer.detail.openRow(1);
  explorer.detail.close();
  late(record(1));
  await opening;
  expect(explorer.detail.opened).toBeNull();
});

test("what was opened while another map was on its way is open on it", async () => {
  let arrived!: (map: OpenedMap) => void;
  const explorer = made(() => new Promise((resolve) => (arrived = resolve)));
  answers = (url) => Promise.resolve(rowOf(url) ? record(rowOf(url)) : { records: [] });
  const switching = explorer.switchTo("caption");
  await explorer.detail.openRow(7);
  arrived(opened(entries[1]!));
  await switching;
  expect([explorer.stage.entry.space, explorer.detail.opened?.record.row]).toEqual(["caption", 7]);
});

test("the card of a map goes with the map", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  explorer.detail.card = { record: record(1), at: { ordinal: 1, x: 0.5, y: 0.5 }, view: explorer.stage.view };
  explorer.adopt(opened(entries[1]!));
  expect(explorer.detail.card).toBeNull();
});

test("what comes for a second map that was closed is neither shown nor told", async () => {
  const told: string[] = [];
  const late: { resolve: (labels: unknown) => void; reject: (error: Error) => void }[] = [];
  const second = (entry: MapEntry): OpenedMap<MapView> => {
    const view = Object.assign(new Unseen(10), { setLabels: () => told.push("labels"), close: () => undefined });
    const asked = () => new Promise((resolve, reject) => void late.push({ resolve, reject }));
    return { ...opened(entry), view, labels: asked, sheets: asked, close: () => undefined } as unknown as OpenedMap<MapView>;
  };
  const explorer = made((entry) => Promise.resolve(opened(entry)), (entry) => Promise.resolve(second(entry)));
  await explorer.beside.show("caption");
  explorer.detail.card = { record: record(1), at: { ordinal: 1, x: 0.5, y: 0.5 }, view: explorer.beside.map!.view };
  explorer.beside.close();
  late[0]!.resolve({ topics: [] });
  late[1]!.reject(new Error("It failed."));
  await new Promise((resolve) => setTimeout(resolve));
  expect([told, explorer.stage.error, explorer.detail.card]).toEqual([[], null, null]);
});

test("of two links that are followed at once the last one counts", async () => {
  const arrived: (() => void)[] = [];
  const explorer = made((entry) => new Promise((resolve) => void arrived.push(() => resolve(opened(entry)))));
  const first = explorer.follow({ ...NO_LINK, map: "caption", record: 1 });
  await vi.waitFor(() => expect(arrived).toHaveLength(1));
  const last = explorer.follow({ ...NO_LINK, map: "image" });
  arrived[0]!();
  await vi.waitFor(() => expect(arrived).toHaveLength(2));
  arrived[1]!();
  await Promise.all([first, last]);
  expect([explorer.stage.entry.space, explorer.detail.opened]).toEqual(["image", null]);
});

test("a link that is slow to open its record leaves what was selected meanwhile", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  let late!: (record: MapRecord) => void;
  answers = (url) => (rowOf(url) ? new Promise((resolve) => (late = resolve)) : Promise.resolve({ records: [], count: 1, bits: btoa("\x01\0") }));
  const following = explorer.follow({ ...NO_LINK, record: 1 });
  await vi.waitFor(() => expect(late).toBeDefined());
  await explorer.selection.set({ rows: [0] });
  late(record(1));
  await following;
  expect([explorer.detail.opened?.record.row, explorer.selection.filter]).toEqual([1, { rows: [0] }]);
});

test("a link with a place stays there, whatever its record covers", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  const reveal = vi.fn();
  Object.assign(explorer.stage.view.mover, { reveal });
  answers = (url) => Promise.resolve(rowOf(url) ? record(rowOf(url)) : { records: [] });
  await explorer.follow({ ...NO_LINK, record: 1, camera: { x: 0.5, y: 0.5, k: 2 } });
  expect(reveal).not.toHaveBeenCalled();
  await explorer.follow({ ...NO_LINK, record: 2 });
  expect(reveal).toHaveBeenCalledTimes(1);
});
