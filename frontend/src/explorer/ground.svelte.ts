/** What panels stand on, with a map or without one: where errors are told and how what failed is asked for again. */

import type { MapConfig, MapEntry } from "../config";
import type { Column, Topic } from "../map/manifest";
import type { MapSource } from "../map/source";
import type { Filters } from "./filters.svelte";
import type { Selection } from "./selection.svelte";
import type { Tags } from "./tags.svelte";

export abstract class Ground {
  error = $state<string | null>(null);
  /** What "try again" does. */
  private readonly again = new Set<() => void>();

  abstract readonly entry: MapEntry;
  abstract readonly columns: Column[];
  abstract readonly topics: Topic[];
  abstract readonly map: { readonly source: MapSource };

  constructor(readonly config: MapConfig) {}

  /** Says that something could not be had, and how to have it after all. */
  fail(message: string, again: () => void): void {
    this.error = message;
    this.again.add(again);
  }

  retry(): void {
    this.error = null;
    const all = [...this.again];
    this.forgetFailures();
    all.forEach((ask) => ask());
  }

  protected forgetFailures(): void {
    this.again.clear();
  }

  /** The result, or null with the error told. What was aborted is told to nobody. */
  async attempt<T>(work: Promise<T>, signal?: AbortSignal): Promise<T | null> {
    try {
      return await work;
    } catch (error) {
      if (!signal?.aborted) this.error = error instanceof Error ? error.message : String(error);
      return null;
    }
  }
}

/** What filters, tags and exports need of what they are part of: the explorer, or the list of records without a map. */
export interface Host {
  readonly config: MapConfig;
  readonly stage: Ground;
  readonly filters: Filters;
  readonly tags: Tags;
  readonly look: { readonly theme: "light" | "dark" };
  readonly selection: Pick<Selection, "change">;
  readonly mayTag: boolean;
}
