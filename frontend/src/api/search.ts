/**
 * Searching a dataset.
 *
 *   POST /api/datasets/{id}/search                        Query -> Answer
 *   POST /api/maps/{map}/glow                             Glow -> a byte for each point, by ordinal
 *   POST /api/search                                      { parts } -> Across: over all datasets that the person may see
 */

import type { Filter } from "../filters";
import { change, post } from "./http";

/** A part of a query: words, a record or a picture (base64), wanted (weight > 0) or not wanted (< 0). */
export type QueryPart = ({ text: string } | { row: number } | { picture: string }) & { weight: number };

/** Which vectors are compared. */
export type Against = "both" | "pictures" | "captions";

export type Mode = "best" | "meaning" | "words";

export interface Query {
  map: string;
  parts: QueryPart[];
  against: Against;
  mode: Mode;
  limit: number;
  filter: Filter | null;
}

export interface Answer {
  /** Best first; those without a place are not on this map. */
  hits: {
    row: number;
    ordinal: number | null;
    x: number | null;
    y: number | null;
    score: number;
    /** The score of every part of the query, in their order. */
    parts: number[];
    /** Its place among the hits by words, from 1. */
    words: number | null;
  }[];
  /** How many records are relevant, by a cut that comes from this query's own scores; may be more than `hits`. */
  relevant: number;
  cut: number | null;
  mode: Mode;
  /** The query worker did not answer: these are hits by words. */
  away: boolean;
  histogram: Histogram | null;
  /** Where the query itself would be on the map. */
  marker: { x: number; y: number } | null;
}

/** The scores of all records in equal steps. */
export interface Histogram {
  from: number;
  to: number;
  counts: number[];
}

export interface Across {
  groups: { dataset: DatasetName; relevant: number; hits: AcrossHit[] }[];
  skipped: { dataset: DatasetName; reason: string }[];
  away: boolean;
}

export interface DatasetName {
  id: string;
  name: string;
  url: string;
  team: string;
}

export interface AcrossHit {
  row: number;
  score: number;
  caption: string;
  thumbnail: string | null;
}

export const search = (dataset: string, query: Query, signal: AbortSignal): Promise<Answer> =>
  post(`/api/datasets/${dataset}/search`, query, signal);

/** 128 = the cut, 255 = the best, 0 = far below average. */
export async function glow(map: string, parts: QueryPart[], against: Against, version: string, signal: AbortSignal): Promise<Uint8Array> {
  const response = await change("POST", `/api/maps/${map}/glow`, { parts, against, version }, signal);
  return new Uint8Array(await response.arrayBuffer());
}

export const searchAcross = (parts: QueryPart[]): Promise<Across> => post("/api/search", { parts });
