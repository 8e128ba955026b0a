import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MapRecord } from "../src/api/maps";
import type { MapConfig, MapEntry } from "../src/config";
import { Explorer } from "../src/explorer/explorer.svelte";
import { Unseen } from "../src/explorer/surface";
import type { OpenedMap } from "../src/open_map";

const { toast } = vi.hoisted(() => ({ toast: vi.fn() }));
vi.mock("../src/site/toasts", () => ({ toast }));

const entry = { id: "m", space: "image", version: "1", count: 10 } as unknown as MapEntry;
const config = { dataset: { id: "d", url: "/the/dataset", columns: [], row_count: 10, record_count: 10, may_edit: true }, maps: [entry] } as unknown as MapConfig;
const CATS = { caption: "cat" };
const record = (row: number) => ({ row, ordinal: row, x: 0.5, y: 0.5, caption: "" }) as MapRecord;
const bitsOf = (rows: number[]) => btoa(String.fromCharCode(...[0, 8].map((first) => rows.reduce((byte, row) => byte | (row >= first ? 1 << (row - first) : 0), 0) & 255)));

/** What was sent, by the last words of its address. */
let sent: { to: string; body: unknown }[];
/** The rows that are there, and what the server says the map is. */
let there: number[];
let version: string;
let refusal: string | null;

function answer(url: string, body: { filter?: { rows?: number[]; caption?: string } }): unknown {
  const row = /records\/(\d+)\?/.exec(url)?.[1];
  if (row) return there.includes(Number(row)) ? record(Number(row)) : Response.json({ detail: "There is no such record." }, { status: 404 });
  if (url.endsWith("/records/remove")) {
    if (refusal) return Response.json({ detail: refusal }, { status: 409 });
    const gone = body.filter?.rows ?? [2, 3];
    there = there.filter((each) => !gone.includes(each));
    return { removed: gone.length, record_count: there.length };
  }
  if (url.endsWith("/select")) {
    const found = there.filter((each) => (body.filter?.caption ? [2, 3].includes(each) : (body.filter?.rows?.includes(each) ?? true)));
    return { count: found.length, bits: bitsOf(found) };
  }
  if (url.endsWith("/maps")) return { maps: [{ id: "m", version }] };
  const left = body.filter?.caption ? there.filter((each) => [2, 3].includes(each)) : there;
  return url.includes("tags") ? { tags: [] } : { records: left.map(record), total: left.length };
}

