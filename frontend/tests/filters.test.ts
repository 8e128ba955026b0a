import { expect, test } from "vitest";
import { minus, opposite, readFilter, readParts, sentence, union, type Filter } from "../src/filters";
import { mannerOf } from "../src/map/manner";

const red: Filter = { column: "colour", in: ["red"] };
const old: Filter = { column: "year", to: 1900 };

test("selections grow and shrink without nesting deeper than they must", () => {
  expect(union(null, red)).toEqual(red);
  expect(union(union(red, old), { tag: "t" })).toEqual({ any: [red, old, { tag: "t" }] });
  expect(minus(minus(red, old), { tag: "t" })).toEqual({ all: [red, { not: old }, { not: { tag: "t" } }] });
  expect(union({ rows: [1, 2] }, { rows: [2, 3] })).toEqual({ rows: [1, 2, 3] });
  expect(minus({ rows: [1, 2] }, { rows: [2, 3] })).toEqual({ rows: [1] });
  expect(opposite(opposite(red))).toEqual(red);
});

test("Shift adds and Alt takes away, whatever else is held", () => {
  const held = (shiftKey: boolean, altKey: boolean) => mannerOf({ shiftKey, altKey });
  expect([held(false, false), held(true, false), held(false, true), held(true, true)]).toEqual(["new", "add", "take", "take"]);
});

test("a chip says its filter as people would", () => {
  const names = { tag: () => "blurry", topic: () => "pears" };
  const said = (filter: Filter) => sentence(filter, names);
  expect(said({ not: { tag: "t" } })).toBe("not tag blurry");
  expect(said({ column: "colour", in: ["red", null] })).toBe("colour: red, no value");
  expect(said({ any: [{ topic: 3, map: "m" }, old] })).toBe("pears or year: … – 1900");
  expect(said({ rows: [1, 2] })).toBe("2 records");
  expect(said({ all: [red, red, red, red] })).toBe("selection");
});

test("an address may hold anything", () => {
  expect(readFilter("[1]")).toBeNull();
  expect(readFilter("{")).toBeNull();
  expect(readParts('[["a", {"has": "image"}], ["b"], 3, [4, {}]]')).toEqual(new Map([["a", { has: "image" }]]));
  expect(readParts("null")).toEqual(new Map());
});
