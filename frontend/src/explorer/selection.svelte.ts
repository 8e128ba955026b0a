/** Which records are selected: a filter, painted on whichever map is shown and counted by the server. */

import { select, table, type Page } from "../api/select";
import { asksTags, both, minus, onMap, opposite, union, type Filter } from "../filters";
import type { Manner } from "../map/manner";
import type { Polygon } from "../map/region";
import { simplified } from "./simplify";
import type { Stage } from "./stage.svelte";

export class Selection {
  filter = $state.raw<Filter | null>(null);
  count = $state(0);
  /** Until the server has answered. */
  busy = $state(false);

  /** What `filter` becomes once the server has answered: several changes may be on their way. */
  asked = $state.raw<Filter | null>(null);

  private asking = new AbortController();

  constructor(private readonly stage: Stage) {}

  /** The same records on another map. */
  adopt(): void {
    void this.set(this.filter);
  }

  /** Resolves once the map shows it; a selection that cannot be had leaves the one before. */
  async set(filter: Filter | null): Promise<void> {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const { view, entry } = this.stage;
    this.asked = filter;
    if (!filter || isEmpty(filter)) return this.show(null, null, 0);
    this.busy = true;
    const found = await this.stage.attempt(select(entry, this.stage.asShown(filter), signal), signal, () => this.set(filter));
    if (signal.aborted || view !== this.stage.view) return;
    this.busy = false;
    if (found) this.show(filter, found.bits, found.count);
    else this.asked = this.filter;
  }

  change(part: Filter, manner: Manner): Promise<void> {
    if (manner === "add") return this.set(union(this.asked, part));
    if (manner === "take") return this.asked ? this.set(minus(this.asked, part)) : Promise.resolve();
    return this.set(part);
  }

  addRegion(polygon: Polygon, manner: Manner, map = this.stage.entry): Promise<void> {
    const region = simplified(polygon).map(([x, y]): [number, number] => [short(x), short(y)]);
    return this.change({ region, ...onMap(map) }, manner);
  }

  addTopic(topic: number, manner: Manner): Promise<void> {
    return this.change({ topic, ...onMap(this.stage.entry) }, manner);
  }

  /** Adds a row or takes it out; what was `picked` before it is in the selection that the two begin. */
  toggle(row: number, selected: boolean, picked: number | null): Promise<void> {
    if (selected) return this.change({ rows: [row] }, "take");
    const begins = this.asked === null && picked !== null && picked !== row;
    return this.change({ rows: begins ? [picked, row] : [row] }, "add");
  }

  /** As for the filters. */
  tagsChanged(isGone: (part: Filter) => boolean): void {
    const { asked } = this;
    if (asked && asksTags(asked)) void this.set(isGone(asked) ? null : { ...asked });
  }

  invert(): Promise<void> {
    return this.asked ? this.set(opposite(this.asked)) : Promise.resolve();
  }

  /** The first records of the selection that a further filter leaves, to look at, and how many these are. */
  page(most: number, within: Filter | null, signal: AbortSignal): Promise<Page | null> {
    const { config, entry } = this.stage;
    const query = { filter: this.stage.asShown(both(this.filter, within)), sort: "row", offset: 0, limit: most };
    return this.stage.attempt(table(config.dataset.id, entry, query, signal), signal);
  }

  private show(filter: Filter | null, bits: Uint8Array | null, count: number): void {
    this.busy = false;
    this.asked = this.filter = filter;
    this.count = count;
    this.stage.view.setSelectionBits(bits);
  }
}

const isEmpty = (filter: Filter): boolean => "rows" in filter && filter.rows.length === 0;

/** A hundredth of a pixel at the deepest zoom: shorter in an address. */
const short = (value: number): number => Number(value.toPrecision(8));
