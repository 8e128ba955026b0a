/** What a legend shows for a column, and which codes a row of it stands for. */

import { colourOf, hex, OWN_COLOURS, type Look } from "./map/colours";
import type { Column, Topic, Values } from "./map/manifest";

export interface LegendRow {
  name: string;
  colour: string;
  count: number | null;
  /** The first code it stands for; "Other" stands for all from there on. */
  code: number;
  other: boolean;
}

/** Topics shown before "n more". */
const MANY = 40;

export function legendRows(column: Column, values: Values | null, topics: Topic[], look: Look): LegendRow[] {
  const row = (name: string, code: number, count: number | null, other = false): LegendRow => ({
    name,
    code,
    count,
    other,
    colour: hex(colourOf(column, code, look)),
  });
  if (column.kind === "topic") {
    const level = Number(column.key.slice("topic-".length));
    const own = topics.filter((topic) => topic.level === level).sort((a, b) => b.count - a.count);
    return own.slice(0, MANY).map((topic) => row(topic.name, topic.id, topic.count));
  }
  const names = values?.values ?? [];
  const counts = values?.counts ?? [];
  const rows = names.slice(0, OWN_COLOURS).map((name, code) => row(name, code, counts[code] ?? null));
  if (names.length > OWN_COLOURS) {
    const rest = counts.slice(OWN_COLOURS).reduce((sum, count) => sum + count, 0);
    rows.push(row(`Other (${names.length - OWN_COLOURS})`, OWN_COLOURS, rest, true));
  }
  if (values && values.missing > 0) rows.push(row("No value", column.missing, values.missing));
  return rows;
}

/** The row of the legend that a code belongs to. */
export function legendCode(column: Column, code: number): number {
  return column.kind === "category" && code !== column.missing ? Math.min(code, OWN_COLOURS) : code;
}

export interface Filter {
  /** Legend codes that are switched off. */
  hidden: ReadonlySet<number>;
  /** Codes of a number or date column, both ends included. */
  range: readonly [number, number] | null;
}

/** Says of a code whether it counts; undefined when all do. */
export function shownCodes(column: Column, { hidden, range }: Filter): ((code: number) => boolean) | undefined {
  if (range) return (code) => code !== column.missing && code >= range[0] && code <= range[1];
  if (hidden.size > 0) return (code) => !hidden.has(legendCode(column, code));
  return undefined;
}

export function toggled(hidden: ReadonlySet<number>, code: number): Set<number> {
  const next = new Set(hidden);
  if (!next.delete(code)) next.add(code);
  return next;
}

/** Everything but one row; a second time, everything again. */
export function soloed(hidden: ReadonlySet<number>, rows: LegendRow[], code: number): Set<number> {
  const alone = rows.every((row) => hidden.has(row.code) === (row.code !== code));
  return new Set(alone ? [] : rows.map((row) => row.code).filter((other) => other !== code));
}
