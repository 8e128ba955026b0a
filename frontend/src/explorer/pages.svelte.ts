/** A sorted list of records that the server holds: only the pages that are looked at are fetched. */

import type { MapRecord } from "../api/maps";
import { table, type Order } from "../api/select";
import type { Filter } from "../filters";
import type { Stage } from "./stage.svelte";

const PAGE = 200;
/** Scrolling past a page in less than this does not ask for it. */
const REST_MS = 60;

export class Pages {
  total = $state(0);
  /** Whether `total` is of the list that was asked for last. */
  counted = $state(false);
  /** Whether what was asked for last could not be had. */
  failed = $state(false);
  private pages = $state.raw<ReadonlyMap<number, MapRecord[]>>(new Map());

  private filter: Filter | null = null;
  private order: Order = { sort: "row", by: "column" };
  private asked = new Set<number>();
  private asking = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly stage: Stage) {}

  /** Another list from the start. */
  ask(filter: Filter | null, order: Order): void {
    this.asking.abort();
    this.asking = new AbortController();
    [this.filter, this.order, this.asked] = [filter, order, new Set()];
    this.pages = new Map();
    this.counted = false;
    void this.fetch(0);
  }

  close(): void {
    clearTimeout(this.timer);
    this.asking.abort();
  }

  at(index: number): MapRecord | null {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  /** Where a row is, as far as is known; -1 = nowhere. */
  placeOf(row: number): number {
    for (const [page, records] of this.pages) {
      const at = records.findIndex((record) => record.row === row);
      if (at >= 0) return page * PAGE + at;
    }
    return -1;
  }

  want(first: number, last: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      for (let page = Math.floor(first / PAGE); page * PAGE < last; page++) void this.fetch(page);
    }, REST_MS);
  }

  private async fetch(page: number): Promise<void> {
    if (this.asked.has(page)) return;
    this.asked.add(page);
    this.failed = false;
    const { signal } = this.asking;
    const { config, entry } = this.stage;
    const query = { filter: this.stage.asShown(this.filter), ...this.order, offset: page * PAGE, limit: PAGE };
    const found = await this.stage.attempt(table(config.dataset.id, entry, query, signal), signal, () => this.fetch(page));
    if (signal.aborted) return;
    this.failed = !found;
    if (!found) return void this.asked.delete(page);
    this.total = found.total;
    this.counted = true;
    this.pages = new Map(this.pages).set(page, found.records);
  }
}
