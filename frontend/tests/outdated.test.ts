import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { mapFiles } from "../src/api/maps";
import type { MapConfig } from "../src/config";
import type { Explorer } from "../src/explorer/explorer.svelte";
import type { Filters } from "../src/explorer/filters.svelte";
import { Listing } from "../src/explorer/listing.svelte";
import { Pages } from "../src/explorer/pages.svelte";
import { Search } from "../src/explorer/search.svelte";
import { Stage } from "../src/explorer/stage.svelte";
import type { OpenedMap } from "../src/open_map";
import { Records } from "../src/records";

const MAP = { id: "m", version: "old" };
const OTHER = { id: "o", version: "old" };
const GONE = "There is no such map.";
const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

/** What the server says the maps are now; null: it does not say. */
let now: { id: string; version: string }[] | null;

beforeEach(() => {
  now = [{ id: "m", version: "new" }, OTHER];
  vi.stubGlobal("document", { querySelector: () => null, cookie: "" });
  vi.stubGlobal("fetch", async (url: string) => {
    if (url !== "/api/datasets/d/maps") return answer(404, { detail: GONE });
    return now ? answer(200, { maps: now }) : answer(404, { detail: "Not found." });
  });
});
afterEach(() => vi.unstubAllGlobals());

/** A page that shows what the server has no more. */
function made(signedIn = false): Stage {
  const stage = new Stage({ dataset: { id: "d" }, maps: [MAP, OTHER], signed_in: signedIn } as unknown as MapConfig);
  const view = { setHits: () => undefined, setGlow: () => undefined, retry: () => undefined };
  stage.map = { entry: MAP, view, records: new Records(MAP) } as unknown as OpenedMap;
  return stage;
}

const searchOn = (stage: Stage): Search => new Search(stage, { filter: null } as Filters);

test("a search of a map that a newer one took the place of ends, and says that", async () => {
  const stage = made();
  const search = searchOn(stage);
  await search.ask({ text: "red", chips: [] });
  await vi.waitFor(() => expect(stage.outdated).toBe(true));
  expect([search.searching, search.problem, search.hits, stage.error]).toEqual([false, null, null, null]);
});

test("so do its records, its table and its list", async () => {
  const records = made();
  expect(await records.attempt(records.records.get(3))).toBeNull();
  expect([records.outdated, records.error]).toEqual([true, null]);

  const table = made();
  const pages = new Pages(table);
  pages.ask(null, { sort: "row", by: "column" });
  await vi.waitFor(() => expect(pages.failed).toBe(true));
  expect([table.outdated, table.error, pages.counted]).toEqual([true, null, false]);

  const stage = made();
  const explorer = { config: stage.config, stage, search: { hits: null }, filters: { filter: null }, order: { sort: "row", by: "column" } };
  const list = new Listing(explorer as unknown as Explorer);
  list.start();
  await vi.waitFor(() => expect(list.busy).toBe(false));
  expect([stage.outdated, stage.error, list.failed]).toEqual([true, null, true]);
});

test("so do its files", async () => {
  const stage = made();
  stage.ask(stage.map, "The topic names could not be loaded.", () => mapFiles("/maps/d/old/").json("labels.json"), () => undefined);
  await vi.waitFor(() => expect(stage.outdated).toBe(true));
  expect(stage.error).toBeNull();
});

test.each([["the map is the newest", [MAP, OTHER]], ["the dataset is gone", null]])("where %s the reason is told", async (_, maps) => {
  now = maps;
  const stage = made();
  const search = searchOn(stage);
  await search.ask({ text: "red", chips: [] });
  await vi.waitFor(() => expect(search.problem).toBe(GONE));
  await stage.attempt(stage.records.get(3));
  expect([search.searching, stage.error, stage.outdated]).toEqual([false, GONE, false]);
});

test("whoever was signed out meanwhile is told so", async () => {
  now = null;
  const stage = made(true);
  expect(await stage.attempt(stage.records.get(3))).toBeNull();
  expect(stage.error).toBe("You were signed out, or this dataset is not there any more. Reload the page.");
  expect([stage.outdated, stage.again.size]).toEqual([false, 1]);
});