beforeEach(() => {
  [sent, there, version, refusal] = [[], [0, 1, 2, 3, 4, 5], "1", null];
  toast.mockReset();
  vi.stubGlobal("innerWidth", 500);
  vi.stubGlobal("document", { documentElement: { dataset: { theme: "light" } }, cookie: "", visibilityState: "visible", querySelector: () => null, addEventListener: () => undefined, createElement: () => ({ closest: () => null }) });
  vi.stubGlobal("matchMedia", () => ({ addEventListener: () => undefined }));
  vi.stubGlobal("fetch", async (url: string, { body }: { body: string | null }) => {
    sent.push({ to: url, body: JSON.parse(body ?? "null") });
    const found = answer(url, (JSON.parse(body ?? "null") ?? {}) as object);
    return found instanceof Response ? found : Response.json(found);
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function made(left = 10): { explorer: Explorer; view: { hidden: Uint8Array | null } } {
  const view = Object.assign(new Unseen(10), { hidden: null as Uint8Array | null, setHidden: (bits: Uint8Array | null) => void (view.hidden = bits) });
  const explorer = new Explorer({ ...config, dataset: { ...config.dataset, record_count: left } }, () => Promise.reject(new Error("no other map")), null);
  const records = { get: (ordinal: number) => Promise.resolve(there.includes(ordinal) ? record(ordinal) : null) };
  explorer.adopt({ entry, view, records, drawn: true, manifest: { n: 10, columns: [], embedded: null }, failed: false, labels: () => Promise.resolve({ topics: [] }), sheets: () => new Promise(() => undefined) } as unknown as OpenedMap);
  return { explorer, view };
}

const bodies = (end: string): unknown[] => sent.filter(({ to }) => to.endsWith(end)).map(({ body }) => body);

test("what was selected is removed: nothing is selected or open any more, and the map hides it at once", async () => {
  const { explorer, view } = made();
  await explorer.selection.set(CATS);
  explorer.detail.open(record(3));
  expect(await explorer.removal.selected(CATS, 2)).toBe(true);
  expect(bodies("/records/remove")).toEqual([{ filter: CATS, expected: 2 }]);
  expect([explorer.selection.filter, explorer.detail.opened]).toEqual([null, null]);
  await vi.waitFor(() => expect(view.hidden).toEqual(new Uint8Array([0b110011, 0])));
  expect(explorer.filters.left).toBe(4);
  expect(toast.mock.calls).toEqual([["2 records were removed. The map is being laid out without them."]]);
});

test("another open record stays open", async () => {
  const { explorer } = made();
  await explorer.selection.set(CATS);
  explorer.detail.open(record(5));
  await explorer.removal.selected(CATS, 2);
  expect(explorer.detail.opened?.record.row).toBe(5);
});

test("in place of a single record the next is open, and what else is selected stays so", async () => {
  const { explorer } = made();
  await explorer.selection.set({ rows: [2, 4] });
  explorer.detail.open(record(2));
  expect(await explorer.removal.one(2)).toBe(true);
  await vi.waitFor(() => expect(explorer.detail.opened?.record.row).toBe(3));
  await vi.waitFor(() => expect(explorer.selection.filter).toEqual({ rows: [4] }));
  expect(toast.mock.calls).toEqual([["1 record was removed. The map is being laid out without it."]]);
  // The next step skips the row that is gone.
  expect(await explorer.steps.around(3)).toEqual([1, 4]);
});

test("the last record that the filters leave leaves nothing open", async () => {
  there = [3, 4];
  const { explorer } = made();
  await explorer.filters.set("cats", CATS);
  explorer.detail.open(record(3));
  await explorer.removal.one(3);
  await vi.waitFor(() => expect(explorer.detail.opened).toBeNull());
});

test("whoever removes all records is led to the dataset, and no map without them is spoken of or waited for", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("location", { assign: vi.fn() });
  there = [2, 3, 4];
  const { explorer } = made(3);
  await explorer.removal.one(4);
  expect([explorer.stage.recordCount, toast.mock.calls.length]).toEqual([2, 1]);
  await explorer.selection.set(CATS);
  expect(await explorer.removal.selected(CATS, 2)).toBe(true);
  expect(vi.mocked(location.assign).mock.calls).toEqual([["/the/dataset"]]);
  expect(toast).toHaveBeenCalledTimes(1);
});

test("a removal that is refused changes nothing and says why", async () => {
  refusal = "An import is open.";
  const { explorer, view } = made();
  await explorer.selection.set(CATS);
  explorer.detail.open(record(3));
  expect(await explorer.removal.selected(CATS, 2)).toBe(false);
  expect([explorer.stage.error, explorer.selection.filter, explorer.detail.opened?.record.row, view.hidden]).toEqual([refusal, CATS, 3, null]);
  expect(toast).not.toHaveBeenCalled();
});

test("the map without what was removed is offered as soon as it is there", async () => {
  vi.useFakeTimers();
  const { explorer } = made();
  await explorer.removal.one(2);
  await vi.advanceTimersByTimeAsync(40_000);
  expect(explorer.stage.outdated).toBe(false);
  version = "2";
  await vi.advanceTimersByTimeAsync(15_000);
  expect(explorer.stage.outdated).toBe(true);
  explorer.stage.outdated = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(explorer.stage.outdated).toBe(false);
});

test("a point whose record somebody else removed says so where it is opened", async () => {
  const { explorer } = made();
  there = [0];
  await explorer.detail.openOrdinal(1);
  expect([explorer.stage.error, explorer.stage.again.size, explorer.detail.opened]).toEqual(["This record was removed.", 0, null]);
  await explorer.detail.walk({ ordinal: 1, x: 0.5, y: 0.5 });
  expect(explorer.detail.reached).toBe("This record was removed.");
});

test("a page opened before the map is laid out anew hides what was removed", async () => {
  const { view } = made(6);
  await vi.waitFor(() => expect(view.hidden).toEqual(new Uint8Array([0b111111, 0])));
});
