import "../../src/style/index.css";
import { firstPaint, settleWebGL, wanted, type FirstPaint } from "./contender";
import { openMap } from "../../src/open_map";
import type { MapView } from "../../src/map/map_view";

window.started = start();

/** What the core keeps to itself; measuring may look. */
interface Inside {
  frames: {
    drawn: { prefix: { fading: number } }[];
    parts: { budget: { points: number; frame(milliseconds: number): void } };
  };
}

async function start(): Promise<FirstPaint> {
  const n = wanted.get("points");
  const map = await openMap({ id: n!, space: "image", version: "1", layout: "1", base_url: `/maps/${n}/`, count: Number(n), renamed: {} }, document.getElementById("main")!);
  const { view } = map;
  const painted = new Promise<FirstPaint>((resolve) => view.events.on("firstpaint", () => resolve(firstPaint())));
  const { frames } = view as unknown as Inside;
  if (wanted.has("all")) {
    frames.parts.budget.points = 1e9;
    frames.parts.budget.frame = () => {};
  }
  window.contender = {
    settle: () => settleWebGL(view.canvas),
    drawn: () => frames.drawn.reduce((sum, { prefix }) => sum + prefix.fading, 0),
    camera: (x, y, scale) => view.mover.setCamera({ x, y, k: scale / 1024 }),
    highlight: (ordinals) => view.setHits(ordinals.map((ordinal, i) => ({ ordinal, ...place(ordinal), score: 1 - i / ordinals.length })), true),
    pick: (x, y) => view.hitAt(x, y),
  };
  Object.assign(window, { view: view satisfies MapView });
  return painted;
}

/** The server says where its hits lie; here any place will do. */
const place = (ordinal: number) => ({ x: 0.2 + 0.6 * ((ordinal * 0.754877) % 1), y: 0.2 + 0.6 * ((ordinal * 0.56984) % 1) });
