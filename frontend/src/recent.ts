/** The last searches of this browser as they would be typed, newest first. */

import { keep, kept } from "./kept";
import type { Asked } from "./query";

const KEY = "recent-searches";
const MOST = 12;

export function recentSearches(): string[] {
  try {
    const found: unknown = JSON.parse(kept("localStorage", KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
  } catch {
    // Written by something else.
    return [];
  }
}

/** Only what can be typed again: records and pictures are left out. */
export function rememberSearch({ text, chips }: Asked): void {
  const unwanted = chips.filter(({ subject, weight }) => "text" in subject && weight < 0).map(({ label }) => `-"${label}"`);
  const typed = [text.trim(), ...unwanted].join(" ");
  if (!text.trim()) return;
  keep("localStorage", KEY, JSON.stringify([typed, ...recentSearches().filter((each) => each !== typed)].slice(0, MOST)));
}
