import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Singles, type Chosen, type SinglesFrame } from "../src/map/singles";
import { scaleOf } from "../src/map/viewport";

const VIEW = { x: 0.5, y: 0.5, scale: scaleOf(1), width: 800, height: 600 };
/** As many as are shown at once. */
const MOST = 200;
let fetched: number;

class FakeImage extends EventTarget {
  src = "";
  naturalWidth = 256;
  naturalHeight = 192;
  decode(): Promise<void> {
    fetched++;
    return new Promise((resolve) => setTimeout(resolve, 10));
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  fetched = 0;
  vi.stubGlobal("Image", FakeImage);
  vi.stubGlobal("createImageBitmap", async () => ({ width: 256, height: 192, close: () => undefined }));
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const BOX = { x0: 0.4, y0: 0.4, x1: 0.6, y1: 0.6 };
const FRAME = { view: VIEW, now: 0, step: 1, style: { alpha: 1 }, marks: { flags: { isSelected: () => false }, isHit: () => false, isLit: () => true, isVisible: () => true } };

/** Rests at a view that shows the next `MOST` pictures. */
async function look(singles: Singles, turn: number): Promise<void> {
  const list = Array.from({ length: MOST }, (_, i) => ({ ordinal: turn * MOST + i, x: 0.5, y: 0.5, room: BOX, from: 0 })) as Chosen[];
  for (const rest of [0, 200]) singles.choose(VIEW, turn * 1000 + rest, 1, `turn ${turn}`, () => list);
  await vi.advanceTimersByTimeAsync(10_000);
}

test("pictures that come where no frame is drawn, as in a hidden tab, do not throw each other out", async () => {
  const singles = new Singles(1000, () => undefined, () => expect.unreachable());
  singles.source = async (ordinals) => ordinals.map((ordinal) => `/pictures/${ordinal}`);
  await look(singles, 0);
  singles.draw(FRAME as unknown as SinglesFrame, new Map(), []);
  await look(singles, 1);
  singles.close();
  expect(fetched).toBe(2 * MOST);
});
