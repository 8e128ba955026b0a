import { afterEach, expect, test, vi } from "vitest";
import { table } from "../src/api/select";

afterEach(() => vi.unstubAllGlobals());

test("the table has its records as they lie on the version of the map that is shown", async () => {
  const sent: string[] = [];
  vi.stubGlobal("document", { querySelector: () => null, cookie: "" });
  vi.stubGlobal("fetch", async (_: string, { body }: { body: string }) => {
    sent.push(body);
    return Response.json({ records: [], total: 0 });
  });
  await table("d", { id: "m", version: "v" }, { filter: null, sort: "row", offset: 0, limit: 3 });
  expect(JSON.parse(sent[0]!)).toEqual({ filter: null, sort: "row", offset: 0, limit: 3, map: "m", version: "v" });
});
