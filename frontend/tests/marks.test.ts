import { describe, expect, test } from "vitest";
import { Flags } from "../src/map/flags";
import type { Column } from "../src/map/manifest";
import { Marks } from "../src/map/marks";
import { seeded } from "./mock/random";

const bitsOf = (n: number, ordinals: number[]): Uint8Array => {
  const bits = new Uint8Array(Math.ceil(n / 8));
  for (const ordinal of ordinals) bits[ordinal >> 3]! |= 1 << (ordinal & 7);
  return bits;
};
const selectionOf = (flags: Flags): number[] => Array.from(flags.bytes.keys()).filter((ordinal) => flags.isSelected(ordinal));
const column: Column = { key: "artist", name: "Artist", kind: "category", type: "u8", missing: 255 };
const made = (n = 20) => new Marks(n, (_, ordinal) => ordinal % 4);

describe("flags", () => {
  test("bits select the same points as their ordinals", () => {
    const random = seeded(3);
    const ordinals = Array.from({ length: 301 }, (_, i) => i).filter(() => random.uniform() < 0.3);
    const flags = new Flags(301);
    flags.selectBits(bitsOf(301, ordinals));
    expect(selectionOf(flags)).toEqual(ordinals);
    expect(flags.selected).toBe(ordinals.length);
    flags.selectBits(null);
    expect(selectionOf(flags)).toEqual([]);
    expect(flags.selected).toBe(0);
  });

  test("bits beyond the last point mean nothing, too few are refused", () => {
    const flags = new Flags(10);
    flags.selectBits(new Uint8Array([255, 255, 255]));
    expect(flags.selected).toBe(10);
    expect(() => flags.selectBits(new Uint8Array(1))).toThrow(RangeError);
  });

  test("a filter hides what does not match and leaves the selection alone", () => {
    const flags = new Flags(10);
    flags.selectBits(bitsOf(10, [1, 2]));
    flags.showOnly(bitsOf(10, [2, 3]));
    expect(flags.hidden).toBe(8);
    expect([1, 2, 3].map((ordinal) => flags.isHidden(ordinal))).toEqual([true, false, false]);
    expect(selectionOf(flags)).toEqual([1, 2]);
    flags.showOnly(null);
    expect(flags.hidden).toBe(0);
    expect(selectionOf(flags)).toEqual([1, 2]);
  });

  test("every change is told by a new revision", () => {
    const flags = new Flags(8);
    const seen = [flags.revision];
    flags.selectBits(bitsOf(8, [1]));
    seen.push(flags.revision);
    flags.selectBits(null);
    seen.push(flags.revision);
    flags.showOnly(bitsOf(8, [1]));
    seen.push(flags.revision);
    expect(new Set(seen).size).toBe(4);
  });
});

describe("marks", () => {
  test("without a selection, a search or a legend all points count", () => {
    const marks = made();
    expect(marks.isLit(3)).toBe(true);
    expect(marks.divided).toBe(false);
    expect(marks.lit).toBe("all");
  });

  test("the selected points count, and of them those that the legend shows", () => {
    const marks = made();
    marks.flags.selectBits(bitsOf(20, [1, 2]));
    marks.setColumn(column, (code) => code === 1);
    expect([0, 1, 2].map((ordinal) => marks.isLit(ordinal))).toEqual([false, true, false]);
    expect(marks.divided).toBe(true);
  });

  test("while searching only hits count, with a glow all points from the cut on", () => {
    const marks = made();
    marks.setHits([{ ordinal: 5, x: 0, y: 0, score: 1 }], true);
    expect([4, 5].map((ordinal) => marks.isLit(ordinal))).toEqual([false, true]);
    expect(marks.lit).toBe("none");
    const glow = new Uint8Array(20);
    glow.set([127, 128], 3);
    marks.setGlow(glow);
    expect([3, 4, 5].map((ordinal) => marks.isLit(ordinal))).toEqual([false, true, true]);
    expect(marks.lit).toBe("all");
    marks.setGlow(null);
    expect(marks.isLit(4)).toBe(false);
  });

  test("a selection stays visible while searching", () => {
    const marks = made();
    marks.setHits([], true);
    marks.flags.selectBits(bitsOf(20, [7]));
    expect(marks.lit).toBe("selected");
    expect([6, 7].map((ordinal) => marks.isLit(ordinal))).toEqual([false, true]);
  });

  test("codes that are handed in colour instead of a column and obey the legend", () => {
    const marks = made();
    const codes = new Uint8Array(20).fill(255);
    codes[2] = 1;
    marks.setCodes(codes, { missing: 255 });
    expect([1, 2].map((ordinal) => marks.isLit(ordinal))).toEqual([false, true]);
    marks.setColumn(column, (code) => code === 1);
    expect(marks.colouredBy).toMatchObject({ kind: "category", type: "u8", missing: 255 });
    expect([1, 2].map((ordinal) => marks.isLit(ordinal))).toEqual([false, true]);
    marks.setCodes(null, { missing: 255 });
    expect(marks.colouredBy).toBe(column);
    expect([1, 2].map((ordinal) => marks.isLit(ordinal))).toEqual([true, false]);
    marks.setCodes(new Uint16Array(20), { missing: 65535 });
    expect(marks.colouredBy?.type).toBe("u16");
  });

  test("values for another number of points are refused", () => {
    expect(() => made().setGlow(new Uint8Array(19))).toThrow(RangeError);
    expect(() => made().setCodes(new Uint16Array(21), { missing: 0 })).toThrow(RangeError);
  });

  test("a filter hides hits too", () => {
    const marks = made();
    marks.setHits([3, 4].map((ordinal) => ({ ordinal, x: 0, y: 0, score: 1 })), true);
    marks.flags.showOnly(bitsOf(20, [4]));
    expect(marks.visibleHits.map((hit) => hit.ordinal)).toEqual([4]);
    expect(marks.part).toBeCloseTo(1 / 20);
  });
});
