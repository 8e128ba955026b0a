/** What a legend shows for a column, and which codes a row of it stands for. */

import type { Tag } from "./api/select";
import { anyOf, onMap, subjectOf, type Filter, type MapLayout } from "./filters";
import { categoryColour, CODES, codeOf, colourOf, hex, OWN_COLOURS, ownCodes, placeOf, ramp, valueOf, type Look } from "./map/colours";
import type { Column, Topic, Values } from "./map/manifest";
import type { ColumnLook } from "./map/marks";
import * as text from "./text";
import type { Between, Off } from "./url";

export interface LegendRow {
  name: string;
  /** Several where its points have no colour in common. */
  colours: string[];
  count: number | null;
  /** The first code it stands for; "Other" stands for all from there on, of topics for all that have no row. */
  code: number;
  other: boolean;
  /** The records with it, where no value of a column says which. */
  filter?: Filter;
}

/** Stands among the keys of columns for the colours of tags. */
export const TAGS = "@tags";
/** Tags with a row and a colour of their own. */
const MOST_TAGS = 60;

/** Tags are coloured as a category: its codes are their places in the list. */
export const tagsColumn = (tags: Tag[]): Column => ({
  key: TAGS,
  name: "Tags",
  kind: "category",
  type: "u8",
  missing: 255,
  several: 254,
  colours: tags.slice(0, MOST_TAGS).map(({ colour }) => colour),
});

/** As its points on the map. */
export const tagColour = ({ colour }: Pick<Tag, "colour">, look: Look): string => categoryColour(colour, look);

/** Topics with a row of their own. */
const MOST_TOPICS = 40;
/** More in one swatch could not be told apart. */
const MOST_COLOURS = 4;

