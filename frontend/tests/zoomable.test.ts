import { describe, expect, it } from "vitest";
import { moved, WHOLE, zoomed } from "../src/zoomable";

describe("a picture that is zoomed", () => {
  it("keeps the place under the pointer", () => {
    const at = { x: 100, y: -40 };
    const { k, x, y } = zoomed({ k: 2, x: 10, y: 20 }, 1.5, at);
    expect([(at.x - x) / k, (at.y - y) / k]).toEqual([(at.x - 10) / 2, (at.y - 20) / 2]);
  });
  it("is never smaller than whole, and whole it is in the middle", () => expect(zoomed({ k: 1.1, x: 5, y: 5 }, 0.5)).toEqual(WHOLE));
  it("has an end", () => expect(zoomed(WHOLE, 1000).k).toBe(16));
  it("does not leave its frame", () => {
    const frame = { width: 400, height: 200 };
    expect(moved({ k: 2, x: 0, y: 0 }, 1000, -1000, frame)).toEqual({ k: 2, x: 200, y: -100 });
    expect(moved(WHOLE, 50, 50, frame)).toEqual(WHOLE);
  });
});
