/** Work that waits until what was changed is on the screen. */

/** A page that nobody sees has no frames: longer than this nothing waits for one. */
const LONGEST_MS = 250;

export function afterFrame(): Promise<void> {
  return new Promise((resolve) => {
    // The callback runs before its frame is painted; what is queued in it runs after.
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, LONGEST_MS);
  });
}
