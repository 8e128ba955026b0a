/** The records without a map: searched, filtered, selected, opened one by one. */

import { mapFiles, neighboursOf, recordOf, recordsAt, type MapRecord } from "../api/maps";
import { search, type QueryPart } from "../api/search";
import { table } from "../api/select";
import type { MapConfig, MapEntry } from "../config";
import { both, minus, readFilter, readParts, union, type Filter } from "../filters";
import type { Column, Manifest, Topic } from "../map/manifest";
import type { Manner } from "../map/manner";
import type { MapSource } from "../map/source";
import { readPart, writePart } from "../query";
import { currentTheme } from "../site/theme";
import type { Link } from "../url";
import type { OpenRecord } from "./detail.svelte";
import { Filters } from "./filters.svelte";
import { Ground, type Host } from "./ground.svelte";
import { Tags } from "./tags.svelte";

const PAGE = 60;
const MOST = 500;

class ListGround extends Ground {
  columns = $state.raw<Column[]>([]);
  topics: Topic[] = [];
  readonly map: { source: MapSource };
  /** There is none: what a map would hide, the list asks the server to leave out. */
  readonly view = { setHidden: (): void => undefined };

  constructor(config: MapConfig, readonly entry: MapEntry) {
    super(config);
    this.map = { source: mapFiles(entry.base_url) };
    void this.load();
  }

  private async load(): Promise<void> {
    const manifest = await (this.map.source.json("manifest.json") as Promise<Manifest>).catch(() => null);
    if (manifest) this.columns = manifest.columns;
    else this.fail("What the records can be filtered by could not be loaded.", () => void this.load());
  }
}

export class Listing implements Host {
  readonly stage: ListGround;
  readonly filters: Filters;
  readonly tags: Tags;
  readonly look = { theme: currentTheme() };
  readonly selection = { change: (part: Filter, manner: Manner): Promise<void> => this.select(part, manner) };

  query = $state("");
  /** What a link asks for besides words: pictures, records. */
  parts = $state.raw<QueryPart[]>([]);
  records = $state.raw<MapRecord[]>([]);
  /** Hits by ordinal, best first; null = no search. */
  found = $state.raw<number[] | null>(null);
  total = $state(0);
  busy = $state(false);
  selected = $state.raw<Filter | null>(null);
  /** How many are selected, and which of those that are listed. */
  count = $state(0);
  picked = $state.raw<ReadonlySet<number>>(new Set());
  opened = $state.raw<OpenRecord | null>(null);

  private asking = new AbortController();

  constructor(
    readonly config: MapConfig,
    entry: MapEntry,
    private readonly link: Link,
  ) {
    this.stage = new ListGround(config, entry);
    this.tags = new Tags(this.stage, () => undefined);
    this.filters = new Filters(this.stage, () => void this.start());
    this.query = link.query;
    this.parts = link.parts.map(readPart).filter((part) => part !== null);
    void this.filters.setAll(...filtersOf(link));
    void this.tags.load();
    if (link.record !== null) void this.openRow(link.record);
  }

  get mayTag(): boolean {
    const { may_tag, may_edit } = this.config.dataset;
    return may_tag ?? may_edit ?? false;
  }

  private get dataset(): string {
    return this.config.dataset.id;
  }

  /** What is listed, as a link to it says it. */
  address(): Link {
    const { parts, any } = this.filters;
    const filters = parts.size > 0 ? JSON.stringify([...parts]) : null;
    const { query, opened } = this;
    return { ...this.link, query, parts: this.parts.map((part) => writePart({ subject: part, weight: part.weight })), filters, any, selection: null, record: opened?.record.row ?? null };
  }

  // --- listing ------------------------------------------------------------------------------------------------

  /** From the first record on, or the best hit. */
  async start(): Promise<void> {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const words = this.query.trim();
    const parts = [...(words ? [{ text: words, weight: 1 }] : []), ...this.parts];
    await this.attempt(signal, async () => (parts.length > 0 ? this.search(parts, signal) : this.page(0, signal)));
  }

  more(): Promise<void> {
    const { signal } = this.asking;
    return this.attempt(signal, async () => {
      const { found, records } = this;
      if (!found) return this.page(records.length, signal);
      const next = await recordsAt(this.stage.entry, found.slice(records.length, records.length + PAGE), signal);
      this.records = [...records, ...next];
    });
  }

  similar(record: MapRecord): Promise<void> {
    this.close();
    this.query = "";
    this.parts = [{ row: record.row, weight: 1 }];
    return this.start();
  }

