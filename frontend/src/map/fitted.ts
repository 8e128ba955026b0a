/** Words on a canvas, which cuts nothing off by itself. */

/** As much of the words as there is room for, with an ellipsis where some are left out. */
export function fitted(words: string, room: number, widthOf: (words: string) => number): string {
  if (widthOf(words) <= room) return words;
  // Half of an emoji would be a sign of its own.
  const letters = [...words];
  let [fits, all] = [0, letters.length];
  const start = (count: number): string => `${letters.slice(0, count).join("").trimEnd()}…`;
  while (all - fits > 1) {
    const middle = (fits + all) >> 1;
    if (widthOf(start(middle)) <= room) fits = middle;
    else all = middle;
  }
  return start(fits);
}
