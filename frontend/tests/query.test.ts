import { expect, test } from "vitest";
import { chip, flipped, named, NOTHING_ASKED, partsOf, readPart, readTyped, recordChip, textChip, titled, weighed, writePart, writeParts, type Chip } from "../src/query";

const MAP = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";
const again = (each: Chip) => readPart(writePart(each));

test("every part of a query survives its address", () => {
  const subjects = [{ text: "a*b: <c> \"d\"\n-e" }, { row: 0 }, { url: "https://example.org/a?b=c*d:e" }, { topic: 7, map: MAP }, { topic: 7, map: MAP, layout: MAP }, { tag: MAP }, { filter: { rows: [1, 2] } }];
  for (const subject of subjects) {
    for (const weight of [1, -1, 2.5, -0.25]) expect(again(chip(subject, "", { weight }))).toEqual({ ...subject, weight });
  }
});

test("a picture stands in an address by its key, and not before it has one", () => {
  const key = "0123456789abcdef".repeat(2);
  expect(again(chip({ picture_key: key }, "", { weight: -1 }))).toEqual({ picture_key: key, weight: -1 });
  expect(writeParts([chip({ picture: "/9j/4AAQ" }, ""), textChip("red"), chip({ picture_key: key }, "")])).toEqual(["text:red", `picture:${key}`]);
  const picture = "/9j/" + "A".repeat(100) + "==";
  expect(readPart(`picture:${picture}`)).toEqual({ picture, weight: 1 });
});

test("parts that make no sense are nothing", () => {
  for (const text of ["", "text:", "bare", "0*text:a", "row:-1", "row:1.5", "topic:3", `topic:x@${MAP}`, `topic:3@${MAP}@mine`, "tag:mine", "picture:mine", "shell:rm"]) expect(readPart(text)).toBeNull();
  expect(readPart("99*text:a")).toEqual({ text: "a", weight: 3 });
});

test("a minus before a word or a phrase is an unwanted part", () => {
  const { text, chips } = readTyped('red fruit -apple and -"green pear" -5 a - b well-known --dashes');
  expect(text).toBe("red fruit and -5 a - b well-known --dashes");
  expect(chips.map(({ label, weight }) => [label, weight])).toEqual([["apple", -1], ["green pear", -1]]);
});

test("quotes and minus are understood as a phone types them", () => {
  const { text, chips } = readTyped("“red fruit” −apple -“green pear” don’t");
  expect(text).toBe('"red fruit" don’t');
  expect(chips.map(({ label, weight }) => [label, weight])).toEqual([["apple", -1], ["green pear", -1]]);
});

test("the words of the box come first, then the chips", () => {
  const chips = [flipped(textChip("apple"))];
  expect(partsOf({ text: " red ", chips })).toEqual([{ text: "red", weight: 1 }, { text: "apple", weight: -1 }]);
  expect(partsOf({ text: "  ", chips: [] })).toEqual([]);
  expect(named({ text: "red", chips })).toBe("red − apple");
});

test("a page is called after what is asked on it, and as before where that is nothing", () => {
  const page = "Squares · Map";
  const plum = textChip("plum");
  const asked = [NOTHING_ASKED, { text: "red", chips: [plum] }, { text: "", chips: [plum] }, { text: "", chips: [flipped(plum)] }];
  expect(asked.map((each) => titled(each, page))).toEqual([page, `red + plum · ${page}`, `plum · ${page}`, `− plum · ${page}`]);
});

test("a weight goes up and down within its bounds and keeps its sign", () => {
  expect(weighed(textChip("a"), 1).weight).toBe(1.25);
  expect(weighed(textChip("a", -1), 1).weight).toBe(-1.25);
  expect(weighed(textChip("a", 0.25), -1).weight).toBe(0.25);
  expect(weighed(textChip("a", 3), 1).weight).toBe(3);
});

test("a record without a caption is called by its source", () => {
  const record = { row: 3, key: null, source: "a/b.png", caption: "", captions: [], values: {}, image: null, ordinal: 1, x: 0, y: 0, computed: {} };
  expect(recordChip(record).label).toBe("a/b.png");
});
