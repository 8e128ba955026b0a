import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Answer, Query } from "../src/api/search";
import type { Filters } from "../src/explorer/filters.svelte";
import { Search } from "../src/explorer/search.svelte";
import type { Stage } from "../src/explorer/stage.svelte";
import { saidAloud, saidOfHits } from "../src/panels/search/said";
import { pictureChip, textChip } from "../src/query";
import { NO_LINK } from "../src/url";

type AnswerHit = Answer["hits"][number];

const MAP = { id: "6f9619ff-8b86-d011-b42d-00cf4fc964ff", version: "0b5e6f3a-8b86-d011-b42d-00cf4fc964ff" };

const hit = (row: number, score: number, words: number | null = null, sure = words !== null): AnswerHit => ({ row, ordinal: row, x: 0.5, y: 0.5, score, parts: [score], words, sure });

/** Ten thousand records at score 0, and the hits. */
const answerOf = (hits: AnswerHit[], given: Partial<Answer> = {}): Answer => ({
  hits,
  relevant: hits.length,
  cut: 2,
  searched: 10_000,
  mode: "best",
  away: false,
  without: null,
  histogram: { from: -1, to: 5, counts: [0, 10_000, 0, 0, 0, 0] },
  marker: null,
  ...given,
});

let sent: Query[];
let shown: number[];
/** What the view was given for a glow, and of what it is asked for. */
let glows: (number[] | null)[];
let glowed: string[];
let flown: number;

beforeEach(() => {
  sent = [];
  shown = [];
  glows = [];
  glowed = [];
  flown = 0;
  vi.stubGlobal("requestAnimationFrame", (paint: () => void) => setTimeout(paint));
  vi.stubGlobal("document", { querySelector: () => null, cookie: "" });
});

afterEach(() => vi.unstubAllGlobals());

/** The server has but one answer. */
async function asked(answer: Answer): Promise<Search> {
  const search = made(() => Response.json(answer));
  await search.ask({ text: "red", chips: [textChip("square")] });
  return search;
}

/** On a map that shows nothing; a glow takes its time, and is one byte. */
function made(answers: (query: Query) => Response | Promise<Response>): Search {
  vi.stubGlobal("fetch", async (url: string, { body, signal }: { body: string; signal: AbortSignal }) => {
    const query = JSON.parse(body) as Query;
    if (url.endsWith("/glow")) {
      const [part] = query.parts;
      glowed.push(part && "text" in part ? part.text : "");
      await new Promise((resolve) => setTimeout(resolve, 1000));
      signal.throwIfAborted();
      return new Response(Uint8Array.of(glowed.length));
    }
    sent.push(query);
    return answers(query);
  });
  const view = {
    setHits: (hits: { ordinal: number }[]) => (shown = hits.map(({ ordinal }) => ordinal)),
    setGlow: (bytes: Uint8Array | null) => glows.push(bytes && [...bytes]),
    canvas: { clientWidth: 800, clientHeight: 600 },
    mover: { screen: () => [400, 300], flyToBox: () => flown++ },
  };
  const stage = { entry: MAP, config: { dataset: { id: "d" } }, view, camera: {}, asShown: <T>(content: T) => content, attempt: <T>(work: Promise<T>) => work.catch(() => null), tell: (error: Error, otherwise: (reason: string) => void) => otherwise(error.message) };
  return new Search(stage as unknown as Stage, { filter: null } as Filters);
}

