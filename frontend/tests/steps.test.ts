import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Explorer } from "../src/explorer/explorer.svelte";
import { Steps } from "../src/explorer/steps";

/** What the server was asked, and the rows that it has in the order asked for. */
let sent: { around: number; limit: number }[];
let rows: number[];

const MONET = { column: "artist", in: ["Monet"] };
const ROW = { sort: "row", by: "column" };
const WORST = { sort: "agreement", by: "computed" };

beforeEach(() => {
  sent = [];
  vi.stubGlobal("document", { querySelector: () => null, cookie: "" });
  vi.stubGlobal("fetch", async (_: string, { body }: { body: string }) => {
    const { around, limit } = sent[sent.push(JSON.parse(body) as (typeof sent)[number]) - 1]!;
    const first = Math.max(0, rows.indexOf(around) - Math.floor(limit / 2));
    return Response.json({ records: rows.slice(first, first + limit).map((row) => ({ row })), total: rows.length });
  });
});

afterEach(() => vi.unstubAllGlobals());

function made(given: { removed?: number; table?: boolean; drawn?: boolean; filter?: unknown; selected?: unknown; order?: unknown; hits?: number[] }): Steps {
  const { removed = 0, table = false, drawn = true, filter = null, selected = null, order = ROW, hits = [] } = given;
  const stage = { recordCount: 1000 - removed, entry: { id: "m", version: "v" }, drawn, attempt: <T>(work: Promise<T>) => work.catch(() => null) };
  const search = { ordered: hits.map((row) => ({ row })) };
  const config = { dataset: { id: "d", row_count: 1000 } };
  return new Steps({ config, stage, tags: { revision: 1 }, table, order, search, filters: { filter }, selection: { filter: selected } } as unknown as Explorer);
}

test("the next record is the next in the table, as it is sorted and filtered", async () => {
  rows = [400, 7, 31];
  const steps = made({ table: true, filter: MONET, selected: { tags: "any" }, order: WORST, hits: [7, 8] });
  expect([await steps.around(400), await steps.around(7)]).toEqual([[null, 7], [400, 31]]);
  expect(sent).toEqual([{ filter: { all: [MONET, { tags: "any" }] }, ...WORST, around: 400, limit: 41, map: "m", version: "v" }]);
  expect(await steps.around(31)).toEqual([7, null]);
});

test("a long table is asked for again only where what is known of it ends", async () => {
  rows = Array.from({ length: 300 }, (_, at) => 2 * at);
  const steps = made({ table: true, order: WORST });
  for (let at = 100; at < 160; at++) expect(await steps.around(2 * at)).toEqual([2 * at - 2, 2 * at + 2]);
  expect(sent.map(({ around }) => around)).toEqual([200, 240, 280]);
});

test("on the map it is the next that is selected and left by the filters, in the list the next that is listed", async () => {
  rows = [3, 9, 12];
  const on = { filter: MONET, selected: { tags: "any" }, order: WORST };
  expect(await made(on).around(9)).toEqual([3, 12]);
  expect(sent.at(-1)).toMatchObject({ filter: { all: [MONET, { tags: "any" }] }, ...ROW });
  expect(await made({ ...on, drawn: false }).around(9)).toEqual([3, 12]);
  expect(sent.at(-1)).toMatchObject({ filter: MONET, ...WORST });
});

test("from hit to hit, and through a dataset without holes, nobody has to be asked", async () => {
  const steps = made({ hits: [50, 2, 70] });
  expect([await steps.around(2), await steps.around(70), await steps.around(0), await steps.around(999)]).toEqual([[50, 70], [2, null], [null, 1], [998, null]]);
  expect(sent).toEqual([]);
});

test("rows whose records were removed are skipped", async () => {
  rows = [2, 5, 9];
  expect(await made({ removed: 997 }).around(5)).toEqual([2, 9]);
  expect(sent).toMatchObject([{ filter: null, ...ROW }]);
});

test("what could not be had is asked for again with the next step", async () => {
  rows = [3, 9, 12];
  const steps = made({ filter: MONET });
  const answers = fetch;
  vi.stubGlobal("fetch", () => Promise.reject(new Error("away")));
  expect(await steps.around(9)).toEqual([null, null]);
  vi.stubGlobal("fetch", answers);
  expect(await steps.around(9)).toEqual([3, 12]);
});
