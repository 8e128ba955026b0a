/**
 * Everything that is asked of the server. No other file fetches, except tus-js-client for the bytes of an upload.
 *
 *   POST /uploads/                                   tus 1.0; the id of an upload is the last part of its URL
 *   POST /api/datasets                               {name, uploads: [id]} -> Dataset
 *   GET  /api/datasets/{id}/description              -> Described
 *   POST /api/datasets/{id}/import                   Choices -> {url}
 *   GET  /api/datasets/{id}/events                   server-sent events -> ProgressEvent
 *   POST /api/datasets/{id}/cancel, …/retry          -> 204
 *   POST /api/datasets/{id}/search                   Query -> Answer
 *   GET  /api/maps/{id}/ordinals?ordinals=1,2,3      -> {records: [Record]}, in the order asked
 *   GET  /api/maps/{id}/records/{row}                -> Record
 *   GET  /api/maps/{id}/records/{row}/neighbours     -> {records: [Record & {score}]}, nearest first, without itself
 *   GET  {base_url}{path}                            the files of a map version, see atlas/maps/FORMAT.md
 *
 * An answer ≥ 400 is {"detail": "a sentence"} or {"detail": [{"msg": "a sentence"}]}.
 */

import type { MapSource } from "./map/source";

export type Space = "image" | "caption" | "joint";
export type ColumnType = "category" | "number" | "date" | "text" | "list";
export type State = "queued" | "running" | "done" | "failed" | "cancelled";

export interface Dataset {
  id: string;
  url: string;
}

export type ImportState = "describing" | "described" | State;

/** What was understood of the uploaded files, before anything is imported. */
export interface Description {
  layout: string;
  parts: { name: string; form: string; pictures: number; tables: string[] }[];
  pictures: number;
  /** Null where they are only counted by reading them all. */
  rows: number | null;
  picture: string | null;
  captions: string[];
  id: string | null;
  vector: string | null;
  dimensions: number | null;
  columns: { name: string; type: ColumnType; examples: unknown[] }[];
  /** The names that choices may use. */
  all_columns: string[];
  head: {
    id: string | null;
    source: string;
    captions: string[];
    values: Record<string, unknown>;
    picture: { name: string; thumbnail: string | null; problem: string | null } | null;
  }[];
  skipped: { source: string; reason: string; detail: string }[];
  skipped_count: number;
}

export interface Described {
  state: ImportState;
  error: string;
  description: Description | null;
}

/** What the user corrected; null and what is left out stay as understood. */
export interface Choices {
  captions: string[] | null;
  id: string | null;
  types: Record<string, ColumnType>;
  leave_out: string[];
}

export interface ImportProgress {
  id: string;
  state: ImportState;
  read: number;
  imported: number;
  skipped: number;
  total: number | null;
  rate: number | null;
  seconds_left: number | null;
  error: string;
}

export interface BuildProgress {
  build: { id: string; state: State; error: string; row_count: number } | null;
  stages: {
    stage: string;
    space: Space | null;
    name: string;
    state: State;
    done: number;
    total: number;
    rate: number | null;
    seconds_left: number | null;
  }[];
  maps: { id: string; space: Space; version: string; number: number; count: number; base_url: string }[];
}

/** The first event of a connection is a snapshot, later ones say what changed. */
export type ProgressEvent =
  | { kind: "snapshot"; import: { import: ImportProgress | null }; build: BuildProgress }
  | ({ kind: "build" } & BuildProgress)
  | { kind?: undefined; import: ImportProgress };

export interface MapRecord {
  row: number;
  ordinal: number;
  x: number;
  y: number;
  caption: string;
  values: Record<string, unknown>;
  source: string;
  thumbnail: string | null;
  picture: string | null;
  width: number | null;
  height: number | null;
}

export interface Neighbour extends MapRecord {
  score: number;
}

