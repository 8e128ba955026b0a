/** The records in place of a map: the hits, best first, or what the filters leave, in the order of the table. */

import type { MapRecord } from "../api/maps";
import { table, type Page } from "../api/select";
import { union, type Filter } from "../filters";
import type { Explorer } from "./explorer.svelte";
import type { SearchHit } from "./hits";

const PAGE = 60;
/** Where nothing is relevant, so many of the nearest are listed. */
const NEAREST = 20;

export class Listing {
  records = $state.raw<MapRecord[]>([]);
  total = $state(0);
  busy = $state(true);
  /** Whether nothing of what is to be listed could be had. */
  failed = $state(false);

  /** Those of the listed ones that are selected, by row. */
  readonly picked: ReadonlySet<number> = $derived(this.selected());

  private asking = new AbortController();
  /** Where a range of records begins, where it ended last, and what was selected besides. */
  private from = 0;
  private last: number | null = null;
  private besides: Filter | null = null;

  constructor(private readonly explorer: Explorer) {}

  // --- listing ------------------------------------------------------------------------------------------------

  /** From the first record on. An effect that calls it calls it again when others are to be listed. */
  start(): void {
    this.last = null;
    void this.fetch(0, this.page(0));
  }

  more(): void {
    void this.fetch(this.records.length, this.page(this.records.length));
  }

  /** What fails is said, and what was there before stays. */
  private async fetch(offset: number, page: (signal: AbortSignal) => Promise<Page>): Promise<void> {
    this.asking.abort();
    const { signal } = (this.asking = new AbortController());
    this.busy = true;
    this.failed = false;
    const found = await this.explorer.stage.attempt(page(signal), signal, () => this.fetch(offset, page));
    if (signal.aborted) return;
    this.busy = false;
    this.failed = !found && offset === 0;
    if (!found) return;
    this.records = offset > 0 ? this.with(found.records) : found.records;
    this.total = found.total;
  }

  /** What somebody changed meanwhile may bring a record of the page before once more. */
  private with(records: MapRecord[]): MapRecord[] {
    const known = new Set(this.records.map(({ row }) => row));
    return [...this.records, ...records.filter(({ row }) => !known.has(row))];
  }

  /** Reads at once what is to be listed, and asks for it when it is called. */
  private page(offset: number): (signal: AbortSignal) => Promise<Page> {
    const { search, filters, stage, config, order } = this.explorer;
    const query = { filter: stage.asShown(filters.filter), ...order, offset, limit: PAGE };
    const { entry } = stage;
    const hits = search.hits && this.hits(search.relevant, search.ordered);
    if (!hits) return (signal) => table(config.dataset.id, entry, query, signal);
    const ordinals = hits.slice(offset, offset + PAGE).map(({ ordinal }) => ordinal);
    return async () => ({ records: await stage.records.all(ordinals), total: hits.length });
  }

  private hits(relevant: SearchHit[], ordered: SearchHit[]): SearchHit[] {
    return relevant.length > 0 ? relevant : ordered.slice(0, NEAREST);
  }

  // --- selecting ----------------------------------------------------------------------------------------------

  private selected(): Set<number> {
    const { selection, stage } = this.explorer;
    const { asked } = selection;
    if (asked && "rows" in asked) return new Set(asked.rows);
    const { flags } = stage.view;
    const is = ({ ordinal }: MapRecord): boolean => ordinal !== null && flags.isSelected(ordinal);
    return new Set(selection.filter ? this.records.filter(is).map(({ row }) => row) : []);
  }

  /** Selects a listed record, or no more; `range`: with all from the one before. */
  mark(at: number, range: boolean): void {
    if (range && this.last !== null) return this.extend(this.last, at);
    const { selection } = this.explorer;
    const { row } = this.records[at]!;
    this.begin(at);
    void selection.toggle(row, this.picked.has(row), null);
  }

  /** The range that ended at `at` ends at `to` now; if none did, one begins there. */
  extend(at: number, to: number): void {
    if (this.last !== at) this.begin(at);
    this.last = to;
    const [first, last] = [Math.min(this.from, to), Math.max(this.from, to)];
    const rows = this.records.slice(first, last + 1).map(({ row }) => row);
    void this.explorer.selection.set(union(this.besides, { rows }));
  }

  private begin(at: number): void {
    this.from = this.last = at;
    this.besides = this.explorer.selection.asked;
  }
}
