/** The last searches of this browser as they would be typed, newest first. */

import type { Asked } from "./query";

const KEY = "recent-searches";
const MOST = 12;

export function recentSearches(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((each) => typeof each === "string") : [];
  } catch {
    // Written by something else, or the browser keeps nothing: then there are none.
    return [];
  }
}

/** Only what can be typed again: records and pictures are left out. */
export function rememberSearch({ text, chips }: Asked): void {
  const unwanted = chips.filter(({ subject, weight }) => "text" in subject && weight < 0).map(({ label }) => `-"${label}"`);
  const typed = [text.trim(), ...unwanted].join(" ");
  if (!text.trim()) return;
  try {
    localStorage.setItem(KEY, JSON.stringify([typed, ...recentSearches().filter((each) => each !== typed)].slice(0, MOST)));
  } catch {
    // A full or forbidden storage must not stop a search.
  }
}
