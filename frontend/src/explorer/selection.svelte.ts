/** Which records are selected. */

import type { MapRecord } from "../api/maps";
import type { Polygon } from "../map/region";
import type { Stage } from "./stage.svelte";

export class Selection {
  count = $state(0);

  constructor(private readonly stage: Stage) {}

  adopt(): void {
    this.count = 0;
  }

  toggle(ordinal: number): void {
    const now = new Set(this.stage.view.flags.selection());
    if (!now.delete(ordinal)) now.add(ordinal);
    this.set(now);
  }

  /** False when the region could not be read. */
  async addRegion(polygon: Polygon, add: boolean): Promise<boolean> {
    const { view } = this.stage;
    const found = await this.stage.attempt(view.ordinalsIn(polygon));
    if (!found) return false;
    this.set(add ? [...view.flags.selection(), ...found] : found);
    return true;
  }

  set(ordinals: Iterable<number>): void {
    const { view } = this.stage;
    view.select(ordinals);
    this.count = view.flags.selected;
  }

  /** The first records of the selection, to look at. */
  async records(most: number): Promise<MapRecord[]> {
    const ordinals: number[] = [];
    for (const ordinal of this.stage.view.flags.selection()) {
      if (ordinals.push(ordinal) === most) break;
    }
    return (await this.stage.attempt(this.stage.records.all(ordinals))) ?? [];
  }
}
