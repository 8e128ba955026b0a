import { expect, test } from "vitest";
import { ApiError } from "../src/api/http";
import type { MapConfig } from "../src/config";
import { Stage } from "../src/explorer/stage.svelte";
import type { OpenedMap } from "../src/open_map";

const CONFIG = { dataset: { record_count: 4 } } as unknown as MapConfig;
const mapOf = (): OpenedMap => ({ view: { mover: { camera: { x: 0.5, y: 0.5, k: 1 } } } }) as unknown as OpenedMap;

test("what the files of a map say is shown, unless another map is shown by then", async () => {
  const stage = new Stage(CONFIG);
  const [before, after] = [mapOf(), mapOf()];
  const shown: string[] = [];
  stage.adopt(before);
  stage.ask(before, "", () => Promise.resolve("at once"), (found) => shown.push(found));
  await Promise.resolve();
  stage.ask(before, "", () => Promise.resolve("late"), (found) => shown.push(found));
  stage.ask(before, "It failed.", () => Promise.reject(new Error()), (found) => shown.push(found));
  stage.adopt(after);
  await new Promise((resolve) => setTimeout(resolve));
  expect(shown).toEqual(["at once"]);
  expect(stage.error).toBeNull();
});

test("what failed is said, and asked for again on request", async () => {
  const stage = new Stage(CONFIG);
  const map = mapOf();
  stage.adopt(map);
  const answers = [Promise.reject(new Error()), Promise.resolve("there")];
  const shown: string[] = [];
  stage.ask(map, "It failed.", () => answers.shift()!, (found) => shown.push(found));
  await new Promise((resolve) => setTimeout(resolve));
  expect([stage.error, shown]).toEqual(["It failed.", []]);
  stage.retry();
  await new Promise((resolve) => setTimeout(resolve));
  expect([stage.error, shown]).toEqual([null, ["there"]]);
});

test("the topics of a map are not taken for those of the next", () => {
  const stage = new Stage(CONFIG);
  stage.adopt(mapOf());
  stage.topics = [{ id: 0, name: "Pears" }] as Stage["topics"];
  stage.adopt(mapOf());
  expect(stage.topics).toEqual([]);
});

test("“Try again” is there for what may come, and for nothing else", async () => {
  const stage = new Stage({ dataset: { id: "d" } } as MapConfig);
  const failing = (status: number): Promise<never> => Promise.reject(new ApiError(status, `It failed: ${status}.`));
  let asked = 0;
  const again = () => void asked++;
  const offered: number[] = [];
  for (const status of [400, 403, 429, 500, 503]) {
    await stage.attempt(failing(status), undefined, again);
    expect(stage.error).toBe(`It failed: ${status}.`);
    if (stage.again.size > 0) offered.push(status);
    stage.dismiss();
  }
  expect(offered).toEqual([429, 500, 503]);
  await stage.attempt(failing(503));
  expect(stage.again.size).toBe(0);
  await stage.attempt(Promise.reject(new Error("The server could not be reached.")), undefined, again);
  stage.retry();
  expect([asked, stage.error, stage.again.size]).toEqual([1, null, 0]);
});

test("what others took the place of is not asked for again", async () => {
  const stage = new Stage(CONFIG);
  const asking = new AbortController();
  let asked = 0;
  await stage.attempt(Promise.reject(new Error()), asking.signal, () => asked++);
  asking.abort();
  stage.retry();
  expect(asked).toBe(0);
});
