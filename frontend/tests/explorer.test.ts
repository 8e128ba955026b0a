import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MapRecord } from "../src/api/maps";
import type { MapConfig, MapEntry } from "../src/config";
import { Explorer } from "../src/explorer/explorer.svelte";
import type { Filter } from "../src/filters";
import { Unseen, type Surface } from "../src/explorer/surface";
import type { MapView } from "../src/map/map_view";
import type { OpenedMap } from "../src/open_map";
import { chip } from "../src/query";
import { filterOfRange } from "../src/legend";
import { decodeLink, encodeLink, NO_LINK } from "../src/url";

vi.mock("../src/site/toasts", () => ({ toast: () => undefined }));

const entries = ["image", "caption"].map((space) => ({ id: space, space, version: "1", layout: "1" })) as unknown as MapEntry[];
const config = { dataset: { id: "d", columns: [] }, maps: entries } as unknown as MapConfig;
const record = (row: number) => ({ row, ordinal: row, x: 0.5, y: 0.5 }) as MapRecord;
const answer = (body: unknown) => new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });
const SELECTED = { records: [], total: 0, count: 1, bits: btoa("\x01\0") };

const hits = { hits: [], relevant: 0, cut: null, searched: 9, mode: "words", away: false, without: null, histogram: null, marker: null };
const failing = (status: number) => new Response(JSON.stringify({ detail: "Not now." }), { status, headers: { "Content-Type": "application/json" } });

// A search that nobody waits for may paint after its test.
Object.assign(globalThis, { requestAnimationFrame: (paint: () => void) => setTimeout(paint) });

/** What the server answers to an address, and when. */
let answers: (url: string) => Promise<unknown>;
/** What is sent with the requests. */
let sent: { url: string; body: unknown }[];

beforeEach(() => {
  vi.stubGlobal("innerWidth", 500);
  vi.stubGlobal("document", { documentElement: { dataset: { theme: "light" } }, cookie: "", querySelector: () => null, addEventListener: () => undefined, createElement: () => ({ parentElement: { parentElement: { dataset: {} } }, getAttribute: () => "Map", setAttribute: () => undefined }) });
  vi.stubGlobal("matchMedia", () => ({ addEventListener: () => undefined }));
  sent = [];
  vi.stubGlobal("fetch", async (url: string, { body }: { body: string | null }) => {
    sent.push({ url, body: JSON.parse(body ?? "null") });
    const found = await answers(url);
    return found instanceof Response ? found : answer(found);
  });
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

test("a second map that the browser stops drawing is closed, and that is said", async () => {
  const closed: string[] = [];
  const second = (entry: MapEntry): OpenedMap<MapView> => ({ ...opened(entry), sheets: () => new Promise(() => undefined), close: () => closed.push(entry.space) }) as unknown as OpenedMap<MapView>;
  const explorer = made((entry) => Promise.resolve(opened(entry)), (entry) => Promise.resolve(second(entry)));
  await explorer.beside.show("caption");
  explorer.beside.map!.view.events.emit("lost", true);
  expect([closed, explorer.beside.map, explorer.stage.error]).toEqual([["caption"], null, "The browser has stopped drawing the second map."]);
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

test("a filter, a selection and a record that could not be had are there once they are asked for again", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  const hidden = vi.fn();
  Object.assign(explorer.stage.view, { setHidden: hidden });
  answers = () => Promise.resolve(failing(503));
  await Promise.all([explorer.filters.set("has image", { has: "image" }), explorer.selection.set({ rows: [0] }), explorer.detail.openRow(1)]);
  expect([explorer.selection.filter, explorer.detail.opened, hidden.mock.calls]).toEqual([null, null, []]);
  answers = (url) => Promise.resolve(rowOf(url) ? record(rowOf(url)) : SELECTED);
  explorer.stage.retry();
  await vi.waitFor(() => expect([explorer.selection.filter, explorer.detail.opened?.record.row, explorer.filters.left]).toEqual([{ rows: [0] }, 1, 1]));
  expect(hidden).toHaveBeenCalledOnce();
  expect(explorer.stage.error).toBeNull();
});

const searches = () => sent.filter(({ url }) => url.endsWith("/search")).map(({ body }) => (body as { parts: unknown[] }).parts);

test("a link of which nothing can be had for now says so, and is whole once it is asked for again", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  answers = () => Promise.resolve(failing(503));
  const link = { ...NO_LINK, query: "red", parts: ["row:4"], record: 1, selection: '{"rows":[0]}' };
  expect(await explorer.follow(link)).toBe(false);
  expect([searches(), explorer.stage.error]).toEqual([[], "Not now."]);
  answers = (url) => Promise.resolve(rowOf(url) ? { ...record(rowOf(url)), caption: "Four" } : url.endsWith("/search") ? hits : SELECTED);
  explorer.stage.retry();
  await vi.waitFor(() => expect(explorer.link()).toMatchObject({ query: "red", parts: ["row:4"], record: 1, selection: '{"rows":[0]}' }));
  expect(searches()).toEqual([[{ text: "red", weight: 1 }, { row: 4, weight: 1 }]]);
});

test("a part of a search that is gone is left out, and the link has come", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  answers = (url) => Promise.resolve(url.endsWith("/search") ? hits : url.endsWith("/maps") ? { maps: entries } : failing(404));
  expect(await explorer.follow({ ...NO_LINK, query: "red", parts: ["row:4"] })).toBe(true);
  expect([searches(), explorer.stage.error]).toEqual([[[{ text: "red", weight: 1 }]], "A part of this search is not here any more."]);
});

test("what somebody asks while a link looks up its parts, or waits for its hits, is what is asked", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  const late: ((body: unknown) => void)[] = [];
  answers = () => new Promise((resolve) => void late.push(resolve));
  const { search } = explorer;
  const looking = search.follow({ ...NO_LINK, query: "red", parts: ["row:4"] });
  await vi.waitFor(() => expect(late).toHaveLength(1));
  const asking = search.ask({ text: "blue", chips: [] });
  await vi.waitFor(() => expect(late).toHaveLength(2));
  late.forEach((answer) => answer({ ...hits, ...record(4), caption: "Four" }));
  await Promise.all([looking, asking]);
  expect(searches()).toEqual([[{ text: "blue", weight: 1 }]]);

  const waiting = search.follow({ ...NO_LINK, query: "red", cut: 3 });
  await vi.waitFor(() => expect(late).toHaveLength(3));
  const again = search.ask({ text: "green", chips: [] });
  await vi.waitFor(() => expect(late).toHaveLength(4));
  late.forEach((answer) => answer(hits));
  await Promise.all([waiting, again]);
  expect([search.asked.text, search.moved]).toEqual(["green", null]);
});

