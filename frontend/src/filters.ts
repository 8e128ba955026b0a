/** Which records: one shape for the selection, the filters, the table, tags, export and search. The server reads the same. */

import type { MapAddress } from "./api/maps";
import { parsed } from "./json";
import type { Column } from "./map/manifest";

export type Filter =
  | { all: Filter[] }
  | { any: Filter[] }
  | { not: Filter }
  /** Exact values of a category, text or list; null = has none. */
  | { column: string; in: (string | null)[] }
  /** Numbers, or dates as ISO text; both ends included, either may be left out. */
  | { column: string; from?: number | string; to?: number | string }
  | { column: string; contains: string }
  /** A column that the build of a map computed, by its key. */
  | { computed: string; map: string; version?: string; in: (string | number | null)[] }
  | { computed: string; map: string; version?: string; from?: number; to?: number }
  | { caption: string }
  | { has: "caption" | "image" }
  | { tag: string }
  | { tags: "any" | "several" }
  | { rows: number[] }
  /** A topic of a map version and all below it. */
  | TopicOf
  /** A polygon in world units of a map version, even-odd. */
  | ({ region: [number, number][] } & OnMap);

/** Where a topic or a place is what it is: on versions of a map that have this layout; old links and views name none. */
export interface OnMap {
  map: string;
  version?: string;
  layout?: string;
}

export type TopicOf = { topic: number } & OnMap;

/** A map of this page. */
export interface MapLayout {
  id: string;
  layout: string;
}

export const onMap = ({ id, layout }: MapLayout): OnMap => ({ map: id, layout });

export const isOn = ({ map, layout }: Pick<OnMap, "map" | "layout">, shown: MapLayout): boolean => map === shown.id && (layout ?? shown.layout) === shown.layout;

/** The computed column that says of a record which one it is a copy of. */
export const GROUP = "duplicate_of";

/** What a filter is about: an uploaded column by its name, a computed one by its key. */
export type Subject = { column: string } | { computed: string; map: string };

export const subjectOf = ({ key, name, computed }: Column, map: string): Subject => (computed ? { computed: key, map } : { column: name });

/** Under which a control keeps its part of the filter. */
export const partOf = ({ key, name, computed }: Column): string => (computed ? `computed ${key}` : name);

const titleOf = (subject: Subject): string => ("column" in subject ? subject.column : subject.computed[0]!.toUpperCase() + subject.computed.slice(1));

const alternatives = (filter: Filter): Filter[] => ("any" in filter ? filter.any : [filter]);
const conditions = (filter: Filter): Filter[] => ("all" in filter ? filter.all : [filter]);
const rowsOf = (filter: Filter): number[] => ("rows" in filter ? filter.rows : []);
const isTaken = (filter: Filter): filter is { not: { rows: number[] } } => "not" in filter && "rows" in filter.not;

/** One of them is enough. */
export const anyOf = (filters: Filter[]): Filter => (filters.length === 1 ? filters[0]! : { any: filters });

/** Either of the two. */
export function union(a: Filter | null, b: Filter): Filter {
  if (!a) return b;
  return "rows" in b ? refined(a, b.rows, []) : { any: [...alternatives(a), b] };
}

/** What is in the first and not in the second. */
export function minus(a: Filter, b: Filter): Filter {
  return "rows" in b ? refined(a, [], b.rows) : { all: [...conditions(a), { not: b }] };
}

/**
 * With some rows more and some less. There is one list of each, however often somebody adds and takes: the server reads
 * filters of a limited depth.
 */
