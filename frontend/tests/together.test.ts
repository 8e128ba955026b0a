import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Stage } from "../src/explorer/stage.svelte";
import { Together, type Surroundings } from "../src/explorer/together.svelte";
import type { MapConfig } from "../src/config";
import type { OpenedMap } from "../src/open_map";
import { NO_LINK } from "../src/url";

const SECONDS = 1000;
const config = { dataset: { id: "d", may_comment: true, hide_captions: false }, maps: [], signed_in: true } as unknown as MapConfig;
const view = { mover: { camera: { x: 0.5, y: 0.5, k: 1 } } };
const comment = (id: string) => ({ id, pin: { map: "m", x: 0, y: 0 }, text: "", created_at: id, replies: [] });
const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
const listed = (...ids: string[]) => answer(200, { comments: ids.map(comment) });

let page: EventTarget & { visibilityState: string };
const fetched = vi.fn<() => Promise<Response>>();

beforeEach(() => {
  vi.useFakeTimers();
  page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  vi.stubGlobal("document", page);
  vi.stubGlobal("fetch", fetched.mockReset());
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function made(): Together {
  const stage = new Stage(config);
  stage.map = { entry: { id: "m" }, view } as unknown as OpenedMap;
  return new Together(stage, {} as Surroundings);
}

async function started(first: Response): Promise<Together> {
  fetched.mockResolvedValueOnce(first);
  const together = made();
  together.start();
  await vi.advanceTimersByTimeAsync(0);
  return together;
}

test.each([429, 500, 503])("an answer %i leaves the comments and is asked again, ever more rarely", async (status) => {
  const together = await started(listed("a"));
  fetched.mockImplementation(() => Promise.resolve(answer(status, { detail: "Not now." })));
  await vi.advanceTimersByTimeAsync(15 * SECONDS);
  expect(together.comments.map(({ id }) => id)).toEqual(["a"]);
  expect(fetched).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(600 * SECONDS);
  expect(fetched.mock.calls.length).toBeLessThan(10);
  fetched.mockImplementation(() => Promise.resolve(listed("a", "b")));
  await vi.advanceTimersByTimeAsync(120 * SECONDS);
  expect(together.comments.map(({ id }) => id)).toEqual(["a", "b"]);
});

test.each([401, 403, 404])("after an answer %i nothing is shown or asked for any more, also when the page is looked at again", async (status) => {
  const together = await started(listed("a"));
  fetched.mockImplementation(() => Promise.resolve(answer(status, { detail: "Not any more." })));
  await vi.advanceTimersByTimeAsync(15 * SECONDS);
  expect(together.comments).toEqual([]);
  fetched.mockClear();
  page.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(600 * SECONDS);
  page.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(0);
  expect(fetched).not.toHaveBeenCalled();
});

test("an older answer that comes late does not take the place of a newer one", async () => {
  const together = made();
  let answerLate!: (response: Response) => void;
  fetched.mockReturnValueOnce(new Promise((resolve) => (answerLate = resolve))).mockResolvedValueOnce(listed("a", "b"));
  const before = together.load();
  await together.load();
  answerLate(listed("a"));
  await before;
  expect(together.comments.map(({ id }) => id)).toEqual(["a", "b"]);
});

test("a comment is called deleted only where the server says so", async () => {
  const together = made();
  fetched.mockImplementation(() => Promise.resolve(answer(503, { detail: "Not now." })));
  await together.follow({ ...NO_LINK, comment: "a" });
  expect(together["stage"].error).toBe("The comments could not be loaded.");
  together["stage"].error = null;
  fetched.mockImplementation(() => Promise.resolve(listed()));
  together.close();
  await together.follow({ ...NO_LINK, comment: "a" });
  expect(together["stage"].error).toBe("This comment was deleted.");
});

test("a comment that somebody answers stays until that is sent or given up, though it was resolved or deleted meanwhile", async () => {
  const together = made();
  fetched.mockImplementation(() => Promise.resolve(listed("a", "b", "c")));
  await together.load();
  together.written.set("reply b", "Not yet: ");
  fetched.mockImplementation(() => Promise.resolve(listed("a", "c")));
  await together.load();
  expect(together.shown.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  fetched.mockImplementation(() => Promise.resolve(answer(403, { detail: "Not any more." })));
  await together.load();
  expect(together.shown.map(({ id }) => id)).toEqual(["b"]);
  together.written.delete("reply b");
  fetched.mockImplementation(() => Promise.resolve(listed("a", "c")));
  await together.load();
  expect(together.shown.map(({ id }) => id)).toEqual(["a", "c"]);
});

test("nothing is said of comments and views before they are there, and what does not come is asked for on request", async () => {
  const together = made();
  const stage = together["stage"];
  fetched.mockImplementation(() => Promise.resolve(answer(503, { detail: "Not now." })));
  together.tab = "comments";
  await together.load();
  expect([together.listed.size, stage.error]).toEqual([0, "The comments could not be loaded."]);
  fetched.mockImplementation(() => Promise.resolve(listed()));
  stage.retry();
  await vi.advanceTimersByTimeAsync(0);
  expect([[...together.listed], stage.error]).toEqual([["open"], null]);
  fetched.mockImplementation(() => Promise.resolve(answer(200, { views: [] })));
  await together.loadViews();
  expect(together.listed.has("views")).toBe(true);
});