test("a link that waits for its filters leaves what was selected meanwhile", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  const late: (() => void)[] = [];
  answers = () => new Promise((resolve) => void late.push(() => resolve(SELECTED)));
  const following = explorer.follow({ ...NO_LINK, filters: '[["a",{"has":"image"}]]', selection: '{"rows":[1]}' });
  await vi.waitFor(() => expect(late.length).toBeGreaterThan(1));
  const selecting = explorer.selection.set({ rows: [0] });
  await vi.waitFor(() => expect(sent.at(-1)!.body).toMatchObject({ filter: { rows: [0] } }));
  late.forEach((answer) => answer());
  await Promise.all([following, selecting]);
  expect([explorer.selection.filter, explorer.filters.filter]).toEqual([{ rows: [0] }, { has: "image" }]);
});

test("“Only these” leaves less and less, also where one of the filters was enough", async () => {
  const { filters } = made((entry) => Promise.resolve(opened(entry)));
  answers = () => Promise.resolve(SELECTED);
  const [image, caption, tagged] = [{ has: "image" }, { has: "caption" }, { tags: "any" }] as const;
  await filters.narrow("selection", image);
  await filters.narrow("selection", caption);
  expect(filters.filter).toEqual({ all: [image, caption] });
  await filters.setAll(new Map<string, Filter>([["a", image], ["b", caption]]), true);
  await filters.narrow("selection", tagged);
  expect([filters.filter, filters.any]).toEqual([{ all: [{ any: [image, caption] }, tagged] }, false]);
  await filters.setAll(new Map([["a", image]]), true);
  await filters.narrow("selection", tagged);
  expect([[...filters.parts.keys()], filters.filter]).toEqual([["a", "selection"], { all: [image, tagged] }]);
});

test("filters, a selection and a search by tags are asked for again when tags change, and lose a tag that is gone", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  const { filters, selection, search, tags } = explorer;
  const tag = { id: "t", name: "blurry", colour: 0, count: 1, mine: true };
  answers = (url) => Promise.resolve(url.endsWith("/tags") ? { tags: [tag] } : url.endsWith("/search") ? hits : { ...SELECTED, changed: 1, id: "t" });
  await tags.load();
  await Promise.all([
    filters.setAll(new Map<string, Filter>([["has image", { has: "image" }], ["tag t", { tag: "t" }]])),
    selection.set({ tags: "any" }),
    search.ask({ text: "red", chips: [chip({ tag: "t" }, "blurry")] }),
  ]);
  const [filter, selected] = [filters.filter, selection.filter];
  const asked = () => sent.filter(({ url }) => /select$|search$/.test(url)).length;
  const before = asked();
  await tags.takeOff(3, tag);
  await vi.waitFor(() => expect([filters.filter === filter, selection.filter === selected, asked() > before + 2]).toEqual([false, false, true]));
  expect([filters.filter, selection.filter]).toEqual([filter, selected]);

  await selection.set({ not: { tag: "t" } });
  await tags.remove(tag);
  await vi.waitFor(() => expect([filters.filter, selection.filter, search.asked.chips]).toEqual([{ has: "image" }, null, []]));
});

