import { expect, test } from "vitest";
import type { MapRecord } from "../src/api/maps";
import { saysOf, valueOf, worstFirst } from "../src/computed";

test("what may be wrong is listed first: the farthest, the strangest, and those that agree least", () => {
  expect(["outlier", "strangers"].map(worstFirst)).toEqual(["-outlier", "-strangers"]);
  expect(["trust", "agreement"].map(worstFirst)).toEqual(["trust", "agreement"]);
});

test("a record shows how far it is from all, and how many have another label", () => {
  const record = { row: 3, computed: { outlier: 0.1234, strangers: null } } as MapRecord;
  expect(["outlier", "strangers"].map((key) => valueOf(record, key))).toEqual(["0.12", ""]);
  expect(["outlier", "strangers"].every((key) => saysOf(key))).toBe(true);
});