/** `n`: how many points are on the map. */
export function legendRows(column: Column, values: Values | null, topics: Topic[], n: number, look: Look): LegendRow[] {
  const row = (name: string, code: number, count: number | null, other = false): LegendRow => ({
    name,
    code,
    count,
    other,
    colours: [hex(colourOf(column, code, look))],
  });
  if (column.kind === "topic") {
    const own = topicsOf(column, topics).sort((a, b) => b.count - a.count);
    const listed = own.slice(0, MOST_TOPICS).map((topic) => row(topic.name, topic.id, topic.count));
    return own.length > 0 ? [...listed, ...otherTopics(column, own, n, look)] : [];
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

/** The row of all points that are in none of the listed topics, where there are any. */
function otherTopics(column: Column, own: Topic[], n: number, look: Look): LegendRow[] {
  const total = (some: Topic[]): number => some.reduce((sum, { count }) => sum + count, 0);
  const unlisted = own.slice(MOST_TOPICS);
  const outside = Math.max(0, n - total(own));
  if (unlisted.length + outside === 0) return [];
  const name = unlisted.length === 0 ? "No topic" : `Other (${unlisted.length})${outside > 0 ? " or none" : ""}`;
  const codes = unlisted.length === 0 ? [column.missing] : unlisted.slice(0, MOST_COLOURS).map(({ id }) => id);
  const colours = codes.map((code) => hex(colourOf(column, code, look)));
  return [{ name, colours, code: column.missing, count: total(unlisted) + outside, other: true }];
}

const topicsOf = ({ key }: Column, topics: Topic[]): Topic[] => topics.filter(({ level }) => level === Number(key.slice("topic-".length)));

/** `several`: how many points have more than one tag. */
export function tagRows(tags: Tag[], several: number, look: Look): LegendRow[] {
  const column = tagsColumn(tags);
  const row = (name: string, code: number, count: number, filter: Filter): LegendRow => ({
    name,
    code,
    count,
    filter,
    other: false,
    colours: [hex(colourOf(column, code, look))],
  });
  const own = ownCodes(column);
  const rows = tags.slice(0, own).map(({ id, name, count }, code) => row(name, code, count, { tag: id }));
  const rest = tags.slice(own);
  const any = rest.map(({ id }): Filter => ({ tag: id }));
  if (rest.length > 0) rows.push(row(`Other (${rest.length})`, own, rest.reduce((sum, { count }) => sum + count, 0), { any }));
  if (several > 0) rows.push(row("Several tags", column.several!, several, SEVERAL_TAGS));
  return rows;
}

const SEVERAL_TAGS: Filter = { tags: "several" };

/** Which records a row stands for. */
export function filterOfRow(column: Column, row: LegendRow, rows: LegendRow[], map: MapLayout): Filter {
  if (row.filter) return row.filter;
  if (column.kind === "topic") {
    if (!row.other) return { topic: row.code, ...onMap(map) };
    return { not: anyOf(rows.filter(({ other }) => !other).map((own) => filterOfRow(column, own, rows, map))) };
  }
  const subject = subjectOf(column, map.id);
  if (row.code === column.missing) return { ...subject, in: [null] };
  if (!row.other) return { ...subject, in: [row.name] };
  const own = rows.filter(({ other, code }) => !other && code !== column.missing).map(({ name }) => name);
  return { not: { ...subject, in: [...own, null] } };
}

/** Which records the legend leaves; null where it leaves all or none. */
export function filterOfLegend(column: Column, rows: LegendRow[], { hidden, range }: Shown, map: MapLayout): Filter | null {
  if (range) return filterOfRange(column, range, map.id);
  if (hidden.size === 0) return null;
  const of = (some: LegendRow[]): Filter[] => some.map((row) => filterOfRow(column, row, rows, map));
  const off = rows.filter(({ code }) => hidden.has(code));
  // All that has no row is left too, which can only be said by what is not.
  if (column.kind === "topic" && rows.some(({ code, other }) => other && !hidden.has(code))) return off.length > 0 ? { not: anyOf(of(off)) } : null;
  const parts = of(rows.filter(({ code }) => !hidden.has(code)));
  const values = parts.flatMap((part) => ("in" in part ? part.in : []));
  const others = parts.filter((part) => !("in" in part));
  const any = [...(values.length > 0 ? [{ ...subjectOf(column, map.id), in: values } as Filter] : []), ...others];
  if (any.length === 0) return null;
  const left = anyOf(any);
  // A point with several tags has the colour of none of them.
  return column.several !== undefined && hidden.has(column.several) ? { all: [left, { not: SEVERAL_TAGS }] } : left;
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

/** What a row stands for, whichever code it has on this version of the map. */
function offOf(column: Column, { code, name, other }: LegendRow): Off {
  if (code === column.missing) return null;
  if (code === column.several) return { all: "several" };
  return other ? { all: "other" } : name;
}

/** What is switched off, by the rows that stand for it; null while there are none. */
export function hiddenNames(column: Column, rows: LegendRow[], hidden: ReadonlySet<number>): Off[] | null {
  return rows.length > 0 ? rows.filter(({ code }) => hidden.has(code)).map((row) => offOf(column, row)) : null;
}

/** The codes of the rows that a link has switched off; what has no row of its own any more is left out. */
export function hiddenCodes(column: Column, rows: LegendRow[], off: Off[]): number[] {
  const wanted = new Set(off.map((each) => JSON.stringify(each)));
  return rows.filter((row) => wanted.has(JSON.stringify(offOf(column, row)))).map(({ code }) => code);
}

/** Colours of a ramp in a picture: enough that no step is seen between them. */
const STEPS = 24;

/** The part of the ramp of a number or date column that is shown, and the values at its ends. */
export function shownRamp(column: Column, values: Values | null, range: Shown["range"], look: Look): { colours: string[]; from: string; to: string } {
  const codes = range ?? [0, CODES - 2];
  const [first, last] = codes.map((code) => placeOf(column, code)) as [number, number];
  const span = (column.max ?? 1) - (column.min ?? 0);
  const digits = values?.whole ? 0 : text.digitsOf(span);
  const end = (code: number): string =>
    column.kind === "date" ? text.nearestDay(valueOf(column, code)) : text.number(Number(valueOf(column, code).toFixed(digits)), span);
  const colours = Array.from({ length: STEPS }, (_, i) => hex(ramp(first + ((last - first) * i) / (STEPS - 1), look)));
  return { colours, from: end(codes[0]), to: end(codes[1]) };
}

/** The values that a range of codes stands for: the same on every version of the map. */
export function betweenOf(column: Column, [from, to]: readonly [number, number]): Between {
  const end = (code: number): number => Number(valueOf(column, code).toPrecision(12));
  return [from > 0 ? end(from) : null, to < CODES - 2 ? end(to) : null];
}

export function rangeOf(column: Column, [from, to]: Between): [number, number] {
  const code = (value: number): number => (value <= (column.min ?? 0) ? 0 : codeOf(column, value));
  return [from === null ? 0 : code(from), to === null ? CODES - 2 : code(to)];
}

/** The row of the legend that a code belongs to. `listed`: the codes of the rows of topics, once these are known. */
function legendCode(column: Column, code: number, listed: ReadonlySet<number>): number {
  if (column.kind === "topic" && listed.size > 0) return listed.has(code) ? code : column.missing;
  const other = column.kind === "category" && code !== column.missing && code !== column.several;
  return other ? Math.min(code, ownCodes(column)) : code;
}

export interface Shown {
  /** Legend codes that are switched off. */
  hidden: ReadonlySet<number>;
  /** Codes of a number or date column, both ends included. */
  range: readonly [number, number] | null;
}

/** Says of a code whether it counts; undefined when all do. */
export function shownCodes(column: Column, { hidden, range }: Shown, rows: LegendRow[] = []): ((code: number) => boolean) | undefined {
  if (range) return (code) => code !== column.missing && code >= range[0] && code <= range[1];
  const listed = new Set(rows.map(({ code }) => code));
  if (hidden.size > 0) return (code) => !hidden.has(legendCode(column, code, listed));
  return undefined;
}

/** The colours of the same values of a column on another map, where they are numbered in another way; categories once its values are known. */
export function lookElsewhere(from: Column, rows: LegendRow[], values: Values | null): ColumnLook {
  if (from.kind !== "category") return { like: from };
  if (!values?.values || rows.length === 0) return {};
  const places = new Map(rows.filter(({ other, code }) => !other && code !== from.missing).map(({ name, code }) => [name, from.colours?.[code] ?? code]));
  return { colours: values.values.map((name) => places.get(name) ?? -1) };
}

/** What is shown of the same column on another map, where it has the look that `lookElsewhere` says. */
export function shownElsewhere(from: Column, { hidden, range }: Shown, rows: LegendRow[], to: Column, values: Values | null): Shown {
  const isOff = new Map(rows.filter(({ code }) => code !== from.missing).map(({ name, code, other }) => [other ? OTHERS : name, hidden.has(code)]));
  const codes = (values?.values ?? []).flatMap((name, code) => ((isOff.get(name) ?? isOff.get(OTHERS)) ? [code] : []));
  if (hidden.has(from.missing)) codes.push(to.missing);
  return { hidden: new Set(codes), range: range && [codeOf(to, valueOf(from, range[0])), codeOf(to, valueOf(from, range[1]))] };
}

/** In place of a name, for all values without a row of their own. */
const OTHERS = Symbol("others");

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
