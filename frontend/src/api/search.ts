/**
 * Searching a dataset.
 *
 *   POST /api/datasets/{id}/search                        Query -> Answer
 */

import type { Filter } from "../filters";
import { post } from "./http";

/** A part of a query: words, a record or a picture (base64), wanted (weight > 0) or not wanted (< 0). */
export type QueryPart = ({ text: string } | { row: number } | { picture: string }) & { weight: number };

export interface Query {
  map: string;
  parts: QueryPart[];
  limit: number;
  filter: Filter | null;
}

export interface Answer {
  /** Best first; those without a place are not on this map. */
  hits: { row: number; ordinal: number | null; x: number | null; y: number | null; score: number }[];
  /** How many records are relevant, by a cut that comes from this query's own scores; may be more than `hits`. */
  relevant: number;
}

export const search = (dataset: string, query: Query, signal: AbortSignal): Promise<Answer> =>
  post(`/api/datasets/${dataset}/search`, query, signal);