function refined(filter: Filter, more: number[], less: number[]): Filter {
  const kept = conditions(filter).filter((part) => !isTaken(part));
  const taken = changed(conditions(filter).filter(isTaken).flatMap(({ not }) => not.rows), less, more);
  const without: Filter = { not: { rows: taken } };
  if (kept.length === 0) return without;
  const parts = kept.length === 1 ? alternatives(kept[0]!) : [{ all: kept }];
  const rows = changed(parts.flatMap(rowsOf), more, less);
  const others = parts.filter((part) => !("rows" in part));
  if (others.length === 0) return { rows };
  const left = anyOf(rows.length > 0 ? [...others, { rows }] : others);
  return taken.length > 0 ? { all: [...conditions(left), without] } : left;
}

function changed(rows: number[], more: number[], less: number[]): number[] {
  const out = new Set(less);
  return [...new Set([...rows, ...more])].filter((row) => !out.has(row));
}

/** Only what is in both. */
export function both(a: Filter | null, b: Filter | null): Filter | null {
  return a && b ? { all: [...conditions(a), ...conditions(b)] } : (a ?? b);
}

/** Everything else; twice is as before. */
export const opposite = (filter: Filter): Filter => ("not" in filter ? filter.not : { not: filter });

/** The same filter, or whatever holds filters, with the version of each of these maps that it names without one. */
export function inLayouts<T>(content: T, maps: readonly MapAddress[]): T {
  if (Array.isArray(content)) return content.map((each: unknown) => inLayouts(each, maps)) as T;
  if (!isObject(content)) return content;
  const found = maps.find(({ id }) => id === (content as { map?: unknown }).map);
  if (found) return { version: found.version, ...content };
  return Object.fromEntries(Object.entries(content as object).map(([name, each]) => [name, inLayouts(each, maps)])) as T;
}

/** The tags that a filter names. */
export const tagsIn = (filter: Filter): string[] => [...JSON.stringify(filter).matchAll(/"tag":"([^"]+)"/g)].map(([, id]) => id!);

/** Whether other records match once tags are put on or taken off. */
export const asksTags = (filter: Filter): boolean => /"tags?":/.test(JSON.stringify(filter));

/** A filter from an address: null for what is none. The server reads it again and refuses what makes no sense. */
export function readFilter(text: string | null): Filter | null {
  const found = parsed(text);
  return isObject(found) ? (found as Filter) : null;
}

/** Named filters from an address; what makes no sense is left out. */
export function readParts(text: string | null): Map<string, Filter> {
  const found = parsed(text);
  const pairs = Array.isArray(found) ? found.filter((pair): pair is [unknown, unknown] => Array.isArray(pair)) : [];
  return new Map(pairs.filter(([name, part]) => typeof name === "string" && isObject(part)) as [string, Filter][]);
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

export interface Names {
  tag(id: string): string;
  topic(topic: TopicOf): string;
}

/** A filter in a few words, for its chip. */
export function sentence(filter: Filter, names: Names): string {
  if ("computed" in filter && filter.computed === GROUP) return "one group of duplicates";
  if ("in" in filter) return `${titleOf(filter)}: ${filter.in.map((value) => value ?? "no value").join(", ")}`;
  if ("contains" in filter) return `${filter.column} contains “${filter.contains}”`;
  if ("column" in filter || "computed" in filter) return `${titleOf(filter)}: ${filter.from ?? "…"} – ${filter.to ?? "…"}`;
  if ("caption" in filter) return `caption contains “${filter.caption}”`;
  if ("has" in filter) return `has ${filter.has === "image" ? "a picture" : "a caption"}`;
  if ("tags" in filter) return filter.tags === "any" ? "has a tag" : "has several tags";
  if ("tag" in filter) return `tag ${names.tag(filter.tag)}`;
  if ("not" in filter) return `not ${sentence(filter.not, names)}`;
  if ("topic" in filter) return names.topic(filter);
  if ("rows" in filter) return filter.rows.length === 1 ? "one record" : `${filter.rows.length} records`;
  if ("region" in filter) return "region";
  const parts = "any" in filter ? filter.any : filter.all;
  return parts.length > 3 ? "selection" : parts.map((part) => sentence(part, names)).join("any" in filter ? " or " : ", ");
}
