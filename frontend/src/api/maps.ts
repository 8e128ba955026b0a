/**
 * Maps, their files and their records.
 *
 *   GET  /api/datasets/{id}/maps                          -> {maps: [MapAddress]}, as they are shown now
 *   GET  /api/maps/{id}/records?ordinals=1,2,3&version=…  -> {records: [MapRecord]}, those that exist
 *   GET  /api/maps/{id}/records/{row}?version=…           -> MapRecord
 *   GET  /api/maps/{id}/records/{row}/neighbours          -> {records: [Neighbour]}, nearest first, without itself
 *   GET  /api/maps/{id}/topics?version=…                  -> Labels, with the names that editors gave
 *   PATCH /api/maps/{id}/topics/{topic}                   {name, version} -> {id, name}
 *   GET  {base_url}{path}                                 the files of a map version, see atlas/maps/FORMAT.md
 */

import type { Labels } from "../map/manifest";
import type { MapSource } from "../map/source";
import { bytes, change, get, json, read, send } from "./http";

export type Space = "image" | "caption" | "joint";

export interface MapAddress {
  id: string;
  version: string;
}

export interface MapRecord {
  row: number;
  key: string | null;
  source: string;
  caption: string;
  captions: string[];
  values: Record<string, unknown>;
  image: { width: number; height: number; format: string; size: number; thumbnail: string; original: string | null } | null;
  /** Its place on the map; all three null for a record that is not on it. */
  ordinal: number | null;
  x: number | null;
  y: number | null;
  /** Of every column that the map's build computed; empty off the map. */
  computed: Computed;
}

/** Duplicates: "Unique", "Original" or "Copy"; `duplicate_of`: the row of the original, its own included; `alike`: how many are in the group. */
export type Computed = Partial<Record<"trust" | "outlier" | "strangers" | "agreement" | "duplicate_of" | "alike", number | null> & { duplicates: string | null }>;

export type Neighbour = MapRecord & { score: number };

export const mapsNow = async (dataset: string): Promise<MapAddress[]> => (await get<{ maps: MapAddress[] }>(`/api/datasets/${dataset}/maps`)).maps;

/** The records that the version has, in the order of the ordinals. */
export async function recordsAt(map: MapAddress, ordinals: number[], signal?: AbortSignal): Promise<MapRecord[]> {
  const url = `/api/maps/${map.id}/records?ordinals=${ordinals.join(",")}&version=${map.version}`;
  return (await get<{ records: MapRecord[] }>(url, signal)).records;
}

export const recordOf = (map: MapAddress, row: number, signal?: AbortSignal): Promise<MapRecord> =>
  get(`/api/maps/${map.id}/records/${row}?version=${map.version}`, signal);

export async function neighboursOf(map: MapAddress, row: number, signal?: AbortSignal): Promise<Neighbour[]> {
  const url = `/api/maps/${map.id}/records/${row}/neighbours?version=${map.version}`;
  return (await get<{ records: Neighbour[] }>(url, signal)).records;
}

export const topicsNow = (map: MapAddress): Promise<Labels> => get(`/api/maps/${map.id}/topics?version=${map.version}`);

export const renameTopic = (map: MapAddress, topic: number, name: string): Promise<{ id: number; name: string }> =>
  json(change("PATCH", `/api/maps/${map.id}/topics/${topic}`, { name, version: map.version }));

/** The files below `base`, which are immutable and carry the version in their address. */
export function mapFiles(base: string): MapSource {
  return {
    json: (path) => get(base + path),
    bytes: (path, signal) => bytes(send(base + path, { signal })),
    picture: async (path, signal) => {
      const blob = await read(send(base + path, { signal }), (response) => response.blob());
      return createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
    },
  };
}
