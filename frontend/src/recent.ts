/** The last searches of a person in this browser as they would be typed, newest first. */

import { parsed } from "./json";
import { drop, keep, kept } from "./kept";
import type { Asked } from "./query";

const MOST = 12;

// Once all who used a browser had one list.
drop("localStorage", "recent-searches");

/** Whoever signs out leaves no list to the next. */
const key = (): string => `recent-searches:${document.documentElement.dataset["person"] ?? ""}`;

export function recentSearches(): string[] {
  const found = parsed(kept("localStorage", key()));
  return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
}

/** Only what can be typed again: records and pictures are left out. */
export function rememberSearch({ text, chips }: Asked): void {
  const unwanted = chips.filter(({ subject, weight }) => "text" in subject && weight < 0).map(({ label }) => `-"${label}"`);
  const typed = [text.trim(), ...unwanted].join(" ");
  if (!text.trim()) return;
  keep("localStorage", key(), JSON.stringify([typed, ...recentSearches().filter((each) => each !== typed)].slice(0, MOST)));
}
