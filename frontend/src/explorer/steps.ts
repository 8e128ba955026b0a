/** From record to record in what somebody works through: the hits, the table, the list, what is selected and left by the filters. */

import { table, type TableQuery } from "../api/select";
import { both } from "../filters";
import type { Explorer } from "./explorer.svelte";

/** The rows before and after one; null = there is none. */
export type Around = readonly [before: number | null, after: number | null];

/** So many are known at once: not every step waits for an answer. */
const KNOWN = 41;

type Query = Omit<TableQuery, "limit">;

export class Steps {
  private known: { of: string; middle: number; rows: Promise<number[]> } | null = null;

  constructor(private readonly explorer: Explorer) {}

  /** An effect that calls it calls it again when something else is worked through. */
  async around(row: number): Promise<Around> {
    const { config, search, table } = this.explorer;
    const query = this.query();
    const hits = table ? [] : search.ordered.map((hit) => hit.row);
    if (hits.includes(row)) return aroundIn(hits, row);
    if (query) return aroundIn(await this.near(query, row), row);
    return [row > 0 ? row - 1 : null, row < config.dataset.row_count - 1 ? row + 1 : null];
  }

  /** What is worked through besides hits; null = the dataset, row by row. */
  private query(): Query | null {
    const { config, filters, selection, stage, order, table } = this.explorer;
    const hasHoles = stage.recordCount < config.dataset.row_count;
    // The list shows what is selected among all others.
    const filter = table || stage.drawn ? both(filters.filter, selection.filter) : filters.filter;
    const { sort, by } = table || !stage.drawn ? order : { sort: "row", by: "column" as const };
    return filter || sort !== "row" || hasHoles ? { filter, sort, by } : null;
  }

  private async near(query: Query, row: number): Promise<number[]> {
    const { stage, tags } = this.explorer;
    // Regions and computed columns say something else on another map; tags come and go while the filter stays.
    const of = JSON.stringify([stage.entry.id, stage.entry.version, tags.revision, stage.removals, query]);
    if (this.known?.of === of) {
      const { middle } = this.known;
      const rows = await this.known.rows;
      const at = rows.indexOf(row);
      if (row === middle || (at > 0 && at < rows.length - 1)) return rows;
    }
    const rows = this.fetch(query, row);
    this.known = { of, middle: row, rows };
    return rows;
  }

  private async fetch(query: Query, row: number): Promise<number[]> {
    const { config, stage } = this.explorer;
    const found = await stage.attempt(table(config.dataset.id, stage.entry, { ...query, around: row, limit: KNOWN }));
    if (!found) this.known = null;
    return found?.records.map((record) => record.row) ?? [];
  }
}

function aroundIn(rows: number[], row: number): Around {
  const at = rows.indexOf(row);
  return at < 0 ? [null, null] : [rows[at - 1] ?? null, rows[at + 1] ?? null];
}
