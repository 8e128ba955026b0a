/** The map as the explorer knows it, and one that nobody sees: where its records are listed instead. */

import { Events } from "../map/events";
import { Flags } from "../map/flags";
import type { Tool } from "../map/gestures";
import type { MapEvents, MapView } from "../map/map_view";
import type { Mover } from "../map/mover";
import type { Pictures } from "../map/pictures";
import type { Camera } from "../map/viewport";

type Told = "invalidate" | "markHover" | "markOpen" | "retry" | "setCodes" | "setColumn" | "setGlow" | "setHidden" | "setHits" | "setLabels" | "showLabels";
type Read = "canvas" | "countInView" | "drawMinimap" | "events" | "flags" | "loading" | "lost" | "n" | "paintOn" | "placeOf";
type Moved = "camera" | "flyTo" | "flyToBox" | "recentre" | "reveal" | "screen" | "setCamera" | "world" | "zoomBy";

export interface Surface extends Pick<MapView, Told | Read | "setSelectionBits" | "tool"> {
  readonly mover: Pick<Mover, Moved>;
  readonly pictures: Pick<Pictures, "any" | "setSheets" | "show">;
}

const nothing = (): void => undefined;

/** Remembers where a link pointed and what is selected, so that both go with the address back to the map. */
export class Unseen implements Surface {
  readonly flags: Flags;
  readonly events = new Events<MapEvents>();
  readonly canvas = document.createElement("canvas");
  readonly mover = new UnseenMover(this.events);
  readonly pictures = { any: false, setSheets: nothing, show: nothing };
  readonly loading = false;
  readonly lost = false;
  tool: Tool = "pan";

  constructor(readonly n: number) {
    this.flags = new Flags(n);
  }

  setSelectionBits(bits: Uint8Array | null): void {
    this.flags.selectBits(bits);
  }

  readonly countInView = () => ({ count: 0, exact: true });
  readonly drawMinimap = () => nothing;
  readonly placeOf = () => ({ left: 0, top: 0, width: 0, height: 0 });

  readonly invalidate = nothing;
  readonly paintOn = nothing;
  readonly markHover = nothing;
  readonly markOpen = nothing;
  readonly retry = nothing;
  readonly setCodes = nothing;
  readonly setColumn = nothing;
  readonly setGlow = nothing;
  readonly setHidden = nothing;
  readonly setHits = nothing;
  readonly setLabels = nothing;
  readonly showLabels = nothing;
}

class UnseenMover {
  camera: Camera = { x: 0.5, y: 0.5, k: 1 };

  constructor(private readonly events: Events<MapEvents>) {}

  setCamera(camera: Camera): void {
    this.camera = camera;
    this.events.emit("camera", camera);
  }

  readonly screen = (): [number, number] => [0, 0];
  readonly world = (): [number, number] => [0, 0];

  readonly flyTo = nothing;
  readonly flyToBox = nothing;
  readonly recentre = nothing;
  readonly reveal = nothing;
  readonly zoomBy = nothing;
}
