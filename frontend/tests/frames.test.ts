import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Budget } from "../src/map/budget";
import { Frames } from "../src/map/frames";
import type { Viewport } from "../src/map/viewport";

type Parts = ConstructorParameters<typeof Frames>[0];

const MOST = 250_000;
let now: number;
let asked: ((now: number) => void)[];

beforeEach(() => {
  now = 0;
  asked = [];
  vi.stubGlobal("requestAnimationFrame", (draw: (now: number) => void) => asked.push(draw));
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
});

afterEach(() => void vi.unstubAllGlobals());

function pass(milliseconds: number): void {
  now += milliseconds;
  asked.splice(0).forEach((draw) => draw(now));
}

function framesWith(budget: Budget): Frames {
  const nothing = () => undefined;
  const parts = {
    glass: { gl: { isContextLost: () => false } },
    mover: { view: {}, isFlying: false, advance: () => false },
    sampler: { choose: () => [], size: () => 1 },
    scene: { draw: () => false },
    pictures: {},
    overlay: { draw: nothing },
    labels: { draw: nothing },
    minimaps: { draw: nothing },
    budget,
  };
  return new Frames(parts as unknown as Parts, { moved: nothing, painted: nothing });
}

test("a fast machine draws as many points after 30 turns of the wheel with pauses between", () => {
  const budget = new Budget(MOST);
  const frames = framesWith(budget);
  for (let turn = 0; turn < 30; turn++) {
    frames.cameraMoved();
    pass(16);
    for (let rest = 0; rest < 9; rest++) pass(16);
  }
  expect(budget.points).toBe(MOST);
});

test("a machine that takes long for each frame of a drag draws fewer", () => {
  const budget = new Budget(MOST);
  const frames = framesWith(budget);
  for (let turn = 0; turn < 30; turn++) {
    frames.cameraMoved();
    pass(60);
  }
  expect(budget.points).toBeLessThan(MOST / 4);
});

test("a journey of the points ends where nobody draws it any more", async () => {
  const frames = framesWith(new Budget(MOST));
  const travelled = frames.travel({} as Viewport, {} as Viewport, new Map());
  frames.arrive();
  await expect(travelled).resolves.toBeUndefined();
});
