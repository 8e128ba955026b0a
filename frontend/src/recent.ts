/** The last searches of this browser, newest first. */

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

export function rememberSearch(words: string): string[] {
  const now = recentSearches();
  if (!words) return now;
  const next = [words, ...now.filter((each) => each !== words)].slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // A full or forbidden storage must not stop a search.
  }
  return next;
}
