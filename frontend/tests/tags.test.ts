import { afterEach, expect, test, vi } from "vitest";
import type { MapConfig } from "../src/config";
import { Stage } from "../src/explorer/stage.svelte";
import { Tags } from "../src/explorer/tags.svelte";

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
