/** What is said of the hits besides themselves. */

import type { Answer, Query } from "../../api/search";
import type { SearchHit } from "../../explorer/hits";
import type { Search } from "../../explorer/search.svelte";
import { partNames, type Asked } from "../../query";
import * as text from "../../text";

/** How they were found where that is not as it was asked for; null = there is nothing to say. */
export function saidOfMode(answer: Answer, { mode, parts }: Query, captions: boolean): string | null {
  if (answer.away) return "Search by meaning does not answer: these are word hits. It is asked again by itself.";
  if (answer.without) return `The vectors of the ${answer.without} have to be made anew: until then meaning is looked for without them.`;
  if (mode !== "best") return null;
  if (answer.mode === "words") {
    return "Words are looked up in the text only: this dataset came with its own vectors, or they have to be made anew. Where there are vectors, “Find similar” on a record searches by meaning.";
  }
  const words = parts.some((part) => "text" in part && part.weight > 0);
  // Who may not read captions is never answered by words.
  return answer.mode === "meaning" && words && captions ? "These are hits by meaning only: to look up so many or so common words takes too long." : null;
}

/** For whoever hears the page: how many there are, once for each question. */
export function saidAloud({ searching, filling, hits, total, answer }: Pick<Search, "searching" | "filling" | "hits" | "total" | "answer">): string {
  if (!hits || (searching && !filling)) return "";
  const many = hits.length > 0 ? `${text.count(total)} ${total === 1 ? "hit" : "hits"}` : "No hits";
  return answer?.away ? `${many}. Search by meaning does not answer.` : many;
}

/** What to know of their number; null = it says all. */
export function saidOfHits({ answer, answered, total, cut, elsewhere, relevant }: Search): string | null {
  if (total === 0 && cut === null && answer) return someOf(answer.hits.length, answered?.limit);
  if (total === 0) return "Nothing comes near enough. These come nearest; move the cut to take them in.";
  if (elsewhere > 0) return `${text.count(elsewhere)} ${elsewhere === 1 ? "is" : "are"} not on this map.`;
  return total > relevant.length ? `The best ${text.count(relevant.length)} are shown.` : null;
}

export const SCORES = "Scores say how far a record stands out from the whole dataset, in standard deviations.";

/** What a hit's score is made of. */
export function saidOfScore({ raw, parts, words }: Pick<SearchHit, "raw" | "parts" | "words">, asked: Asked): string {
  const place = words === null ? [] : [`number ${text.count(words)} by words`];
  const names = partNames(asked);
  const each = parts.map((part, at) => `${shortened(names[at] ?? "")} ${part.toFixed(2)}`.trim());
  const score = parts.length > 0 ? [`score ${raw.toFixed(2)}${parts.length > 1 ? ` (${each.join(", ")})` : ""}`] : [];
  return [...score, ...place].join(", ").replace(/^./, (first) => first.toUpperCase());
}

const LONGEST_NAME = 40;
const shortened = (name: string): string => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name);

function someOf(found: number, limit?: number): string {
  const many = found === limit ? `at least ${text.count(found)}` : text.count(found);
  return `No record has all of these words; ${many} ${found === 1 ? "has" : "have"} some.`;
}
