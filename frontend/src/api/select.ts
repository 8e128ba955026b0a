/**
 * Which records: selections, the table, tags, exports.
 *
 *   POST /api/maps/{id}/select                            {filter, version} -> {count, n, bits}
 *   POST /api/datasets/{id}/table                         {filter?, sort, by, offset | around, limit, map, version} -> {records: [MapRecord], total}
 *   GET  /api/datasets/{id}/tags                          -> {tags: [Tag]}
 *   POST /api/datasets/{id}/tags                          {name} -> Tag
 *   PATCH /api/datasets/{id}/tags/{id}                    {name, colour} -> Tag
 *   POST /api/datasets/{id}/tags/{id}/records             {add: Filter} | {remove: Filter} -> {changed, count}
 *   GET  /api/datasets/{id}/records/{row}/tags            -> {tags: [Tag]}
 *   POST /api/datasets/{id}/records/remove               {filter, expected?} -> {removed, record_count}: for good
 *   POST /api/datasets/{id}/export/check                  what the export takes -> {records}: how many it will hold
 *   GET  /api/maps/{id}/tags.bin?version=…                a byte for each ordinal
 */

import type { Filter } from "../filters";
import { bytes, change, get, json, post, send } from "./http";
import type { MapAddress, MapRecord } from "./maps";

export interface Selected {
  count: number;
  /** Bit i, lowest of each byte first: whether ordinal i is in it. */
  bits: Uint8Array;
}

export interface Tag {
  id: string;
  name: string;
  colour: number;
  count: number;
  mine: boolean;
}

export interface Page {
  records: MapRecord[];
  total: number;
}

export async function select(map: MapAddress, filter: Filter, signal?: AbortSignal): Promise<Selected> {
  const answer = await post<{ count: number; bits: string }>(`/api/maps/${map.id}/select`, { filter, version: map.version }, signal);
  return { count: answer.count, bits: Uint8Array.from(atob(answer.bits), (letter) => letter.charCodeAt(0)) };
}

/** "-year" = by the year, the highest first. */
export interface Order {
  sort: string;
  by: "column" | "computed";
}

export interface TableQuery {
  filter: Filter | null;
  sort: string;
  /** What `sort` names; an uploaded column if not said. */
  by?: Order["by"];
  offset?: number;
  /** A row, for the page that has it in its middle. */
  around?: number;
  limit: number;
}

/** With their places on the map. */
export const table = (dataset: string, { id, version }: MapAddress, query: TableQuery, signal?: AbortSignal): Promise<Page> =>
  post(`/api/datasets/${dataset}/table`, { ...query, map: id, version }, signal);

export const tagsOf = async (dataset: string): Promise<Tag[]> => (await get<{ tags: Tag[] }>(`/api/datasets/${dataset}/tags`)).tags;

export const tagsOfRecord = async (dataset: string, row: number, signal: AbortSignal): Promise<Tag[]> =>
  (await get<{ tags: Tag[] }>(`/api/datasets/${dataset}/records/${row}/tags`, signal)).tags;

export const createTag = (dataset: string, name: string): Promise<Tag> => post(`/api/datasets/${dataset}/tags`, { name });

export const changeTag = (dataset: string, tag: string, to: Pick<Tag, "name" | "colour">): Promise<Tag> =>
  json(change("PATCH", `/api/datasets/${dataset}/tags/${tag}`, to));

export const removeTag = async (dataset: string, tag: string): Promise<void> => {
  await change("DELETE", `/api/datasets/${dataset}/tags/${tag}`);
};

export const tagRecords = (dataset: string, tag: string, what: { add: Filter } | { remove: Filter }): Promise<{ changed: number; count: number }> =>
  post(`/api/datasets/${dataset}/tags/${tag}/records`, what);

/** Nobody can take it back: refused where it is another number than expected. */
export const removeRecords = (dataset: string, filter: Filter, expected?: number): Promise<{ removed: number; record_count: number }> =>
  post(`/api/datasets/${dataset}/records/remove`, { filter, ...(expected === undefined ? {} : { expected }) });

export interface ExportRequest {
  filter?: Filter;
  format: string;
  map: string;
  vectors?: "image" | "caption";
}

/** Where a form gets the file of an export; `checkExport` says beforehand whether it will. */
export const exportAddress = (dataset: string): string => `/api/datasets/${dataset}/export`;

export const checkExport = (dataset: string, request: ExportRequest): Promise<{ records: number }> => post(`${exportAddress(dataset)}/check`, request);

/** The place of each point's tag in the list of tags; 254 = several, 255 = none. */
export async function tagCodes(map: MapAddress, signal?: AbortSignal): Promise<Uint8Array> {
  return new Uint8Array(await bytes(send(`/api/maps/${map.id}/tags.bin?version=${map.version}`, { signal })));
}
