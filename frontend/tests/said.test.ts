import { render } from "svelte/server";
import { expect, test } from "vitest";
import type { Answer, Query } from "../src/api/search";
import type { Explorer } from "../src/explorer/explorer.svelte";
import HitsHead from "../src/panels/search/HitsHead.svelte";
import { textChip } from "../src/query";
import { saidOfMode, saidOfScore } from "../src/panels/search/said";

const BY_SCORES = { cut: 2, histogram: { from: -1, to: 5, counts: [0, 9, 0, 0, 0, 0] } };

/** The head of a search with `found` hits: of so many relevant ones, so many are here. */
function head(found: number, { cut, histogram }: Pick<Answer, "cut" | "histogram">, total = 0, here = 0, raw = 3): string {
  const answer = { hits: Array.from({ length: found }), histogram };
  const search = { answer, answered: { limit: 500 }, total, cut, moved: null, elsewhere: 0, relevant: Array.from({ length: here }, () => ({ raw })), rows: Array.from({ length: here }) };
  return render(HitsHead, { props: { explorer: { search } as unknown as Explorer } }).body;
}

test("where no record has all of the words it is said how many have some, for there is no cut to move", () => {
  const without = { cut: null, histogram: null };
  expect(head(12, without)).toContain("No record has all of these words; 12 have some.");
  expect(head(1, without)).toContain("No record has all of these words; 1 has some.");
  expect(head(500, without)).toContain("No record has all of these words; at least 500 have some.");
  expect(head(12, without)).not.toContain("cut");
});

test("where nothing scores enough the cut can be moved", () => {
  expect(head(12, BY_SCORES)).toContain("Nothing comes near enough. These come nearest; move the cut to take them in.");
});

test("it is said how many of the hits can be selected where that is not all, and nothing can where none is relevant", () => {
  expect(head(20, BY_SCORES, 12, 12)).toContain(">Select<");
  expect(head(5000, BY_SCORES, 7000, 5000)).toContain(">Select the best 5,000<");
  expect(head(12, BY_SCORES)).not.toContain("Select");
});

const query = (given: Partial<Query> = {}) => ({ mode: "best", parts: [{ text: "red", weight: 1 }], ...given }) as Query;
const answer = (given: Partial<Answer>) => ({ mode: "best", away: false, ...given }) as Answer;

test("what was found as it was asked for needs no word", () => {
  expect(saidOfMode(answer({}), query(), true)).toBeNull();
  expect(saidOfMode(answer({ mode: "words" }), query({ mode: "words" }), true)).toBeNull();
  expect(saidOfMode(answer({ mode: "meaning" }), query({ mode: "meaning" }), true)).toBeNull();
  expect(saidOfMode(answer({ mode: "meaning" }), query({ parts: [{ row: 3, weight: 1 }, { text: "red", weight: -1 }] }), true)).toBeNull();
  expect(saidOfMode(answer({ mode: "meaning" }), query(), false)).toBeNull();
});

test("where words or meaning had to be left out it is said why", () => {
  expect(saidOfMode(answer({ mode: "meaning" }), query(), true)).toBe("These are hits by meaning only: to look up so many or so common words takes too long.");
  expect(saidOfMode(answer({ mode: "words" }), query(), true)).toContain("came with its own vectors, or they have to be made anew");
  expect(saidOfMode(answer({ without: "captions" }), query({ mode: "meaning" }), true)).toContain("The vectors of the captions have to be made anew");
  expect(saidOfMode(answer({ mode: "words", away: true }), query(), true)).toContain("It is asked again by itself.");
});

test("a cut that hits lie below says by what they are hits all the same", () => {
  expect(head(12, BY_SCORES, 12, 12)).toContain("score 2.00 and above<");
  expect(head(12, BY_SCORES, 12, 12, 0.5)).toContain("score 2.00 and above, or the very words<");
});

test("what a score is made of is said by the names of the parts", () => {
  const asked = { text: "a square", chips: [textChip("red", -1)] };
  expect(saidOfScore({ raw: 2.314, parts: [2.1, -0.3], words: 3 }, asked)).toBe("Score 2.31 (a square 2.10, not red -0.30), number 3 by words");
  expect(saidOfScore({ raw: 2.314, parts: [2.314], words: null }, asked)).toBe("Score 2.31");
  expect(saidOfScore({ raw: 0, parts: [], words: 1 }, asked)).toBe("Number 1 by words");
});
