import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Explorer } from "../src/explorer/explorer.svelte";
import { Listing } from "../src/explorer/listing.svelte";
import { Stage } from "../src/explorer/stage.svelte";
import type { MapConfig } from "../src/config";
import type { OpenedMap } from "../src/open_map";

const config = { dataset: { id: "d" }, maps: [] } as unknown as MapConfig;
const page = (...rows: number[]) => new Response(JSON.stringify({ records: rows.map((row) => ({ row })), total: 9 }));
const fetched = vi.fn<() => Promise<Response>>();

beforeEach(() => void vi.stubGlobal("fetch", fetched.mockReset()));
afterEach(() => void vi.unstubAllGlobals());

function made(): { list: Listing; stage: Stage; rows: () => number[]; settled: () => Promise<void> } {
  vi.stubGlobal("document", { querySelector: () => null, cookie: "" });
  const stage = new Stage(config);
  stage.map = { entry: { id: "m", version: "1" }, view: { retry: () => undefined } } as unknown as OpenedMap;
  const explorer = { config, stage, search: { hits: null }, filters: { filter: null }, order: { sort: "row", by: "column" }, selection: {} };
  const list = new Listing(explorer as unknown as Explorer);
  return { list, stage, rows: () => list.records.map(({ row }) => row), settled: () => vi.waitFor(() => expect(list.busy).toBe(false)) };
}

test("a record that slips onto the next page is listed once", async () => {
  const { list, rows, settled } = made();
  fetched.mockResolvedValueOnce(page(1, 2)).mockResolvedValueOnce(page(2, 3));
  list.start();
  await settled();
  list.more();
  await settled();
  expect(rows()).toEqual([1, 2, 3]);
});

test("trying again does not bring back a list that another has taken the place of", async () => {
  const { list, stage, rows, settled } = made();
  fetched.mockRejectedValueOnce(new Error("away")).mockResolvedValueOnce(page(7)).mockResolvedValueOnce(page(1));
  list.start();
  await settled();
  list.start();
  await vi.waitFor(() => expect(rows()).toEqual([7]));
  stage.retry();
  await settled();
  expect(rows()).toEqual([7]);
  expect(fetched).toHaveBeenCalledTimes(2);
});
