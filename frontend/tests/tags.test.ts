import { afterEach, expect, test, vi } from "vitest";
import type { MapConfig } from "../src/config";
import { Stage } from "../src/explorer/stage.svelte";
import { Tags } from "../src/explorer/tags.svelte";

vi.mock("../src/site/toasts", () => ({ toast: () => undefined }));

afterEach(() => void vi.unstubAllGlobals());

const answer = (body: unknown) => new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });

test("a tag that is there is taken as it is, whatever its case, and another is made", async () => {
  const made: string[] = [];
  vi.stubGlobal("document", { cookie: "", querySelector: () => null });
  vi.stubGlobal("fetch", async (_: string, { method, body }: RequestInit) => {
    if (method !== "POST") return answer({ tags: [{ id: "t1", name: "Blurry" }] });
    made.push((JSON.parse(body as string) as { name: string }).name);
    return answer({ id: "t2", name: made[0] });
  });
  const tags = new Tags(new Stage({ dataset: { id: "d" } } as unknown as MapConfig), () => undefined);
  await tags.load();
  expect([(await tags.named("blurry"))?.id, made]).toEqual(["t1", []]);
  expect([(await tags.named("sharp"))?.id, made]).toEqual(["t2", ["sharp"]]);
});

test("a tag that is changed keeps its id, and with it its records and the filters that name it", async () => {
  let there = { id: "t1", name: "Ladnscape", colour: 0 };
  const sent: unknown[] = [];
  vi.stubGlobal("document", { cookie: "", querySelector: () => null });
  vi.stubGlobal("fetch", async (url: string, { method, body }: RequestInit) => {
    if (method !== "PATCH") return answer({ tags: [there] });
    sent.push(url, JSON.parse(body as string));
    there = { ...there, name: "Landscape", colour: 3 };
    return answer(there);
  });
  const changed = vi.fn();
  const tags = new Tags(new Stage({ dataset: { id: "d" } } as unknown as MapConfig), changed);
  await tags.load();
  expect(await tags.change(tags.all[0]!, { name: "Landscape", colour: 3 })).toBe(true);
  expect(sent).toEqual(["/api/datasets/d/tags/t1", { name: "Landscape", colour: 3 }]);
  expect(tags.all).toEqual([{ id: "t1", name: "Landscape", colour: 3 }]);
  expect(changed.mock.calls).toEqual([[null], [null]]);
});
