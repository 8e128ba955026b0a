/** What the progress events add up to. */

import type { BuildProgress, ImportProgress, ImportState, ProgressEvent, State } from "./api/datasets";

export interface Now {
  import: ImportProgress | null;
  build: BuildProgress;
}

export interface StageRow {
  key: string;
  name: string;
  state: State;
  done: number;
  total: number | null;
  rate: number | null;
  secondsLeft: number | null;
  /** A sentence, where a number says too little. */
  note: string;
}

export const NOTHING: Now = { import: null, build: { build: null, stages: [], maps: [] } };

/** One import is shown until it is over: another that somebody has begun meanwhile has a page of its own. */
export function after(now: Now, event: ProgressEvent): Now {
  if (event.kind === "snapshot") return { import: event.import.import, build: event.build };
  if (event.kind === "build") return { ...now, build: event };
  const other = now.import !== null && now.import.id !== event.import.id;
  return other && !isOver(now.import!.state) ? now : { ...now, import: event.import };
}

export const isOver = (state: ImportState): boolean => state === "done" || state === "failed" || state === "cancelled";

/** Whether the choices of an import that is over can be made again: nothing came of them. */
export const isCorrectable = (job: ImportProgress): boolean => isOver(job.state) && job.state !== "done" && job.started_at !== null && job.imported === 0;

type Phase = "empty" | "describing" | "described" | "working" | "failed" | "cancelled" | "ready";

export function phaseOf({ import: job, build }: Now): Phase {
  if (job?.state === "describing" || job?.state === "described") return job.state;
  if (job?.state === "queued" || job?.state === "running") return "working";
  const state = build.build?.state;
  if (state === "queued" || state === "running") return "working";
  if (state === "failed") return "failed";
  // An append that came to nothing and a build that was cancelled take nothing from the maps that are there.
  if (build.maps.length > 0) return "ready";
  if (job?.state === "failed") return "failed";
  if (job?.state === "cancelled" || state === "cancelled") return "cancelled";
  // Between the end of an import and the first step of its build.
  return job?.state === "done" && job.imported > 0 ? "working" : "empty";
}

/** Visitors are told of work on maps that they can see, not of what somebody has begun and has to finish. */
export function phaseFor(mayEdit: boolean, now: Now): Phase {
  const phase = phaseOf(now);
  return mayEdit || phase === "working" || now.build.maps.length === 0 ? phase : "ready";
}

/** What can be cancelled or tried again: the import until it is over or maps are there, then the build. */
export function changeable({ import: job, build }: Now): "import" | "build" {
  if (!job || job.state === "done") return "build";
  const state = build.build?.state;
  const left = build.maps.length > 0 || state === "queued" || state === "running";
  return isOver(job.state) && left ? "build" : "import";
}

export const errorOf = (now: Now): string => (changeable(now) === "import" ? now.import?.error : now.build.build?.error) ?? "";

/** How the last import came to nothing beside maps that are there, or "". */
export function failureBeside({ import: job }: Now): string {
  if (job?.state === "failed") return job.error || "Something went wrong.";
  return job?.state === "done" && job.imported === 0 ? "Nothing was added: the dataset has all records of these files already." : "";
}

/** What is read aloud: what happens and the stage at work, without numbers that change every second. */
export function saidOf(phase: Phase, rows: StageRow[]): string {
  if (phase === "describing") return "Looking at the files.";
  if (phase === "described") return "The files were looked at.";
  if (phase === "cancelled") return "Cancelled.";
  if (phase === "ready") return "The map is ready.";
  const stage = rows.find(({ state }) => state === "running")?.name;
  return phase === "working" ? `Making the map${stage ? `, ${stage.toLowerCase()}` : ""}.` : "";
}

export function stageRows(now: Now): StageRow[] {
  const { import: job, build } = now;
  const rows: StageRow[] = [];
  if (job) {
    const state = job.state === "describing" || job.state === "described" ? "queued" : job.state;
    const skipped = job.skipped > 0 ? `${job.skipped.toLocaleString("en")} skipped` : "";
    const { rate, seconds_left: secondsLeft, total } = job;
    rows.push({ key: "import", name: "Import", state, done: job.read, total, rate, secondsLeft, note: skipped });
  }
  // The stages of an older build say nothing about records that are still coming in.
  if (changeable(now) === "import") return rows;
  for (const stage of build.stages) {
    const { name, state, done, total, rate, seconds_left: secondsLeft } = stage;
    rows.push({ key: `${stage.stage}-${stage.space ?? ""}`, name, state, done, total, rate, secondsLeft, note: "" });
  }
  return rows;
}