test("back and forth between a question and a picture that has no key yet asks what was asked there, and the key that comes late nothing", async () => {
  const arrive: ((answer: Response) => void)[] = [];
  const search = made((query) => ("picture" in query ? new Promise<Response>((resolve) => arrive.push(resolve)) : Response.json(answerOf([hit(1, 3)]))));
  const asking = search.ask({ text: "", chips: [pictureChip("a".repeat(100))] });
  await vi.waitFor(() => expect(search.hits?.length).toBe(1));
  const there = { ...NO_LINK, ...search.link() };
  expect(there.parts).toEqual([`picture:${"a".repeat(100)}`]);
  await search.follow(NO_LINK);
  expect(search.hits).toBeNull();
  arrive[0]!(Response.json({ key: "0".repeat(32) }));
  await asking;
  expect([search.hits, search.link().parts]).toEqual([null, []]);

  const again = search.follow(there);
  await vi.waitFor(() => expect(arrive.length).toBe(2));
  arrive[1]!(Response.json({ key: "1".repeat(32) }));
  await again;
  expect([search.hits?.length, search.link().parts]).toEqual([1, [`picture:${"1".repeat(32)}`]]);
});

test("a search is about the version of the map that is shown", async () => {
  await asked(answerOf([hit(1, 3)]));
  expect(sent[0]).toMatchObject({ map: MAP.id, version: MAP.version });
});

test("words make a hit relevant only where the server is sure of it", async () => {
  const search = await asked(answerOf([hit(1, 3), hit(2, 0.5, 1, true), hit(3, 0.5, 2, false)], { relevant: 2 }));
  expect(shown).toEqual([1, 2]);
  expect(search.relevant.map(({ row }) => row)).toEqual([1, 2]);
  expect(search.ordered.map(({ row }) => row)).toEqual([1, 2, 3]);
  expect(search.total).toBe(2);
  expect(search.elsewhere).toBe(0);
});

test("what is selected of the hits is what is relevant, on this map or not", async () => {
  const search = await asked(answerOf([hit(1, 3), { ...hit(7, 2.5), ordinal: null, x: null, y: null }, hit(2, 0.5)], { relevant: 2 }));
  expect([search.rows, search.elsewhere]).toEqual([[1, 7], 1]);
  search.setCut(2.8);
  expect([search.rows, search.elsewhere]).toEqual([[1], 0]);
});

test("by words alone, too, what has but one of two texts is no hit", async () => {
  const search = await asked(answerOf([hit(1, 0, 1, true), hit(2, 0, 2, false)], { mode: "words", cut: null, histogram: null, relevant: 1 }));
  expect(shown).toEqual([1]);
  expect(search.ordered.map(({ row }) => row)).toEqual([1, 2]);
  expect([search.total, search.relevant.length]).toEqual([1, 1]);
});

test("a cut that is moved goes by the score alone, and back again", async () => {
  const search = await asked(answerOf([hit(1, 3, 1), hit(2, 2.5, 2), hit(3, 0.5, 3), hit(4, 0.2)], { relevant: 3 }));
  search.setCut(2.8);
  expect(shown).toEqual([1]);
  expect(search.total).toBe(1);
  search.setCut(null);
  expect(shown).toEqual([1, 2, 3]);
  expect(search.total).toBe(3);
});

test("below a cut that is moved there may be more than came, unless one without the words did not reach it", async () => {
  const lifted = await asked(answerOf([hit(1, 0.5, 1), hit(2, -0.5, 2)]));
  lifted.setCut(0);
  expect(lifted.total).toBe(10_000);
  const scored = await asked(answerOf([hit(1, 0.5), hit(2, -0.5)]));
  scored.setCut(0);
  expect(scored.total).toBe(1);
});

test("hits stay when more of them cannot be had, and go when another question cannot be answered", async () => {
  const many = answerOf(Array.from({ length: 500 }, (_, row) => hit(row, 3)), { relevant: 900 });
  vi.useFakeTimers();
  const search = made(({ limit, parts }) => ("text" in parts[0]! && parts[0].text === "red" && limit === 500 ? Response.json(many) : Response.json({ detail: "Not now." }, { status: 500 })));
  const asking = search.ask({ text: "red", chips: [] });
  await vi.runAllTimersAsync();
  await asking;
  expect(sent.map(({ limit }) => limit)).toEqual([500, 5000]);
  expect([search.hits?.length, shown.length, search.problem, search.searching, saidOfHits(search)]).toEqual([500, 500, null, false, "The best 500 are shown."]);
  await search.ask({ text: "blue", chips: [] });
  expect([search.hits, shown, search.problem]).toEqual([null, [], "Not now."]);
  vi.useRealTimers();
});