test("a link to a range of values shows these after an append brought a smaller one, and an old link its codes", async () => {
  const dated = (entry: MapEntry, min: number): OpenedMap => {
    const column = { key: "year", name: "Year", kind: "number", type: "u16", missing: 65535, min, max: 2000, scale: "linear" };
    return { ...opened(entry), manifest: { n: 10, columns: [column], embedded: "year" }, source: { json: async () => ({ missing: 0 }) } } as unknown as OpenedMap;
  };
  const rangeAfter = async (min: number, hash: string) => {
    const explorer = made((entry) => Promise.resolve(opened(entry)));
    explorer.adopt(dated(entries[0]!, min));
    await explorer.follow(decodeLink(hash));
    return explorer;
  };
  const written = await rangeAfter(1800, "colour=year&range=32767,65534");
  expect(written.look.range).toEqual([32767, 65534]);
  const hash = encodeLink(written.link());
  expect(hash).toContain("between=1900");
  const [same, appended] = [await rangeAfter(1800, hash), await rangeAfter(1400, hash)];
  expect(same.look.range).toEqual([32767, 65534]);
  expect(filterOfRange(appended.look.column!, appended.look.range!, "image")).toEqual({ column: "Year", from: 1900 });
});

test("a link hides the values that it names after an append made another the commonest, and topics on their own layout only", async () => {
  const artist = { key: "artist", name: "Artist", kind: "category", type: "u8", missing: 255, size: 3 };
  const topics = { key: "topic-0", name: "Topics", kind: "topic", type: "u8", missing: 255 };
  const painted = (values: string[], version = "1", layout = "1"): OpenedMap => {
    const source = { json: async () => ({ values, counts: values.map((_, i) => 9 - i), missing: 2 }) };
    return { ...opened({ ...entries[0]!, version, layout }), manifest: { n: 10, columns: [artist, topics], embedded: "topic-0" }, source } as unknown as OpenedMap;
  };
  const follow = async (map: OpenedMap, hash: string) => {
    const explorer = made((entry) => Promise.resolve(opened(entry)));
    explorer.adopt(map);
    await explorer.follow(decodeLink(hash));
    expect(encodeLink(explorer.link())).toContain("colour");
    await vi.waitFor(() => expect([explorer.look.column!.kind === "topic", explorer.look.values !== null]).toContain(true));
    return explorer;
  };
  const before = await follow(painted(["Monet", "Renoir", "Degas"]), "colour=artist&hidden=0,255");
  const hash = encodeLink(before.link());
  expect(decodeLink(hash)).toMatchObject({ off: ["Monet", null], hidden: [] });
  const after = await follow(painted(["Renoir", "Degas", "Monet"]), hash);
  expect([...after.look.hidden].sort()).toEqual([2, 255]);
  expect(encodeLink(after.link())).toBe(encodeLink({ ...before.link(), off: ["Monet", null] }));

  const byTopic = encodeLink((await follow(painted([]), "colour=topic-0&hidden=3")).link());
  expect([...(await follow(painted([]), byTopic)).look.hidden]).toEqual([3]);
  expect([...(await follow(painted([], "2"), byTopic)).look.hidden]).toEqual([3]);
  expect([...(await follow(painted([], "2", "2"), byTopic)).look.hidden]).toEqual([]);
  // As links said it before.
  const old = "colour=topic-0&hidden=3&of=1";
  expect([...(await follow(painted([]), old)).look.hidden]).toEqual([3]);
  expect([...(await follow(painted([], "2"), old)).look.hidden]).toEqual([]);
});

test("a link to a place on an earlier layout shows no place on the new one, and says so; its record is shown where it is now", async () => {
  const follow = async (hash: string) => {
    const flights: string[] = [];
    const explorer = made((entry) => Promise.resolve(opened(entry)));
    const { mover } = explorer.stage.view;
    vi.spyOn(mover, "setCamera").mockImplementation(() => void flights.push("there"));
    vi.spyOn(mover, "reveal").mockImplementation(() => void flights.push("to the record"));
    answers = async (url) => (url.includes("/records/4") ? { ...record(4), records: [] } : url.endsWith("/search") ? hits : { tags: [], records: [] });
    await explorer.follow(decodeLink(hash));
    return [flights, explorer.stage.error];
  };
  const earlier = expect.stringContaining("made anew");
  expect(await follow("at=0.2,0.3,8&layout=1")).toEqual([["there"], null]);
  expect(await follow("at=0.2,0.3,8")).toEqual([["there"], null]);
  expect(await follow("at=0.2,0.3,8&layout=0")).toEqual([[], earlier]);
  expect(await follow("at=0.2,0.3,8&record=4&layout=0")).toEqual([["to the record"], earlier]);
  expect(await follow("q=red&layout=0")).toEqual([[], null]);
});

