import { expect, test } from "vitest";
import type { BuildProgress, ImportProgress, ProgressEvent, State } from "../src/api/datasets";
import { after, changeable, errorOf, failureBeside, isCorrectable, NOTHING, phaseFor, phaseOf, saidOf, stageRows, type Now } from "../src/progress_state";

const job = (state: ImportProgress["state"]): ImportProgress => ({
  id: "i",
  state,
  read: 60,
  imported: 50,
  skipped: 10,
  total: 100,
  rate: 20,
  seconds_left: 2,
  started_at: "2026-01-01T00:00:00Z",
  error: "",
});
const build = (state: State, maps: BuildProgress["maps"] = []): BuildProgress => ({
  build: { id: "b", state, error: "", row_count: 50 },
  stages: [{ stage: "embed", space: "image", name: "Embedding: images", state, done: 5, total: 50, rate: 5, seconds_left: 9 }],
  maps,
});
const map = { id: "m", space: "image" as const, version: "v", number: 1, count: 50, base_url: "/maps/m/v/" };

test("events add up from the snapshot on", () => {
  const events: ProgressEvent[] = [
    { kind: "snapshot", import: { import: job("describing") }, build: NOTHING.build },
    { import: job("described") },
    { import: job("running") },
    { import: job("done") },
    { kind: "build", ...build("running") },
    { kind: "build", ...build("done", [map]) },
  ];
  const phases: string[] = [];
  events.reduce((now, event) => {
    const next = after(now, event);
    phases.push(phaseOf(next));
    return next;
  }, NOTHING);
  expect(phases).toEqual(["describing", "described", "working", "working", "working", "ready"]);
});

test("another import takes the place of one that is over, not of one that is open", () => {
  const other = { import: { ...job("describing"), id: "other" } };
  const shown = (state: ImportProgress["state"]) => after({ ...NOTHING, import: job(state) }, other).import?.id;
  expect([shown("described"), shown("running"), shown("done"), shown("failed")]).toEqual(["i", "i", "other", "other"]);
});

test("between import and build it is working, not empty", () => {
  expect(phaseOf({ import: job("done"), build: NOTHING.build })).toBe("working");
  expect(phaseOf(NOTHING)).toBe("empty");
});

test("a failure says what can be tried again", () => {
  const failedImport: Now = { import: job("failed"), build: NOTHING.build };
  expect(phaseOf(failedImport)).toBe("failed");
  expect(changeable(failedImport)).toBe("import");
  const failedBuild: Now = { import: job("done"), build: build("failed") };
  expect(phaseOf(failedBuild)).toBe("failed");
  expect(changeable(failedBuild)).toBe("build");
});

test("an append that came to nothing leaves a ready dataset ready", () => {
  const beside = (state: ImportProgress["state"], imported = 0): Now => ({
    import: { ...job(state), imported, error: state === "failed" ? "No table." : "" },
    build: build("done", [map]),
  });
  expect([beside("failed"), beside("cancelled"), beside("done")].map(phaseOf)).toEqual(["ready", "ready", "ready"]);
  expect(failureBeside(beside("failed"))).toBe("No table.");
  expect(failureBeside(beside("done"))).toMatch("Nothing was added");
  expect([beside("cancelled"), beside("done", 50)].map(failureBeside)).toEqual(["", ""]);
});

test("a build that was cancelled leaves the maps that are there ready, and can be tried again", () => {
  const cancelled = (maps: BuildProgress["maps"]): Now => ({ import: job("done"), build: build("cancelled", maps) });
  expect([phaseOf(cancelled([map])), phaseOf(cancelled([]))]).toEqual(["ready", "cancelled"]);
  expect(changeable(cancelled([map]))).toBe("build");
});

test("the build of what a broken import brought is what can be cancelled and tried again", () => {
  const building: Now = { import: { ...job("cancelled"), error: "import" }, build: build("running") };
  expect([phaseOf(building), changeable(building)]).toEqual(["working", "build"]);
  expect(stageRows(building).map((row) => row.name)).toEqual(["Import", "Embedding: images"]);
  const failed = { ...building, build: build("failed", [map]) };
  failed.build.build!.error = "build";
  expect([phaseOf(failed), changeable(failed), errorOf(failed)]).toEqual(["failed", "build", "build"]);
});

test("visitors of a map are told of work, not of what others have to finish", () => {
  const seen = (state: ImportProgress["state"], maps = [map]) => phaseFor(false, { import: job(state), build: build("done", maps) });
  expect([seen("describing"), seen("described"), seen("running")]).toEqual(["ready", "ready", "working"]);
  expect(phaseFor(false, { import: job("done"), build: build("failed", [map]) })).toBe("ready");
  expect(seen("described", [])).toBe("described");
  expect(phaseFor(true, { import: job("described"), build: build("done", [map]) })).toBe("described");
});

test("the stages of the last build are not shown for records that still come in", () => {
  expect(stageRows({ import: job("running"), build: build("done", [map]) }).map((row) => row.name)).toEqual(["Import"]);
  expect(stageRows({ import: job("done"), build: build("running") }).map((row) => row.name)).toEqual(["Import", "Embedding: images"]);
  expect(stageRows({ import: job("running"), build: NOTHING.build })[0]!.note).toBe("10 skipped");
});

test("the columns are corrected again where nothing was imported by them", () => {
  const came = (state: ImportProgress["state"], imported: number) => isCorrectable({ ...job(state), imported });
  expect([came("failed", 0), came("cancelled", 0), came("cancelled", 50), came("running", 0)]).toEqual([true, true, false, false]);
  expect(isCorrectable({ ...job("failed"), imported: 0, started_at: null })).toBe(false);
});

test("the stage at work is read aloud, without the numbers that run", () => {
  const said = (now: Now) => saidOf(phaseOf(now), stageRows(now));
  const running: Now = { import: job("running"), build: NOTHING.build };
  expect(said(running)).toBe("Making the map, import.");
  expect(said({ ...running, import: { ...job("running"), read: 90 } })).toBe(said(running));
  expect(said({ import: job("done"), build: build("running") })).toBe("Making the map, embedding: images.");
  expect(said({ import: job("done"), build: build("done", [map]) })).toBe("The map is ready.");
});
