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

export type Phase = "empty" | "describing" | "described" | "working" | "failed" | "cancelled" | "ready";

export function phaseOf({ import: job, build }: Now): Phase {
  if (job?.state === "describing" || job?.state === "described") return job.state;
  if (job?.state === "queued" || job?.state === "running") return "working";
  const state = build.build?.state;
  if (state === "queued" || state === "running") return "working";
  if (job?.state === "failed" || state === "failed") return "failed";
  if (job?.state === "cancelled" || state === "cancelled") return "cancelled";
  if (build.maps.length > 0) return "ready";
  // Between the end of an import and the first step of its build.
  return job?.state === "done" && job.imported > 0 ? "working" : "empty";
}

/** What can be cancelled or tried again: the import while it is not done, then the build. */
export const changeable = ({ import: job }: Now): "import" | "build" => (job && job.state !== "done" ? "import" : "build");

export const errorOf = ({ import: job, build }: Now): string => job?.error || build.build?.error || "";

export function stageRows({ import: job, build }: Now): StageRow[] {
  const rows: StageRow[] = [];
  if (job) {
    const state = job.state === "describing" || job.state === "described" ? "queued" : job.state;
    const skipped = job.skipped > 0 ? `${job.skipped.toLocaleString("en")} skipped` : "";
    const { rate, seconds_left: secondsLeft, total } = job;
    rows.push({ key: "import", name: "Import", state, done: job.read, total, rate, secondsLeft, note: skipped });
  }
  // The stages of an older build say nothing about records that are still coming in.
  if (job && job.state !== "done") return rows;
  for (const stage of build.stages) {
    const { name, state, done, total, rate, seconds_left: secondsLeft } = stage;
    rows.push({ key: `${stage.stage}-${stage.space ?? ""}`, name, state, done, total, rate, secondsLeft, note: "" });
  }
  return rows;
}