test("topics and regions that are chosen name the layout of their map, in links too, and those of an earlier one keep theirs", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  answers = () => Promise.resolve(SELECTED);
  await explorer.selection.addTopic(3, "new");
  expect(decodeLink(encodeLink(explorer.link())).selection).toBe('{"topic":3,"map":"image","layout":"1"}');
  await explorer.selection.addRegion(Float64Array.of(0, 0, 1, 0, 1, 1), "new");
  expect(explorer.selection.filter).toMatchObject({ map: "image", layout: "1" });
  await explorer.follow(decodeLink(encodeLink({ ...explorer.link(), selection: '{"topic":3,"map":"image","layout":"0"}' })));
  expect(leavesOf(sent.at(-1)!.body)).toEqual([{ topic: 3, map: "image", layout: "0", version: "1" }]);
});

/** What names a map, wherever it is in a request. */
function leavesOf(body: unknown): { version?: string }[] {
  if (typeof body !== "object" || body === null) return [];
  return "topic" in body || "region" in body ? [body as { version?: string }] : Object.values(body).flatMap(leavesOf);
}

test("the topics and regions of a filter are those of the maps on the page, whatever asks for them, and links name no version", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  const { filters, selection, search, tags } = explorer;
  const tag = { id: "t", name: "blurry", colour: 0, count: 1, mine: true };
  answers = (url) => Promise.resolve(url.endsWith("/search") ? hits : { ...SELECTED, tags: [tag], changed: 1 });
  const [topic, region] = [{ topic: 3, map: "image" }, { region: [[0, 0], [1, 0], [1, 1]], map: "caption" }] as [Filter, Filter];
  const corner = { all: [region, { not: topic }] };
  await Promise.all([
    filters.set("corner", corner),
    selection.set(corner),
    search.ask({ text: "", chips: [chip({ topic: 3, map: "image" }, "Topic"), chip({ filter: region }, "Region")] }),
    tags.put(tag, corner),
    tags.take(tag, corner),
  ]);
  await selection.page(5, filters.filter, new AbortController().signal);
  const asked = sent.map(({ url, body }) => ({ url: url.replace(/.*\//, ""), leaves: leavesOf(body) })).filter(({ leaves }) => leaves.length > 0);
  expect(new Set(asked.map(({ url }) => url))).toEqual(new Set(["select", "search", "records", "table"]));
  for (const { url, leaves } of asked) expect(leaves.map(({ version }) => [url, version])).toEqual(leaves.map(() => [url, "1"]));
  expect(JSON.stringify(explorer.link())).not.toContain("version");
});

test("a view that was kept for a link serves for the same link again", async () => {
  const explorer = made((entry) => Promise.resolve(opened(entry)));
  const view = (id: string, given: object) => ({ id, hash: "q=red", mine: true, shared: false, ...given });
  let views = [view("theirs", { mine: false }), view("shared", { shared: true }), view("other", { hash: "q=blue" })];
  answers = () => Promise.resolve({ views, id: "new" });
  expect((await explorer["viewFor"]("q=red")).id).toBe("new");
  views = [...views, view("same", {})];
  expect((await explorer["viewFor"]("q=red")).id).toBe("same");
});

const coloured = (entry: MapEntry): OpenedMap => {
  const columns = [{ key: "topic-0", name: "Topic", kind: "topic", type: "u8", missing: 255 }];
  return { ...opened(entry), manifest: { n: 10, columns, embedded: "topic-0" } } as unknown as OpenedMap;
};

test("undo brings back what a legend hid on its own map only: on another map the codes stand for others", async () => {
  const explorer = made((entry) => Promise.resolve(coloured(entry)));
  explorer.adopt(coloured(entries[0]!));
  const { look, past } = explorer;
  past.note(explorer.moment());
  look.toggleCode(3);
  past.note(explorer.moment());
  look.showAll();
  past.note(explorer.moment());
  await past.undo();
  expect([...look.hidden]).toEqual([3]);
  await past.redo();
  await explorer.switchTo("caption");
  past.note(explorer.moment());
  await past.undo();
  expect([...look.hidden]).toEqual([]);
});

test("one colour for all stays so on another map", async () => {
  const explorer = made((entry) => Promise.resolve(coloured(entry)));
  explorer.adopt(coloured(entries[0]!));
  expect(explorer.look.colour).toBe("topic-0");
  explorer.look.setColour(null);
  await explorer.switchTo("caption");
  expect(explorer.look.colour).toBeNull();
});
