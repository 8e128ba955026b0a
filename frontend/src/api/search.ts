/**
 * Searching a dataset.
 *
 *   POST /api/datasets/{id}/search                        Query -> Answer
 *   POST /api/maps/{map}/glow                             Glow -> a byte for each point, by ordinal
 *   POST /api/search                                      { parts, against, mode } -> Across: over all datasets that the person may see
 *   POST /api/datasets/{id}/query-pictures                {picture} -> {key}: keeps a picture (base64) to search with
 *   GET  /api/query-pictures/{key}                        the picture
 *   GET  /api/datasets/{id}/searches                      -> {searches: [SavedSearch]}, the person's own and the shared ones
 *   POST /api/datasets/{id}/searches                      {name, query, shared} -> SavedSearch
 *   PATCH  /api/datasets/{id}/searches/{id}               {name} -> SavedSearch
 *   DELETE /api/datasets/{id}/searches/{id}
 */

import type { Filter, TopicOf } from "../filters";
import type { MapAddress } from "./maps";
import { bytes, change, get, json, post, send } from "./http";
import type { Saved } from "./views";

/** What a part of a query is about: words, a record, a picture (base64, by its key, or at an address), a topic, a tag, other records. */
export type Subject = { text: string } | { row: number } | { picture: string } | { picture_key: string } | { url: string } | TopicOf | { tag: string } | { filter: Filter };

/** Wanted (weight > 0) or not wanted (< 0). */
export type QueryPart = Subject & { weight: number };

/** Which vectors are compared. */
export type Against = "both" | "pictures" | "captions";

export type Mode = "best" | "meaning" | "words";

export interface Query {
  map: string;
  /** Of the map: ordinals and places are those of it. */
  version: string;
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
    /** Relevant by its words, whatever it scores. */
    sure: boolean;
  }[];
  /** How many records are relevant, by a cut that comes from this query's own scores; may be more than `hits`. */
  relevant: number;
  cut: number | null;
  /** How many records were looked at. */
  searched: number;
  mode: Mode;
  /** The query worker did not answer: these are hits by words. */
  away: boolean;
  /** Their vectors have to be made anew: for now meaning is looked for without them. */
  without: "pictures" | "captions" | null;
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
  mode: Mode;
  away: boolean;
}

interface DatasetName {
  id: string;
  name: string;
  url: string;
  team: string;
}

interface AcrossHit {
  row: number;
  score: number;
  caption: string;
  thumbnail: string | null;
}

export const search = (dataset: string, query: Query, signal: AbortSignal): Promise<Answer> =>
  post(`/api/datasets/${dataset}/search`, query, signal);

/** 128 = the cut, 255 = the best, 0 = far below average. */
export async function glow(map: MapAddress, query: Pick<Query, "parts" | "against" | "filter">, signal: AbortSignal): Promise<Uint8Array> {
  const { parts, against, filter } = query;
  return new Uint8Array(await bytes(change("POST", `/api/maps/${map.id}/glow`, { parts, against, filter, version: map.version }, signal)));
}

export const searchAcross = (query: Pick<Query, "parts" | "against" | "mode">, signal: AbortSignal): Promise<Across> => post("/api/search", query, signal);

export const keepQueryPicture = async (dataset: string, picture: string): Promise<string> =>
  (await post<{ key: string }>(`/api/datasets/${dataset}/query-pictures`, { picture })).key;

/** A picture that some page of this server shows. */
export const pictureAt = async (url: string): Promise<Blob> => new Blob([await bytes(send(url))]);

export const queryPictureUrl = (key: string): string => `/api/query-pictures/${key}`;

/** Rejects when the picture is not kept any more, or not for who asks. */
export const requireQueryPicture = (key: string): Promise<Response> => send(queryPictureUrl(key));

export interface SavedSearch extends Saved {
  /** The part of the explorer's address after "#". */
  query: string;
}

export const savedSearches = async (dataset: string): Promise<SavedSearch[]> =>
  (await get<{ searches: SavedSearch[] }>(`/api/datasets/${dataset}/searches`)).searches;

export const saveSearch = (dataset: string, search: Pick<SavedSearch, "name" | "query" | "shared">): Promise<SavedSearch> =>
  post(`/api/datasets/${dataset}/searches`, search);

export const renameSearch = (dataset: string, search: string, name: string): Promise<SavedSearch> =>
  json(change("PATCH", `/api/datasets/${dataset}/searches/${search}`, { name }));

export const removeSearch = async (dataset: string, search: string): Promise<void> => {
  await change("DELETE", `/api/datasets/${dataset}/searches/${search}`);
};
