/** The filters in force: what does not match is not on the map. */

import { select } from "../api/select";
import { asksTags, both, opposite, type Filter } from "../filters";
import type { Stage } from "./stage.svelte";

/** A part of the filter under the name of the control that made it: "artist", "caption words", … */
export type Parts = ReadonlyMap<string, Filter>;

export class Filters {
  parts = $state.raw<Parts>(new Map());
  /** Whether one part is enough. */
  any = $state(false);
  /** Points that are left on the map. */
  left = $state<number | null>(null);

  readonly filter: Filter | null = $derived.by(() => {
    const all = [...this.parts.values()];
    if (all.length < 2) return all[0] ?? null;
    return this.any ? { any: all } : { all };
  });

  /** What is left on the map: where records were removed the server has to say which there are, after each removal anew. */
  readonly shown: Filter | null = $derived.by(() => {
    void this.stage.removals;
    return this.stage.stale ? both(this.filter, { all: [] }) : this.filter;
  });

  private asking = new AbortController();

  constructor(
    private readonly stage: Stage,
    /** The hits of a search are to be asked for again. */
    private readonly changed: () => void,
  ) {}

  /** The same filters on another map. */
  adopt(): void {
    void this.apply();
  }

  of(name: string): Filter | null {
    return this.parts.get(name) ?? null;
  }

  /** Null takes the part away. */
  set(name: string, part: Filter | null): Promise<void> {
    const parts = new Map(this.parts);
    if (part) parts.set(name, part);
    else parts.delete(name);
    return this.setAll(parts);
  }

  /** Leaves only what matches this part as well; parts of which one was enough become one. */
  narrow(name: string, part: Filter): Promise<void> {
    const parts = new Map(this.any && this.parts.size > 1 && this.filter ? [[name, this.filter]] : this.parts);
    parts.set(name, both(parts.get(name) ?? null, part)!);
    return this.setAll(parts, false);
  }

  /** Other records have tags now, and `isGone` says which parts name one that is not there any more. */
  tagsChanged(isGone: (part: Filter) => boolean): void {
    const parts = [...this.parts].filter(([, part]) => !isGone(part));
    // As new ones, so that all that shows them asks again.
    if (this.filter && asksTags(this.filter)) void this.setAll(new Map(parts.map(([name, part]) => [name, { ...part }])));
  }

  /** What does not match it, instead of what does. */
  negate(name: string): Promise<void> {
    const part = this.of(name);
    return part ? this.set(name, opposite(part)) : Promise.resolve();
  }

  setAll(parts: Parts, any = this.any): Promise<void> {
    this.parts = parts;
    this.any = any;
    this.changed();
    return this.apply();
  }

  /** There are fewer records now. */
  recordsRemoved(): void {
    this.changed();
    void this.apply();
  }

  private async apply(): Promise<void> {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const { view, entry } = this.stage;
    const { shown } = this;
    if (!shown) {
      this.left = null;
      view.setHidden(null);
      return;
    }
    const found = await this.stage.attempt(select(entry, this.stage.asShown(shown), signal), signal, () => this.apply());
    if (signal.aborted || view !== this.stage.view || !found) return;
    this.left = found.count;
    view.setHidden(found.bits);
  }
}