  /** What fails is said, and what was there before stays. */
  private async attempt(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.stage.error = null;
    try {
      await work();
      await this.mark();
    } catch (problem) {
      if (signal.aborted) return;
      this.stage.fail(problem instanceof Error ? problem.message : String(problem), () => void this.start());
    }
    this.busy = false;
  }

  private async page(offset: number, signal: AbortSignal): Promise<void> {
    const query = { filter: this.filters.filter, sort: "row", offset, limit: PAGE, map: this.stage.entry.id };
    const { records, total } = await table(this.dataset, query, signal);
    this.found = null;
    this.records = offset > 0 ? [...this.records, ...records] : records;
    this.total = total;
  }

  private async search(parts: QueryPart[], signal: AbortSignal): Promise<void> {
    const { entry } = this.stage;
    const { against, mode } = this.link;
    const answer = await search(this.dataset, { map: entry.id, parts, against, mode, limit: MOST, filter: this.filters.filter }, signal);
    const relevant = answer.hits.slice(0, Math.max(20, answer.relevant));
    const ordinals = relevant.map((hit) => hit.ordinal).filter((ordinal) => ordinal !== null);
    this.records = ordinals.length > 0 ? await recordsAt(entry, ordinals.slice(0, PAGE), signal) : [];
    this.found = ordinals;
    this.total = ordinals.length;
  }

  // --- selecting ----------------------------------------------------------------------------------------------

  toggle({ row }: MapRecord): Promise<void> {
    return this.select({ rows: [row] }, this.picked.has(row) ? "take" : "add");
  }

  async select(part: Filter | null, manner: Manner = "new"): Promise<void> {
    if (!part || manner === "new") this.selected = part;
    else if (manner === "add") this.selected = union(this.selected, part);
    else this.selected = this.selected && minus(this.selected, part);
    if (this.selected && "rows" in this.selected && this.selected.rows.length === 0) this.selected = null;
    await this.stage.attempt(this.mark());
  }

  /** Lists the selected ones alone. */
  async keepOnly(): Promise<void> {
    const { selected } = this;
    await this.select(null);
    if (selected) await this.filters.set("selection", selected);
  }

  /** Marks the listed records that are selected. A selection that is no list of rows only the server can read. */
  private async mark(): Promise<void> {
    const { selected, records } = this;
    if (!selected || "rows" in selected) return this.showSelected(selected?.rows ?? [], selected?.rows.length ?? 0);
    const rows = await this.rowsIn(selected, records.map(({ row }) => row));
    const { total } = await this.ask(selected, 1);
    if (selected === this.selected && records === this.records) this.showSelected(rows, total);
  }

  private showSelected(rows: number[], count: number): void {
    this.picked = new Set(rows);
    this.count = count;
  }

  private async rowsIn(selected: Filter, rows: number[]): Promise<number[]> {
    const found: number[] = [];
    for (let from = 0; from < rows.length; from += MOST) {
      const page = await this.ask(both(selected, { rows: rows.slice(from, from + MOST) })!, MOST);
      found.push(...page.records.map(({ row }) => row));
    }
    return found;
  }

  private ask(filter: Filter, limit: number): ReturnType<typeof table> {
    return table(this.dataset, { filter, sort: "row", offset: 0, limit, map: this.stage.entry.id });
  }

  // --- one record ---------------------------------------------------------------------------------------------

  async openRow(row: number): Promise<void> {
    const record = await this.stage.attempt(recordOf(this.stage.entry, row));
    if (record) await this.open(record);
  }

  async open(record: MapRecord): Promise<void> {
    const opened: OpenRecord = { record, neighbours: null };
    this.opened = opened;
    const neighbours = await this.stage.attempt(neighboursOf(this.stage.entry, record.row));
    if (neighbours && this.opened === opened) this.opened = { record, neighbours };
  }

  /** The one before or after it in the list; null at its ends. */
  beside(record: MapRecord, step: 1 | -1): MapRecord | null {
    const at = this.records.findIndex(({ row }) => row === record.row);
    return at < 0 ? null : (this.records[at + step] ?? null);
  }

  close(): void {
    this.opened = null;
  }
}

/** The filters of a link, and its selection among them: a list without a map shows what somebody selected. */
function filtersOf({ filters, selection: text, any }: Link): [Map<string, Filter>, boolean] {
  const parts = readParts(filters);
  const selection = readFilter(text);
  if (!selection) return [parts, any];
  if (any && parts.size > 1) return [new Map([["selection", selection], ["filters", { any: [...parts.values()] }]]), false];
  return [parts.set("selection", selection), false];
}