test("how many hits there are is said aloud once, not again with more of them", async () => {
  const many = (limit: number) => answerOf(Array.from({ length: Math.min(limit, 900) }, (_, row) => hit(row, 3)), { relevant: 900 });
  vi.useFakeTimers();
  const heard: string[] = [];
  const search = made(({ limit }) => {
    heard.push(saidAloud(search));
    return Response.json(many(limit));
  });
  for (const text of ["red", "blue"]) {
    const asking = search.ask({ text, chips: [] });
    await vi.runAllTimersAsync();
    await asking;
  }
  expect(heard).toEqual(["", "900 hits", "", "900 hits"]);
  vi.useRealTimers();
});

test("more hits of the same question do not end its glow, and another question has none of it", async () => {
  const many = (limit: number) => answerOf(Array.from({ length: Math.min(limit, 900) }, (_, row) => hit(row, 3)), { relevant: 900 });
  vi.useFakeTimers();
  const search = made(({ limit }) => Response.json(many(limit)));
  search.glowing = true;
  const asking = search.ask({ text: "red", chips: [] });
  await vi.runAllTimersAsync();
  await asking;
  expect([sent.length, glowed, glows.at(-1)]).toEqual([2, ["red"], [1]]);

  const other = search.ask({ text: "blue", chips: [] });
  await vi.advanceTimersByTimeAsync(600);
  expect([glowed, glows.at(-1)]).toEqual([["red", "blue"], null]);
  await vi.runAllTimersAsync();
  await other;
  expect([glowed, glows.at(-1)]).toEqual([["red", "blue"], [2]]);
  vi.useRealTimers();
});

test("the map flies to the hits that a later try brings, unless somebody moved it meanwhile or a link set it", async () => {
  vi.useFakeTimers();
  for (const [moves, linked, times] of [[false, false, 1], [true, false, 0], [false, true, 0]] as const) {
    let tries = 0;
    flown = 0;
    const search = made(() => (tries++ === 0 ? Response.json({ detail: "Away." }, { status: 503 }) : Response.json(answerOf([hit(1, 3), hit(2, 3)]))));
    const stage = (search as unknown as { stage: { camera: unknown } }).stage;
    await (linked ? search.follow({ ...NO_LINK, camera: { x: 0, y: 0, k: 1 }, query: "red" }) : search.ask({ text: "red", chips: [] }));
    expect([search.problem, flown]).toEqual(["Away.", 0]);
    if (moves) stage.camera = {};
    await vi.runAllTimersAsync();
    expect([search.hits?.length, flown]).toEqual([2, times]);
  }
  vi.useRealTimers();
});

test("as long as the query worker is away the hits stay as they are, and nobody is told of each try", async () => {
  vi.useFakeTimers();
  const back = answerOf([hit(2, 3)]);
  const search = made(() => Response.json(sent.length < 4 ? answerOf([hit(1, 0, 1, true)], { mode: "words", away: true, cut: null, histogram: null }) : back));
  const asking = search.ask({ text: "red", chips: [] });
  await vi.advanceTimersByTimeAsync(1000);
  await asking;
  const { hits, question } = search;
  expect([hits?.length, search.answer?.away]).toEqual([1, true]);
  for (let seconds = 0; seconds < 12; seconds++) {
    await vi.advanceTimersByTimeAsync(1000);
    expect(search.searching).toBe(false);
  }
  expect([sent.length, search.hits === hits]).toEqual([3, true]);

  await vi.runAllTimersAsync();
  expect([sent.length, search.hits?.[0]?.row, search.answer?.away, search.question]).toEqual([4, 2, false, question]);
  vi.useRealTimers();
});
