import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { textChip } from "../src/query";

const OLD = "recent-searches";
let stored: Map<string, string>;

beforeEach(() => {
  stored = new Map([[OLD, '["of nobody in particular"]']]);
  vi.resetModules();
  const localStorage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  };
  vi.stubGlobal("window", { localStorage });
});

afterEach(() => vi.unstubAllGlobals());

/** On a page that was made for somebody. */
async function page(person: string | undefined): Promise<typeof import("../src/recent")> {
  vi.stubGlobal("document", { documentElement: { dataset: { person } } });
  return import("../src/recent");
}

test("everybody has recent searches of their own, and so has whoever is not signed in", async () => {
  (await page("7")).rememberSearch({ text: "red fruit", chips: [textChip("apple", -1)] });
  expect((await page("7")).recentSearches()).toEqual(['red fruit -"apple"']);
  expect((await page("8")).recentSearches()).toEqual([]);
  expect((await page(undefined)).recentSearches()).toEqual([]);
});

test("the list that all had together is gone", async () => {
  await page("7");
  expect(stored.has(OLD)).toBe(false);
});
