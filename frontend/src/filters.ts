/** Which records: one shape for the selection, the filters, the table, tags, export and search. The server reads the same. */

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
  | { computed: string; map: string; in: (string | number | null)[] }
  | { computed: string; map: string; from?: number; to?: number }
  | { caption: string }
  | { has: "caption" | "image" }
  | { tag: string }
  | { tags: "any" | "several" }
  | { rows: number[] }
  /** A topic of a map version and all below it. */
  | { topic: number; map: string; version?: string }
  /** A polygon in world units of a map version, even-odd. */
  | { region: [number, number][]; map: string; version?: string };

/** The computed column that says of a record which one it is a copy of. */
export const GROUP = "duplicate_of";

/** What a filter is about: an uploaded column by its name, a computed one by its key. */
export type Subject = { column: string } | { computed: string; map: string };

export const subjectOf = ({ key, name, computed }: Column, map: string): Subject => (computed ? { computed: key, map } : { column: name });

/** Under which a control keeps its part of the filter. */
export const partOf = ({ key, name, computed }: Column): string => (computed ? `computed ${key}` : name);

const titleOf = (subject: Subject): string => ("column" in subject ? subject.column : subject.computed[0]!.toUpperCase() + subject.computed.slice(1));

/** Either of the two; lists of rows grow together instead of nesting. */
export function union(a: Filter | null, b: Filter): Filter {
  if (!a) return b;
  if ("rows" in a && "rows" in b) return { rows: [...new Set([...a.rows, ...b.rows])] };
  return "any" in a ? { any: [...a.any, b] } : { any: [a, b] };
}

/** What is in the first and not in the second. */
export function minus(a: Filter, b: Filter): Filter {
  if ("rows" in a && "rows" in b) return { rows: a.rows.filter((row) => !b.rows.includes(row)) };
  return "all" in a ? { all: [...a.all, { not: b }] } : { all: [a, { not: b }] };
}

/** Only what is in both. */
export function both(a: Filter | null, b: Filter | null): Filter | null {
  return a && b ? { all: [a, b] } : (a ?? b);
}

/** Everything else; twice is as before. */
export const opposite = (filter: Filter): Filter => ("not" in filter ? filter.not : { not: filter });

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

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

export interface Names {
  tag(id: string): string;
  topic(id: number, map: string): string;
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
  if ("topic" in filter) return names.topic(filter.topic, filter.map);
  if ("rows" in filter) return filter.rows.length === 1 ? "one record" : `${filter.rows.length} records`;
  if ("region" in filter) return "region";
  const parts = "any" in filter ? filter.any : filter.all;
  return parts.length > 3 ? "selection" : parts.map((part) => sentence(part, names)).join("any" in filter ? " or " : ", ");
}
