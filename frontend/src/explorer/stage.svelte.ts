/** What every part of the explorer stands on: the map that is shown and its records. */

import type { Topic } from "../map/manifest";
import type { MapView } from "../map/map_view";
import type { Found } from "../map/pick";
import type { Camera } from "../map/viewport";
import type { OpenedMap } from "../open_map";
import type { Records } from "../records";
import { Ground } from "./ground.svelte";

export class Stage extends Ground {
  map = $state.raw<OpenedMap>(null!);
  topics = $state.raw<Topic[]>([]);
  camera = $state.raw<Camera>({ x: 0.5, y: 0.5, k: 1 });

  readonly entry = $derived(this.map.entry);
  readonly columns = $derived(this.map.manifest.columns);

  adopt(map: OpenedMap): void {
    this.forgetFailures();
    this.map = map;
    this.camera = map.view.camera;
  }

  get view(): MapView {
    return this.map.view;
  }

  get records(): Records {
    return this.map.records;
  }

  override retry(): void {
    this.view.retry();
    super.retry();
  }
}

/** Where a record is on the map, if it is on it. */
export function placed({ ordinal, x, y }: { ordinal: number | null; x: number | null; y: number | null }): Found | null {
  return ordinal === null || x === null || y === null ? null : { ordinal, x, y };
}
