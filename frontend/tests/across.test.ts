import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Across } from "../src/api/search";
import { AcrossSearch } from "../src/panels/search/across.svelte";

const SECONDS = 1000;
const answerOf = (away: boolean, name: string): Across => ({ groups: [{ dataset: { id: name, name, url: `/${name}`, team: "" }, relevant: 1, hits: [] }], skipped: [], mode: "best", away });
const AWAY = (): Response => Response.json({ detail: "The query worker is away." }, { status: 503 });

/** What the server answers, in turn; the last one ever after. */
let answers: (() => Response)[];
let asked: number;

beforeEach(() => {
  vi.useFakeTimers();
  asked = 0;
  vi.stubGlobal("document", { querySelector: () => null, cookie: "" });
  vi.stubGlobal("fetch", async () => answers[Math.min(asked++, answers.length - 1)]!());
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const names = ({ answer }: AcrossSearch): string[] => answer?.groups.map(({ dataset }) => dataset.name) ?? [];

test("what words found while the query worker was away stays until meaning answers, and is asked for ever more seldom", async () => {
  answers = [() => Response.json(answerOf(true, "words")), () => Response.json(answerOf(true, "words again")), () => Response.json(answerOf(false, "meaning"))];
  const search = new AcrossSearch();
  await search.ask({ text: "red", chips: [] });
  await vi.advanceTimersByTimeAsync(4 * SECONDS);
  expect([asked, names(search), search.searching]).toEqual([2, ["words"], false]);
  await vi.advanceTimersByTimeAsync(7 * SECONDS);
  expect(asked).toBe(2);
  await vi.advanceTimersByTimeAsync(SECONDS);
  expect([names(search), search.answer?.away]).toEqual([["meaning"], false]);
  await vi.advanceTimersByTimeAsync(600 * SECONDS);
  expect(asked).toBe(3);
});

test("a search that only the query worker could answer is asked again until it does, and says meanwhile why not", async () => {
  answers = [AWAY, AWAY, () => Response.json(answerOf(false, "meaning"))];
  const search = new AcrossSearch();
  await search.ask({ text: "red", chips: [] });
  await vi.advanceTimersByTimeAsync(4 * SECONDS);
  expect([asked, search.problem, search.searching]).toEqual([2, "The query worker is away.", false]);
  await vi.advanceTimersByTimeAsync(8 * SECONDS);
  expect([names(search), search.problem]).toEqual([["meaning"], null]);
});

test("nobody asks again for what was given up, or for what no time can mend", async () => {
  answers = [AWAY, () => Response.json({ detail: "Too long." }, { status: 422 })];
  const search = new AcrossSearch();
  await search.ask({ text: "red", chips: [] });
  await search.ask({ text: "", chips: [] });
  await vi.advanceTimersByTimeAsync(600 * SECONDS);
  expect([asked, search.problem]).toEqual([1, null]);
  await search.ask({ text: "blue", chips: [] });
  await vi.advanceTimersByTimeAsync(600 * SECONDS);
  expect([asked, search.problem]).toEqual([2, "Too long."]);
});
