import { expect, test } from "vitest";
import { both, minus, opposite, readFilter, readParts, sentence, union, type Filter } from "../src/filters";
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

test("a region that is refined by clicks grows no deeper, and holds what the clicks said", () => {
  const holds = (filter: Filter, row: number): boolean => {
    if ("any" in filter) return filter.any.some((part) => holds(part, row));
    if ("all" in filter) return filter.all.every((part) => holds(part, row));
    if ("not" in filter) return !holds(filter.not, row);
    return "rows" in filter ? filter.rows.includes(row) : row < 50;
  };
  const depth = (filter: Filter): number => {
    if ("not" in filter) return 1 + depth(filter.not);
    const parts = "any" in filter ? filter.any : "all" in filter ? filter.all : [];
    return 1 + Math.max(0, ...parts.map(depth));
  };
  for (const start of [old, both(old, red)!, { any: [old, red] }, { not: { rows: [200] } }, opposite(old)]) {
    let filter: Filter = start;
    const expected = new Set(Array.from({ length: 100 }, (_, row) => row).filter((row) => holds(start, row)));
    for (let step = 0; step < 400; step++) {
      const row = (step * 37) % 100;
      const more = step % 3 > 0;
      filter = more ? union(filter, { rows: [row] }) : minus(filter, { rows: [row] });
      if (more) expected.add(row);
      else expected.delete(row);
    }
    expect([...expected].every((row) => holds(filter, row))).toBe(true);
    expect(Array.from({ length: 100 }, (_, row) => row).filter((row) => holds(filter, row))).toHaveLength(expected.size);
    expect(depth(filter)).toBeLessThan(6);
  }
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
