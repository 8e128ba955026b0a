import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DOUBLE_CLICK_MS, Gestures, type Tool } from "../src/map/gestures";
import type { Marks } from "../src/map/marks";
import type { Mover } from "../src/map/mover";
import type { Found } from "../src/map/pick";
import { Pointer } from "../src/map/pointer";
import { scaleOf, type Viewport } from "../src/map/viewport";

class Glass extends EventTarget {
  getBoundingClientRect = () => ({ left: 0, top: 0 });
  captured = 0;
  setPointerCapture = (): void => void this.captured++;
}

const POINT: Found = { ordinal: 7, x: 0.5, y: 0.5 };
let page: EventTarget;
let glass: Glass;
let said: string[];
let gestures: Gestures;

/** A map with one point, in the middle of its 200 by 200 pixels. */
beforeEach(() => {
  vi.useFakeTimers();
  page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  glass = new Glass();
  said = [];
  const view: Viewport = { x: 0.5, y: 0.5, scale: scaleOf(1), width: 200, height: 200 };
  const mover = { view, set: () => said.push("pan"), fly: () => said.push("zoom") } as unknown as Mover;
  const shown = { drawn: () => [], pictureAt: (x: number, y: number) => (Math.hypot(x - 100, y - 100) < 10 ? POINT : null) };
  const pointer = new Pointer(mover, { visibleHits: [], lit: "all" } as unknown as Marks, shown, {
    hover: () => undefined,
    walk: () => undefined,
    click: (found, add) => said.push(`${add ? "add" : "click"} ${found?.ordinal ?? "nothing"}`),
    open: () => undefined,
    drawing: (path) => said.push(path.length > 0 ? "drawing" : "drawn"),
    region: (polygon, manner) => said.push(`${manner} region of ${polygon.length / 2}`),
  });
  gestures = new Gestures(glass as unknown as HTMLElement, glass as unknown as HTMLElement, pointer.gestureHandlers());
});

afterEach(() => {
  gestures.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

interface Keys {
  shiftKey?: boolean;
  ctrlKey?: boolean;
  buttons?: number;
  altKey?: boolean;
  pointerId?: number;
  target?: Glass;
}

const NO_KEYS = { button: 0, buttons: 1, pointerId: 1, pointerType: "mouse", shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };

function send(kind: string, x: number, y: number, keys: Keys = {}): void {
  const { target = glass, ...rest } = keys;
  const event = Object.assign(new Event(kind), NO_KEYS, { clientX: x, clientY: y }, rest);
  glass.dispatchEvent(Object.defineProperty(event, "target", { value: target }));
}

function drag(path: [number, number][], keys: Keys = {}, end = true): void {
  send("pointerdown", ...path[0]!, keys);
  for (const place of path.slice(1)) send("pointermove", ...place, keys);
  if (end) send("pointerup", ...path.at(-1)!, keys);
}

const click = (x: number, y: number, keys: Keys = {}): void => drag([[x, y]], keys);
const LOOP: [number, number][] = [[20, 20], [120, 20], [120, 120], [20, 120]];

function escape(): Event {
  const event = Object.assign(new Event("keydown", { cancelable: true }), { key: "Escape" });
  page.dispatchEvent(event);
  return event;
}

test("a drag under 4 pixels is a click, a longer one pans", () => {
  drag([[100, 100], [103, 100]]);
  expect(said).toEqual(["click 7"]);
  drag([[100, 100], [105, 100]]);
  expect(said).toEqual(["click 7", "pan"]);
});

test("Shift draws a lasso, with Ctrl besides a box, Alt takes away", () => {
  drag(LOOP, { shiftKey: true });
  drag(LOOP.slice(0, 3), { shiftKey: true, ctrlKey: true });
  drag(LOOP, { shiftKey: true, altKey: true });
  expect(said.filter((each) => each.includes("region"))).toEqual(["add region of 4", "add region of 4", "take region of 4"]);
});

test.each<[string, Keys, Tool]>([["with Shift", { shiftKey: true }, "pan"], ["with the tool", {}, "lasso"]])(
  "Escape ends a drawing that was begun %s: nothing is selected, and nothing else is ended by it",
  (_, keys, tool) => {
    gestures.tool = tool;
    drag(LOOP, keys, false);
    expect(escape().defaultPrevented).toBe(true);
    send("pointermove", 30, 30, keys);
    send("pointerup", 30, 30, keys);
    expect(said.at(-1)).toBe("drawn");
    expect(said.filter((each) => each.includes("region"))).toEqual([]);
    expect(escape().defaultPrevented).toBe(false);
  },
);

test("Escape is for others while the map is dragged", () => {
  drag([[20, 20], [60, 20]], {}, false);
  expect(escape().defaultPrevented).toBe(false);
});

test("Shift or Ctrl and a click adds", () => {
  click(100, 100, { shiftKey: true });
  click(100, 105, { ctrlKey: true });
  expect(said[0]).toBe("add 7");
});

test("a click where nothing is counts once it is not the first of two, which zoom", () => {
  click(20, 20);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(DOUBLE_CLICK_MS);
  expect(said).toEqual(["click nothing"]);
  said.length = 0;
  vi.advanceTimersByTime(1000);
  const now = vi.spyOn(Event.prototype, "timeStamp", "get").mockReturnValue(50_000);
  click(20, 20);
  click(20, 20);
  now.mockRestore();
  vi.advanceTimersByTime(1000);
  expect(said).toEqual(["zoom"]);
});

test("a name on the map hears its own clicks, and is dragged as the map is", () => {
  const name = new Glass();
  click(100, 100, { target: name });
  expect([said, name.captured, glass.captured]).toEqual([[], 1, 0]);
  drag([[100, 100], [120, 100]], { target: name });
  expect(said).toEqual(["pan"]);
  expect(glass.captured).toBe(1);
});

test.each(["a second finger", "what takes the pointer away"])("%s ends a drawing, and nothing of it is left", (by) => {
  drag(LOOP, { shiftKey: true }, false);
  if (by === "a second finger") send("pointerdown", 50, 50, { pointerId: 2 });
  else send("pointercancel", 20, 120);
  expect(said.at(-1)).toBe("drawn");
  send("pointerup", 20, 120);
  expect(said.filter((each) => each.includes("region"))).toEqual([]);
});

test("the finger that is left of a pinch moves the map on, and its end is no click", () => {
  send("pointerdown", 80, 100);
  send("pointerdown", 120, 100, { pointerId: 2 });
  send("pointermove", 140, 100, { pointerId: 2 });
  send("pointerup", 140, 100, { pointerId: 2 });
  said.length = 0;
  send("pointermove", 85, 100);
  send("pointerup", 85, 100);
  vi.advanceTimersByTime(1000);
  expect(said).toEqual(["pan"]);
});

test("a pointer that was let go where nobody heard it, as Ctrl and click on a Mac, neither pans nor draws", () => {
  const released = (keys: Keys): string[] => {
    said = [];
    send("pointerdown", 20, 20, keys);
    for (const [x, y] of LOOP) send("pointermove", x, y, { ...keys, buttons: 0 });
    return said;
  };
  expect(released({ ctrlKey: true })).toEqual([]);
  expect(released({ ctrlKey: true, shiftKey: true })).toEqual([]);
  drag(LOOP, { shiftKey: true }, false);
  send("pointermove", 30, 30, { shiftKey: true, buttons: 0 });
  expect(said.at(-1)).toBe("drawn");
  click(100, 100);
  expect(said.at(-1)).toBe("click 7");
});
