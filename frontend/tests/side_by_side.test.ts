import { expect, test } from "vitest";
import type { Explorer } from "../src/explorer/explorer.svelte";
import { Beside } from "../src/explorer/beside.svelte";
import { Events } from "../src/map/events";
import { linkCameras } from "../src/map/link_cameras";
import { frameOn, paintMinimap, type MinimapStyle } from "../src/map/minimap";
import type { Camera } from "../src/map/viewport";
import { pointAt } from "../src/map/tile";
import { madeMap } from "./made_map";

class FakeMap {
  readonly events = new Events<{ camera: Camera }>();
  readonly mover = this;
  camera: Camera = { x: 0.5, y: 0.5, k: 1 };
  moves = 0;
  setCamera(camera: Camera): void {
    this.moves++;
    this.camera = camera;
    this.events.emit("camera", camera);
  }
}

test("linked maps follow each other, once each, until they are parted", () => {
  const [a, b] = [new FakeMap(), new FakeMap()];
  a.camera = { x: 0.2, y: 0.3, k: 4 };
  const part = linkCameras(a, b);
  expect(b.camera).toEqual(a.camera);
  b.setCamera({ x: 0.7, y: 0.7, k: 9 });
  expect(a.camera).toEqual({ x: 0.7, y: 0.7, k: 9 });
  expect([a.moves, b.moves]).toEqual([1, 2]);
  part();
  a.setCamera({ x: 0, y: 0, k: 1 });
  expect(b.camera.k).toBe(9);
});

test("the minimap has a coloured pixel at every point of the sample and paper elsewhere", () => {
  const points = madeMap(500).loaded[0]!;
  const pixels = paintMinimap(points, 80, { paper: [1, 1, 1], frame: [0, 0, 0], colour: () => [1, 0, 0], codes: null, manner: () => "lit" });
  const places = new Set<number>();
  for (let i = 0; i < 500; i++) {
    const [x, y] = pointAt(points, i);
    places.add(Math.floor((1 - y) * 80) * 80 + Math.floor(x * 80));
  }
  for (let place = 0; place < 80 * 80; place++) expect(pixels[4 * place + 1]! < 255).toBe(places.has(place));
});

test("the minimap leaves out what a filter hides, and shows faintly what stands back", () => {
  const points = madeMap(500).loaded[0]!;
  const style = { paper: [1, 1, 1], frame: [0, 0, 0], colour: () => [1, 0, 0], codes: null } as unknown as MinimapStyle;
  const inkOf = (manner: "lit" | "back" | "hidden"): number => {
    const pixels = paintMinimap(points, 80, { ...style, manner: (ordinal) => (ordinal === 7 ? manner : "hidden") });
    return pixels.reduce((sum, part) => sum + 255 - part, 0);
  };
  expect(inkOf("hidden")).toBe(0);
  expect(inkOf("back")).toBeGreaterThan(0);
  expect(inkOf("back")).toBeLessThan(inkOf("lit") / 2);
});

test("the frame of the minimap is what the screen shows, within the map, and never too small to see", () => {
  expect(frameOn(100, { x: 0.5, y: 0.5, scale: 400, width: 200, height: 100 })).toEqual([25, 37.5, 50, 25]);
  expect(frameOn(100, { x: 0.5, y: 0.5, scale: 100, width: 800, height: 600 })).toEqual([0, 0, 100, 100]);
  const [, , width, height] = frameOn(100, { x: 0.5, y: 0.5, scale: 1e6, width: 800, height: 600 });
  expect([width, height]).toEqual([2, 2]);
});

test("a list remembers which second map its link named, if there is such a map", async () => {
  const beside = new Beside({ config: { maps: [{ space: "image" }, { space: "caption" }] } } as unknown as Explorer, null);
  await beside.show("caption");
  expect(beside.space).toBe("caption");
  await beside.show("joint");
  expect(beside.space).toBeNull();
});
