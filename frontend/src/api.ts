/**
 * Everything that is asked of the server. No other file fetches, except tus-js-client for the bytes of an upload.
 *
 *   POST /uploads/                                        tus 1.0; the id of an upload is the last part of its URL
 *   POST /api/datasets                                    {name, uploads: [id], team?} -> Dataset
 *   POST /api/datasets/{id}/imports                       {uploads: [id]} -> ImportJob, into a dataset that exists
 *   GET  /api/datasets/{id}/imports/{import}              -> ImportJob with its description
 *   POST /api/datasets/{id}/imports/{import}/start        {choices: Choices} -> ImportJob; also …/cancel and …/retry
 *   POST /api/datasets/{id}/build/cancel, …/build/retry   -> snapshot
 *   GET  /api/datasets/{id}/events                        server-sent events -> ProgressEvent
 *   GET  /api/maps/{id}/records?ordinals=1,2,3&version=…  -> {records: [MapRecord]}, those that exist
 *   GET  /api/maps/{id}/records/{row}?version=…           -> MapRecord
 *   GET  /api/maps/{id}/records/{row}/neighbours          -> {records: [Neighbour]}, nearest first, without itself
 *   POST /api/datasets/{id}/search                        Query -> Answer
 *   GET  {base_url}{path}                                 the files of a map version, see atlas/maps/FORMAT.md
 *
 * An answer ≥ 400 is {"detail": "a sentence"} or {"detail": [{"msg": "a sentence"}]}.
 */

import type { MapSource } from "./map/source";

export interface MapAddress {
  id: string;
  version: string;
}

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

export interface ImportJob {
  id: string;
  dataset: string;
  state: ImportState;
  files: { filename: string; size: number }[];
  error: string;
  description: Description | null;
}

/** What the user corrected. What is left out stays as understood, "" and [] mean: no such column. */
export interface Choices {
  captions: string[];
  id: string;
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
}

export type Neighbour = MapRecord & { score: number };

/** A part of a query: words, a record or a picture (base64), wanted (weight > 0) or not wanted (< 0). */
export type QueryPart = ({ text: string } | { row: number } | { picture: string }) & { weight: number };

export interface Query {
  map: string;
  parts: QueryPart[];
  limit: number;
}

export interface Answer {
  /** Best first; those without a place are not on this map. */
  hits: { row: number; ordinal: number | null; x: number | null; y: number | null; score: number }[];
  /** How many records are relevant, by a cut that comes from this query's own scores; may be more than `hits`. */
  relevant: number;
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

export const createDataset = (name: string, uploads: string[], team: string | null): Promise<Dataset> =>
  post("/api/datasets", { name, uploads, team });

export const appendUploads = (dataset: string, uploads: string[]): Promise<ImportJob> =>
  post(`/api/datasets/${dataset}/imports`, { uploads });

export const importJob = (dataset: string, id: string): Promise<ImportJob> => get(`/api/datasets/${dataset}/imports/${id}`);

export const startImport = (dataset: string, id: string, choices: Partial<Choices>): Promise<ImportJob> =>
  post(`/api/datasets/${dataset}/imports/${id}/start`, { choices });

export const changeImport = (dataset: string, id: string, verb: "cancel" | "retry"): Promise<ImportJob> =>
  post(`/api/datasets/${dataset}/imports/${id}/${verb}`, {});

export const changeBuild = (dataset: string, verb: "cancel" | "retry"): Promise<unknown> =>
  post(`/api/datasets/${dataset}/build/${verb}`, {});

export const search = (dataset: string, query: Query, signal: AbortSignal): Promise<Answer> =>
  post(`/api/datasets/${dataset}/search`, query, signal);

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

const REOPEN_MS = 5000;

/**
 * Calls back with every event; `connected` tells of breaks. The browser reconnects after a broken connection by itself, but
 * gives up when a proxy answers with an error: then it is opened anew.
 */
export function watchProgress(
  url: string,
  listeners: { progress(event: ProgressEvent): void; connected(yes: boolean): void },
): () => void {
  let events: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    events = new EventSource(url);
    events.onopen = () => listeners.connected(true);
    events.onmessage = (event: MessageEvent<string>) => listeners.progress(JSON.parse(event.data) as ProgressEvent);
    events.onerror = () => {
      listeners.connected(false);
      if (events.readyState === EventSource.CLOSED) timer = setTimeout(open, REOPEN_MS);
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    events.close();
  };
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
