/** What a person does to the map with mouse, touch, pen and keys. */

import type { Events } from "./events";
import { Gestures, type Tool } from "./gestures";
import { handleKey } from "./keyboard";
import type { MapEvents } from "./map_events";
import type { Marks } from "./marks";
import type { Mover } from "./mover";
import type { Overlay } from "./overlay";
import type { Found } from "./pick";
import { Pointer, type Shown } from "./pointer";

export class Input {
  private readonly pointer: Pointer;
  private readonly gestures: Gestures;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    mover: Mover,
    private readonly marks: Marks,
    shown: Shown,
    private readonly overlay: Overlay,
    private readonly events: Events<MapEvents>,
    /** The next frame is to show what changed. */
    private readonly changed: () => void,
  ) {
    this.pointer = new Pointer(mover, marks, shown, {
      hover: (found) => this.hovered(found),
      walk: (found) => events.emit("walk", found),
      click: (found, add) => events.emit("click", { found, add }),
      open: (found) => events.emit("open", found),
      drawing: (path) => overlay.drawRegion(path),
      region: (polygon, manner) => events.emit("region", { polygon, manner }),
    });
    const stage = canvas.parentElement!;
    this.gestures = new Gestures(stage, canvas, this.pointer.gestureHandlers());
    const keys = this.pointer.keyHandlers();
    canvas.addEventListener("keydown", (event) => {
      if (handleKey(event, keys)) delete canvas.dataset["pressed"];
    });
    stage.addEventListener("pointerdown", () => (canvas.dataset["pressed"] = ""));
    canvas.addEventListener("blur", () => delete canvas.dataset["pressed"]);
  }

  set tool(tool: Tool) {
    this.gestures.tool = tool;
    this.canvas.dataset["tool"] = tool;
  }

  /** What a click at this place of the screen would meet. */
  find(sx: number, sy: number): Found | null {
    return this.pointer.find(sx, sy);
  }

  /** Marks a point as if the pointer were over it; nobody is told. */
  mark(found: Found | null): void {
    this.pointer.hovered = found;
    this.overlay.hover(found);
    this.changed();
  }

  /** What is hidden now is under the pointer no more. */
  filtered(): void {
    const { hovered } = this.pointer;
    if (hovered && !this.marks.isVisible(hovered.ordinal)) this.pointer.hover(null);
  }

  close(): void {
    this.gestures.close();
  }

  private hovered(found: Found | null): void {
    this.overlay.hover(found);
    this.canvas.dataset["over"] = found ? "point" : "";
    this.changed();
    this.events.emit("hover", found);
  }
}
