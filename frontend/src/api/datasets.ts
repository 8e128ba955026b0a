/**
 * Datasets, their imports and builds.
 *
 *   POST /uploads/                                        tus 1.0; the id of an upload is the last part of its URL
 *   POST /api/datasets                                    {name, uploads: [id], team?} -> Dataset
 *   POST /api/datasets/{id}/imports                       {uploads: [id]} -> ImportJob, into a dataset that exists
 *   GET  /api/datasets/{id}/imports/{import}              -> ImportJob with its description
 *   POST /api/datasets/{id}/imports/{import}/start        {choices: Choices} -> ImportJob; also …/cancel, …/retry, …/review
 *   POST /api/datasets/{id}/build/cancel, …/build/retry   -> snapshot
 *   GET  /api/datasets/{id}/events                        server-sent events -> ProgressEvent
 */

import { get, post } from "./http";
import type { Space } from "./maps";

export type ColumnType = "category" | "number" | "date" | "text" | "list";
export type State = "queued" | "running" | "done" | "failed" | "cancelled";

interface Dataset {
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

interface ImportJob extends ImportProgress {
  dataset: string;
  files: { filename: string; size: number }[];
  description: Description | null;
  choices: Partial<Choices>;
}

/** What the user corrected. What is left out stays as understood, "" and [] mean: no such column. */
export interface Choices {
  picture: string;
  captions: string[];
  id: string;
  vector: string;
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
  /** Null until somebody has confirmed what was understood. */
  started_at: string | null;
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

export const createDataset = (name: string, uploads: string[], team: string | null): Promise<Dataset> =>
  post("/api/datasets", { name, uploads, team });

export const appendUploads = (dataset: string, uploads: string[]): Promise<ImportJob> =>
  post(`/api/datasets/${dataset}/imports`, { uploads });

export const importJob = (dataset: string, id: string): Promise<ImportJob> => get(`/api/datasets/${dataset}/imports/${id}`);

export const startImport = (dataset: string, id: string, choices: Partial<Choices>): Promise<ImportJob> =>
  post(`/api/datasets/${dataset}/imports/${id}/start`, { choices });

/** "review": back to what was understood, to be corrected. */
export type ImportVerb = "cancel" | "retry" | "review";

export const changeImport = (dataset: string, id: string, verb: ImportVerb): Promise<ImportJob> =>
  post(`/api/datasets/${dataset}/imports/${id}/${verb}`, {});

export const changeBuild = (dataset: string, verb: "cancel" | "retry"): Promise<unknown> =>
  post(`/api/datasets/${dataset}/build/${verb}`, {});
export const buildAnew = (dataset: string): Promise<unknown> => post(`/api/datasets/${dataset}/build`, { anew: true });

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
