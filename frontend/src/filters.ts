/** Which records: one shape for the selection, the filters, the table, tags, export and search. The server reads the same. */

export type Filter =
  | { all: Filter[] }
  | { any: Filter[] }
  | { not: Filter }
  /** Exact values of a category, text or list; null = has none. */
  | { column: string; in: (string | null)[] }
  /** Numbers, or dates as ISO text; both ends included, either may be left out. */
  | { column: string; from?: number | string; to?: number | string }
  | { column: string; contains: string }
  | { caption: string }
  | { has: "caption" | "image" }
  | { tag: string }
  | { rows: number[] }
  /** A topic of a map version and all below it. */
  | { topic: number; map: string; version?: string }
  /** A polygon in world units of a map version, even-odd. */
  | { region: [number, number][]; map: string; version?: string };
