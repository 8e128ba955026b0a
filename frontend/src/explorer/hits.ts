/** Hits of a search as the map and the strip show them. */

import type { Answer } from "../api/search";
import type { Hit } from "../map/hits_pass";
import { placed } from "./stage.svelte";

export interface SearchHit extends Hit {
  row: number;
  /** As the server scored it. */
  raw: number;
  /** The score of every part of the query. */
  parts: number[];
  /** Its place among the hits by words, from 1. */
  words: number | null;
  /** Relevant by its words, whatever it scores. */
  sure: boolean;
}

/** Those that are on the map. */
export function hitsOf({ hits }: Answer): SearchHit[] {
  const scores = hits.map((hit) => hit.score);
  const best = Math.max(...scores);
  const span = best - Math.min(...scores) || 1;
  return hits.flatMap((hit) => {
    const place = placed(hit);
    return place ? [{ ...hit, ...place, raw: hit.score, score: 1 - (best - hit.score) / span }] : [];
  });
}
