/** What every part of the explorer stands on: the map that is shown, its records, and where errors are told. */

import type { MapConfig } from "../config";
import type { Topic } from "../map/manifest";
import type { Found } from "../map/pick";
import type { Camera } from "../map/viewport";
import type { OpenedMap } from "../open_map";
import type { Records } from "../records";
import * as text from "../text";
import type { Surface } from "./surface";

export class Stage {
  map = $state.raw<OpenedMap>(null!);
  /** Of the map that is shown, once they are known. */
  topics = $state.raw<Topic[]>([]);
  camera = $state.raw<Camera>({ x: 0.5, y: 0.5, k: 1 });
  error = $state<string | null>(null);
  /** What "try again" does. */
  private readonly again = new Set<() => void>();

  readonly entry = $derived(this.map.entry);
  readonly columns = $derived(this.map.manifest.columns);
  /** Whether the map can be seen; if not, its records are listed. */
  readonly drawn = $derived(this.map.drawn);

  constructor(readonly config: MapConfig) {}

  adopt(map: OpenedMap): void {
    this.again.clear();
    this.map = map;
    this.topics = [];
    this.camera = map.view.mover.camera;
  }

  get view(): Surface {
    return this.map.view;
  }

  get records(): Records {
    return this.map.records;
  }

  /** Says that something could not be had, and how to have it after all. */
  fail(message: string, again: () => void): void {
    this.error = message;
    this.again.add(again);
  }

  /** Shows what a map's files say, unless another map is shown by then; a failure is said, and asked for again on request. */
  ask<T>(map: OpenedMap, problem: string, asked: () => Promise<T>, show: (found: T) => void): void {
    asked().then(
      (found) => this.map === map && show(found),
      () => this.map === map && this.fail(problem, () => this.ask(map, problem, asked, show)),
    );
  }

  retry(): void {
    this.error = null;
    const all = [...this.again];
    this.again.clear();
    this.view.retry();
    all.forEach((ask) => ask());
  }

  /** The result, or null with the error told. What was aborted is told to nobody. */
  async attempt<T>(work: Promise<T>, signal?: AbortSignal): Promise<T | null> {
    try {
      return await work;
    } catch (error) {
      if (!signal?.aborted) this.error = text.reason(error);
      return null;
    }
  }
}

/** Where a record is on the map, if it is on it. */
export function placed({ ordinal, x, y }: { ordinal: number | null; x: number | null; y: number | null }): Found | null {
  return ordinal === null || x === null || y === null ? null : { ordinal, x, y };
}
