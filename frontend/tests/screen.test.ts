import { beforeEach, expect, test, vi } from "vitest";
import { watchContext } from "../src/map/screen";

let canvas: EventTarget;
let stop: AbortController;
let said: string[];

beforeEach(() => {
  vi.useFakeTimers();
  canvas = new EventTarget();
  stop = new AbortController();
  said = [];
  watchContext(canvas, { restored: () => said.push("restored"), lost: () => said.push("lost") }, stop.signal);
});

const send = (kind: string): Event => {
  const event = new Event(`webglcontext${kind}`, { cancelable: true });
  canvas.dispatchEvent(event);
  return event;
};

test("a lost context is asked back, and nothing is said where it soon comes", () => {
  expect(send("lost").defaultPrevented).toBe(true);
  vi.advanceTimersByTime(1000);
  send("restored");
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual(["restored"]);
});

test("a context that does not come back is told once, and one that comes late is drawn with again", () => {
  send("lost");
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual(["lost"]);
  send("restored");
  expect(said).toEqual(["lost", "restored"]);
});

test("a map that was closed says nothing", () => {
  send("lost");
  stop.abort();
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual([]);
});
