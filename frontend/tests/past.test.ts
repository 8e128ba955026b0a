import { expect, test } from "vitest";
import { Past } from "../src/explorer/past.svelte";

test("a step back that fails is not the last one", async () => {
  const restored: string[] = [];
  const past = new Past<string>((state) => {
    if (state === "b") return Promise.reject(new Error("It failed."));
    restored.push(state);
    return Promise.resolve();
  });
  ["a", "b", "c"].forEach((state) => past.note(state));
  await expect(past.undo()).rejects.toThrow("It failed.");
  await past.undo();
  expect(restored).toEqual(["a"]);
});
