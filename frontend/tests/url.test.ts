import { expect, test } from "vitest";
import { decodeLink, encodeLink, leftOut, NO_LINK, withQuestion, type Link } from "../src/url";

const FULL: Link = {
  beside: "image",
  layout: "91d2",
  selection: '{"topic":3,"map":"m"}',
  filters: '[["year",{"column":"year","from":1900}]]',
  any: true,
  view: null,
  comment: "0b5e6f3a-8b86-d011-b42d-00cf4fc964ff",
  ramp: "log",
  map: "caption",
  camera: { x: 0.123456789, y: 0.98765432, k: 321.5 },
  colour: "topic-0",
  hidden: [3, 7],
  off: ["Monet, Claude", null, { all: "other" }],
  of: null,
  between: [1900, null],
  range: [100, 2000],
  query: "pear & wormhole, 100 %",
  parts: ["-text:rotten, brown & @", "2*row:12", "topic:3@6f9619ff-8b86-d011-b42d-00cf4fc964ff"],
  against: "captions",
  mode: "words",
  cut: 1.25,
  glow: true,
  record: 42,
};

test("a link says everything that it opens again", () => {
  const again = decodeLink("#" + encodeLink(FULL));
  expect(again).toEqual({ ...FULL, camera: { x: 0.12345679, y: 0.98765432, k: 321.5 } });
});

test("nothing is said where there is nothing to say", () => {
  expect(encodeLink(NO_LINK)).toBe("");
  expect(decodeLink("")).toEqual(NO_LINK);
});

test("nonsense in an address is passed over", () => {
  expect(decodeLink("#at=1,2&range=a,b&record=-4&hidden=x&k=9&mode=guess&in=&cut=low")).toEqual(NO_LINK);
  expect(decodeLink("#at=NaN,0,1").camera).toBeNull();
  expect(decodeLink("#at=0.5,0.5,0").camera).toBeNull();
});

test("what is too long for an address is left out of it and named", () => {
  const long = { ...NO_LINK, selection: JSON.stringify({ rows: Array.from({ length: 2000 }, (_, i) => i) }), filters: "[]" };
  expect(decodeLink(encodeLink(long))).toEqual({ ...long, selection: null });
  expect(leftOut(long)).toEqual({ selection: long.selection });
  expect(decodeLink(encodeLink(long, Infinity))).toEqual(long);
});

test("a group of records that is too long for an address is left out of it as a selection is", () => {
  const parts = ["text:red", `-filter:${JSON.stringify({ rows: Array.from({ length: 2000 }, (_, i) => i) })}`];
  const long = { ...NO_LINK, parts };
  expect(decodeLink(encodeLink(long)).parts).toEqual(["text:red"]);
  expect({ ...decodeLink(encodeLink(long)), ...leftOut(long) }).toEqual(long);
  expect(decodeLink(encodeLink(long, Infinity))).toEqual(long);
});

test("another question leaves all else as it is", () => {
  const saved = decodeLink(encodeLink(withQuestion(NO_LINK, FULL), Infinity));
  expect(saved).toEqual({ ...NO_LINK, query: FULL.query, parts: FULL.parts, against: "captions", mode: "words", cut: 1.25, glow: true, filters: FULL.filters, any: true });
  const seen = { ...FULL, query: "apple", parts: [], cut: null, filters: null, any: false };
  expect(withQuestion(seen, saved)).toEqual(FULL);
});

test("a link of before says of which version its hidden topics are", () => {
  expect(decodeLink("#colour=topic-0&hidden=3&of=77d2")).toEqual({ ...NO_LINK, colour: "topic-0", hidden: [3], of: "77d2" });
});

test("one colour for all is said, another column's is not", () => {
  expect(decodeLink(encodeLink({ ...NO_LINK, colour: "" })).colour).toBe("");
  expect(decodeLink(encodeLink({ ...NO_LINK, colour: "@tags" })).colour).toBe("@tags");
});
