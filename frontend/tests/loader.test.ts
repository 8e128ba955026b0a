import { beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../src/api/http";
import { Loader } from "../src/map/loader";

beforeEach(() => void vi.useFakeTimers());

const settle = () => vi.advanceTimersByTimeAsync(0);

test("it asks for the most wanted first and never for too many at once", async () => {
  const asked: string[] = [];
  const done: (() => void)[] = [];
  const loader = new Loader<string>((key) => (asked.push(key), new Promise<void>((resolve) => done.push(resolve))), () => {}, 2);
  loader.want(["a", "b", "c", "d"]);
  expect(asked).toEqual(["a", "b"]);
  loader.want(["d", "a"]);
  done[0]!();
  await settle();
  expect(asked).toEqual(["a", "b", "d"]);
});

test("nothing is asked for twice, until it is forgotten", async () => {
  let asked = 0;
  const loader = new Loader<string>(async () => void asked++, () => {});
  loader.want(["a"]);
  await settle();
  loader.want(["a"]);
  await settle();
  expect(asked).toBe(1);
  expect(loader.pending).toBe(false);
  loader.forget("a");
  loader.want(["a"]);
  await settle();
  expect(asked).toBe(2);
});

test("what is forgotten while it is on its way is asked for again", async () => {
  const done: (() => void)[] = [];
  const loader = new Loader<string>(() => new Promise<void>((resolve) => done.push(resolve)), () => {});
  loader.want(["a"]);
  loader.forget("a");
  loader.want([]);
  done[0]!();
  await settle();
  loader.want(["a"]);
  expect([done.length, loader.pending]).toEqual([2, true]);
  done[1]!();
  await settle();
  expect(loader.pending).toBe(false);
});

test("a failure is tried again three times, then told once, and can be retried", async () => {
  let asked = 0;
  const failed: unknown[] = [];
  const loader = new Loader<string>(
    async () => {
      asked++;
      throw new Error("away");
    },
    (_, error) => failed.push(error),
  );
  loader.want(["a"]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked).toBe(4);
  expect(failed).toHaveLength(1);
  loader.retry();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked).toBe(8);
  expect(failed).toHaveLength(2);
});

test("what failed for good is tried anew by itself after a while", async () => {
  let [asked, away] = [0, true];
  const failed: unknown[] = [];
  const loader = new Loader<string>(
    async () => {
      asked++;
      if (away) throw new Error("away");
    },
    (_, error) => failed.push(error),
  );
  loader.want(["a"]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect([asked, failed.length]).toEqual([4, 1]);
  away = false;
  await vi.advanceTimersByTimeAsync(30_000);
  expect([asked, failed.length]).toEqual([5, 1]);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(asked).toBe(5);
});

test("an answer that never comes is given up, its request stopped, and asked for again", async () => {
  const signals: AbortSignal[] = [];
  const loader = new Loader<string>(
    (_, signal) => new Promise(() => signals.push(signal)),
    () => {},
  );
  loader.want(["a"]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(signals[0]!.aborted).toBe(true);
  expect(loader.pending).toBe(true);
  await vi.advanceTimersByTimeAsync(500);
  expect(signals).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(29_000);
  expect(signals[1]!.aborted).toBe(false);
  loader.close();
  expect(signals[1]!.aborted).toBe(true);
});

test("after a passing failure all is well", async () => {
  let asked = 0;
  const loader = new Loader<string>(
    async () => {
      if (asked++ === 0) throw new Error("once");
    },
    () => expect.unreachable(),
  );
  loader.want(["a"]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toBe(2);
  expect(loader.pending).toBe(false);
});

test("what is broken for good is told once, and asked for once every while", async () => {
  let asked = 0;
  const failed: unknown[] = [];
  const loader = new Loader<string>(
    async () => {
      asked++;
      throw new Error("broken");
    },
    (_, error) => failed.push(error),
  );
  loader.want(["a"]);
  await vi.advanceTimersByTimeAsync(100_000);
  expect([asked, failed.length]).toEqual([4 + 3, 1]);
});

test("what the server refuses is asked for once, and again only on request", async () => {
  let asked = 0;
  const failed: unknown[] = [];
  const loader = new Loader<string>(
    async () => {
      asked++;
      throw new ApiError(404, "There is no such file.");
    },
    (_, error) => failed.push(error),
  );
  loader.want(["a"]);
  await vi.advanceTimersByTimeAsync(100_000);
  expect([asked, failed.length]).toEqual([1, 1]);
  loader.retry();
  await vi.advanceTimersByTimeAsync(100_000);
  expect([asked, failed.length]).toEqual([2, 2]);
});

test("nobody waits for what hangs and is wanted no more, nor hears of it", async () => {
  let asked = 0;
  const loader = new Loader<string>(
    () => (asked++, new Promise(() => undefined)),
    () => expect.unreachable(),
  );
  loader.want(["a"]);
  loader.want([]);
  expect(loader.pending).toBe(false);
  await vi.advanceTimersByTimeAsync(200_000);
  expect(asked).toBe(1);
});
