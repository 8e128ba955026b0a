import { expect, test } from "vitest";
import type { MapConfig } from "../src/config";
import { Stage } from "../src/explorer/stage.svelte";
import type { OpenedMap } from "../src/open_map";

const mapOf = (): OpenedMap => ({ view: { mover: { camera: { x: 0.5, y: 0.5, k: 1 } }, retry: () => undefined } }) as unknown as OpenedMap;

test("what the files of a map say is shown, unless another map is shown by then", async () => {
  const stage = new Stage({} as MapConfig);
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
  const stage = new Stage({} as MapConfig);
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
  const stage = new Stage({} as MapConfig);
  stage.adopt(mapOf());
  stage.topics = [{ id: 0, name: "Pears" }] as Stage["topics"];
  stage.adopt(mapOf());
  expect(stage.topics).toEqual([]);
});