/** A part of a query: words or a record, wanted (weight > 0) or not wanted (< 0). */
export type QueryPart = { text: string; weight: number } | { row: number; weight: number };

export interface Query {
  map: string;
  parts: QueryPart[];
  limit: number;
}

export interface Answer {
  hits: { row: number; ordinal: number; x: number; y: number; score: number }[];
}

/** What the server answered instead of a result, in words for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export const createDataset = (name: string, uploads: string[]): Promise<Dataset> =>
  post("/api/datasets", { name, uploads });

export const describe = (dataset: string): Promise<Described> => get(`/api/datasets/${dataset}/description`);

export const startImport = (dataset: string, choices: Choices): Promise<{ url: string }> =>
  post(`/api/datasets/${dataset}/import`, choices);

export const cancelWork = (dataset: string): Promise<void> => act(`/api/datasets/${dataset}/cancel`);
export const retryWork = (dataset: string): Promise<void> => act(`/api/datasets/${dataset}/retry`);

export const search = (dataset: string, query: Query, signal: AbortSignal): Promise<Answer> =>
  post(`/api/datasets/${dataset}/search`, query, signal);

export async function recordsAt(map: string, ordinals: number[], signal?: AbortSignal): Promise<MapRecord[]> {
  const { records } = await get<{ records: MapRecord[] }>(`/api/maps/${map}/ordinals?ordinals=${ordinals.join(",")}`, signal);
  return records;
}

export const recordOf = (map: string, row: number, signal?: AbortSignal): Promise<MapRecord> =>
  get(`/api/maps/${map}/records/${row}`, signal);

export async function neighboursOf(map: string, row: number, signal?: AbortSignal): Promise<Neighbour[]> {
  const { records } = await get<{ records: Neighbour[] }>(`/api/maps/${map}/records/${row}/neighbours`, signal);
  return records;
}

/** The files below `base`, which are immutable and carry the version in their address. */
export function mapFiles(base: string): MapSource {
  return {
    json: (path) => get(base + path),
    bytes: async (path, signal) => (await send(base + path, { signal })).arrayBuffer(),
    picture: async (path, signal) => {
      const blob = await (await send(base + path, { signal })).blob();
      return createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
    },
  };
}

/** Calls back with every event; the browser reconnects by itself. `connected` tells of breaks. */
export function watchProgress(
  url: string,
  listeners: { progress(event: ProgressEvent): void; connected(yes: boolean): void },
): () => void {
  const events = new EventSource(url);
  events.onopen = () => listeners.connected(true);
  events.onerror = () => listeners.connected(false);
  events.onmessage = (event: MessageEvent<string>) => listeners.progress(JSON.parse(event.data) as ProgressEvent);
  return () => events.close();
}

/** Django writes the token into the page, for cookies that scripts may not read. */
export function csrfToken(): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  return meta ?? /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  return (await (await send(url, { signal })).json()) as T;
}

async function post<T>(url: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  return (await (await send(url, { method: "POST", headers, body: JSON.stringify(body), signal })).json()) as T;
}

async function act(url: string): Promise<void> {
  await send(url, { method: "POST", headers: { "X-CSRFToken": csrfToken() } });
}

/** A tile that does not answer in this time is asked for again. */
const TIMEOUT_MS = 30_000;

async function send(url: string, init: Omit<RequestInit, "signal"> & { signal?: AbortSignal | undefined } = {}): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  const response = await fetch(url, { credentials: "same-origin", ...init, signal });
  if (!response.ok) throw new ApiError(response.status, await sentence(response));
  return response;
}

async function sentence(response: Response): Promise<string> {
  const fallback = `The server answered ${response.status} ${response.statusText}.`;
  if (!response.headers.get("Content-Type")?.startsWith("application/json")) return fallback;
  const { detail } = (await response.json()) as { detail?: unknown };
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail)) return detail.map((item: { msg?: string }) => item.msg ?? "").join(" ");
  return fallback;
}
