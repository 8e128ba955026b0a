/** The map as the explorer knows it, and one that nobody sees: where its records are listed instead. */

import { Events } from "../map/events";
import { Flags } from "../map/flags";
import type { Tool } from "../map/gestures";
import type { MapEvents, MapView } from "../map/map_view";
import type { Camera } from "../map/viewport";

type Told = "flyTo" | "flyToBox" | "markHover" | "markOpen" | "recentre" | "retry" | "reveal" | "setCodes" | "setColumn" | "setGlow" | "setHidden";
type Shown = "setHits" | "setLabels" | "setSheets" | "showLabels" | "showPictures" | "zoomBy";
type Read = "camera" | "canvas" | "countInView" | "drawMinimap" | "events" | "flags" | "hasPictures" | "loading" | "n" | "screen" | "world";

export type Surface = Pick<MapView, Told | Shown | Read | "setCamera" | "setSelectionBits" | "tool">;

const nothing = (): void => undefined;

/** Remembers where a link pointed and what is selected, so that both go with the address back to the map. */
export class Unseen implements Surface {
  readonly flags: Flags;
  readonly events = new Events<MapEvents>();
  readonly canvas = document.createElement("canvas");
  readonly hasPictures = false;
  readonly loading = false;
  camera: Camera = { x: 0.5, y: 0.5, k: 1 };
  tool: Tool = "pan";

  constructor(readonly n: number) {
    this.flags = new Flags(n);
  }

  setCamera(camera: Camera): void {
    this.camera = camera;
    this.events.emit("camera", camera);
  }

  setSelectionBits(bits: Uint8Array | null): void {
    this.flags.selectBits(bits);
  }

  readonly screen = (): [number, number] => [0, 0];
  readonly world = (): [number, number] => [0, 0];
  readonly countInView = () => ({ count: 0, exact: true });
  readonly drawMinimap = () => nothing;

  readonly flyTo = nothing;
  readonly flyToBox = nothing;
  readonly markHover = nothing;
  readonly markOpen = nothing;
  readonly recentre = nothing;
  readonly retry = nothing;
  readonly reveal = nothing;
  readonly setCodes = nothing;
  readonly setColumn = nothing;
  readonly setGlow = nothing;
  readonly setHidden = nothing;
  readonly setHits = nothing;
  readonly setLabels = nothing;
  readonly setSheets = nothing;
  readonly showLabels = nothing;
  readonly showPictures = nothing;
  readonly zoomBy = nothing;
}
