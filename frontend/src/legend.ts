/** What a legend shows for a column, and which codes a row of it stands for. */

import { subjectOf, type Filter } from "./filters";
import { CODES, colourOf, hex, OWN_COLOURS, valueOf, type Look } from "./map/colours";
import type { Column, Topic, Values } from "./map/manifest";
import * as text from "./text";

export interface LegendRow {
  name: string;
  colour: string;
  count: number | null;
  /** The first code it stands for; "Other" stands for all from there on. */
  code: number;
  other: boolean;
  /** Id of the tag that it stands for. */
  tag?: string;
}

/** Tags are coloured as a category: its codes are their places in the list. */
export const TAGS: Column = { key: "@tags", name: "Tags", kind: "category", type: "u8", missing: 255 };

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

/** `several`: how many points have more than one tag. */
export function tagRows(tags: { id: string; name: string; count: number }[], several: number, look: Look): LegendRow[] {
  const colour = (code: number): string => hex(colourOf(TAGS, code, look));
  const rows: LegendRow[] = tags
    .slice(0, OWN_COLOURS)
    .map(({ id, name, count }, code) => ({ name, code, count, other: false, colour: colour(code), tag: id }));
  const rest = tags.slice(OWN_COLOURS);
  if (rest.length === 0 && several === 0) return rows;
  const name = [...(rest.length > 0 ? [`Other (${rest.length})`] : []), ...(several > 0 ? ["Several tags"] : [])].join(", ");
  const count = rest.reduce((sum, tag) => sum + tag.count, several);
  return [...rows, { name, code: OWN_COLOURS, count, other: true, colour: colour(OWN_COLOURS) }];
}

/** Which records a row stands for; null where no filter says it. */
export function filterOfRow(column: Column, row: LegendRow, rows: LegendRow[], map: string): Filter | null {
  if (row.tag) return { tag: row.tag };
  if (column.key === TAGS.key) return null;
  if (column.kind === "topic") return { topic: row.code, map };
  const subject = subjectOf(column, map);
  if (row.code === column.missing) return { ...subject, in: [null] };
  if (!row.other) return { ...subject, in: [row.name] };
  const own = rows.filter(({ other, code }) => !other && code !== column.missing).map(({ name }) => name);
  return { not: { ...subject, in: [...own, null] } };
}

/** Which records the legend leaves; null where it leaves all, or where no filter says it. */
export function filterOfLegend(column: Column, rows: LegendRow[], { hidden, range }: Shown, map: string): Filter | null {
  if (range) return filterOfRange(column, range, map);
  if (hidden.size === 0) return null;
  const parts = rows.filter(({ code }) => !hidden.has(code)).map((row) => filterOfRow(column, row, rows, map));
  const known = parts.filter((part) => part !== null);
  if (known.length !== parts.length || known.length === 0) return null;
  const values = known.flatMap((part) => ("in" in part ? part.in : []));
  const others = known.filter((part) => !("in" in part));
  const any = [...(values.length > 0 ? [{ ...subjectOf(column, map), in: values } as Filter] : []), ...others];
  return any.length === 1 ? any[0]! : { any };
}

/** The values between two codes of a number or date column, an end that is no limit left out. */
export function filterOfRange(column: Column, [from, to]: readonly [number, number], map: string): Filter | null {
  const last = CODES - 2;
  const end = (code: number): string | number => {
    const value = valueOf(column, code);
    return column.kind === "date" ? text.nearestDay(value) : Number(value.toFixed(text.digitsOf((column.max ?? 1) - (column.min ?? 0))));
  };
  const ends = { ...(from > 0 ? { from: end(from) } : {}), ...(to < last ? { to: end(to) } : {}) };
  return Object.keys(ends).length > 0 ? ({ ...subjectOf(column, map), ...ends } as Filter) : null;
}

/** The row of the legend that a code belongs to. */
export function legendCode(column: Column, code: number): number {
  return column.kind === "category" && code !== column.missing ? Math.min(code, OWN_COLOURS) : code;
}

export interface Shown {
  /** Legend codes that are switched off. */
  hidden: ReadonlySet<number>;
  /** Codes of a number or date column, both ends included. */
  range: readonly [number, number] | null;
}

/** Says of a code whether it counts; undefined when all do. */
export function shownCodes(column: Column, { hidden, range }: Shown): ((code: number) => boolean) | undefined {
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
