import { expect, test } from "vitest";
import type { Description } from "../src/api/datasets";
import { choicesOf, correctionsOf, previewOf } from "../src/review";

const FOUND: Description = {
  layout: "table",
  parts: [],
  pictures: 0,
  rows: 2,
  picture: null,
  captions: ["title", "alt"],
  id: "id",
  vector: "clip_emb",
  dimensions: 512,
  columns: [
    { name: "notes", type: "text", examples: [] },
    { name: "year", type: "number", examples: [] },
  ],
  all_columns: ["id", "title", "alt", "notes", "year", "clip_emb", "text_emb"],
  head: [{ id: "a-1", source: "t.csv:2", captions: ["A fig", "fruit"], values: { notes: "ripe", year: 1912 }, picture: null }],
  skipped: [],
  skipped_count: 0,
};

test("what was not touched stays as it was understood", () => {
  expect(choicesOf(FOUND, correctionsOf(FOUND, {}))).toEqual({ types: {}, leave_out: [] });
});

test("each role can be given to another column, or to none", () => {
  const now = correctionsOf(FOUND, {});
  expect(choicesOf(FOUND, { ...now, vector: "text_emb", picture: "notes" })).toMatchObject({ vector: "text_emb", picture: "notes" });
  expect(choicesOf(FOUND, { ...now, vector: "", id: "", caption: "" })).toMatchObject({ vector: "", id: "", captions: [] });
  expect(choicesOf(FOUND, { ...now, caption: "notes" }).captions).toEqual(["notes", "alt"]);
});

test("a column that is left out needs no kind", () => {
  const now = correctionsOf(FOUND, {});
  const changed = choicesOf(FOUND, { ...now, types: { ...now.types, year: "category", notes: "category" }, leaveOut: { notes: true } });
  expect(changed).toEqual({ types: { year: "category" }, leave_out: ["notes"] });
});

test("what was corrected before still stands when it is corrected again", () => {
  const before = { captions: ["notes", "alt"], id: "", types: { year: "category" as const }, leave_out: ["notes"] };
  expect(choicesOf(FOUND, correctionsOf(FOUND, before))).toEqual(before);
});

test("the first records are shown as they are corrected", () => {
  const now = correctionsOf(FOUND, {});
  const shown = (changed: Partial<typeof now>) => previewOf(FOUND, { ...now, ...changed });
  expect(shown({})).toEqual({ columns: ["notes", "year"], rows: [{ caption: "A fig", values: ["ripe", 1912] }], exact: true });
  expect(shown({ caption: "notes", leaveOut: { year: true } })).toEqual({ columns: ["title"], rows: [{ caption: "ripe", values: ["A fig"] }], exact: true });
  expect(shown({ id: "year" })).toEqual({ columns: ["id", "notes"], rows: [{ caption: "A fig", values: ["a-1", "ripe"] }], exact: true });
  expect(shown({ caption: "id" }).rows[0]!.caption).toBe("a-1");
});

test("what cannot be told before the files are read again is not claimed", () => {
  const now = correctionsOf(FOUND, {});
  const exact = (changed: Partial<typeof now>) => previewOf(FOUND, { ...now, ...changed }).exact;
  expect([exact({ vector: "" }), exact({ picture: "notes" }), exact({ caption: "alt" }), exact({ caption: "" })]).toEqual([false, false, false, false]);
});
