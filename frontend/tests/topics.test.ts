import { describe, expect, it } from "vitest";
import type { Topic } from "../src/map/manifest";
import { TopicTree } from "../src/topics";

const topic = (id: number, parent: number | null, name: string, count: number): Topic => ({
  id, parent, name, count, level: 0, x: 0, y: 0, w: 0, h: 0, k0: null, k1: null, row: 0, ordinal: 0,
});

const TREE = new TopicTree([
  topic(0, null, "fruit", 20),
  topic(1, null, "tools", 30),
  topic(2, 0, "apples", 5),
  topic(3, 0, "pears", 15),
  topic(4, 1, "tools", 30),
  topic(5, 4, "saws", 10),
  topic(6, 4, "hammers", 20),
]);

const shown = (open: number[], words = "") => TREE.rows(new Set(open), words).map(({ topic, depth }) => `${depth} ${topic.name}`);

describe("the tree of topics", () => {
  it("shows the roots, the largest first", () => expect(shown([])).toEqual(["1 tools", "1 fruit"]));
  it("shows what is below an open topic", () => expect(shown([0])).toEqual(["1 tools", "1 fruit", "2 pears", "2 apples"]));
  it("leaves out an only child, which repeats its mother", () => {
    expect(shown([1])).toEqual(["1 tools", "2 hammers", "2 saws", "1 fruit"]);
    expect(TREE.rows(new Set([1]))[1]!.parent).toBe(1);
  });
  it("says which topics have something below them", () => {
    expect(TREE.rows(new Set([1])).map(({ open }) => open)).toEqual([true, null, null, false]);
  });
  it("finds topics of all levels by a part of their name", () => expect(shown([], "S")).toEqual(["1 tools", "1 hammers", "1 pears", "1 saws", "1 apples"]));
  it("finds those that are left where a removal emptied others", () => {
    const left = new TopicTree([topic(1, null, "tools", 30), topic(5, 1, "saws", 10), topic(6, 1, "hammers", 20)]);
    expect(left.rows(new Set(), "s").map(({ topic: { id } }) => id)).toEqual([1, 6, 5]);
  });
  it("has no rows without topics", () => expect(new TopicTree([]).rows(new Set())).toEqual([]));
});
