const FOCUSABLE = "a[href], button:enabled, input:enabled:not([tabindex='-1']), textarea:enabled, summary";

/** The way back, for a panel that takes the focus: called while the panel is made, the answer when it goes away. */
export function givingFocusBack(): () => void {
  const before = document.activeElement;
  return () => {
    if (isLost() && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  };
}

/** Where what has the focus goes away, what takes its place gets it, else what is last. */
export function keepFocus(panel: HTMLElement): () => void {
  const all = (): HTMLElement[] => [...panel.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((each) => each.checkVisibility());
  let last: Element | null = null;
  let at = -1;
  const note = (): void => {
    last = document.activeElement;
    at = all().findIndex((each) => each === last);
  };
  const observer = new MutationObserver(() => {
    if (!last || last.isConnected || !isLost()) return;
    const left = all();
    left[Math.min(at, left.length - 1)]?.focus({ preventScroll: true });
  });
  panel.addEventListener("focusin", note);
  observer.observe(panel, { childList: true, subtree: true });
  return () => observer.disconnect();
}

/** For the heading of what takes the place of a panel that may have had the focus. */
export function takeFocus(heading: HTMLElement): void {
  // What it replaces goes away in the same turn.
  requestAnimationFrame(() => {
    if (isLost()) heading.focus({ preventScroll: true });
  });
}

/** What the focus was on went away: keys would begin at the top of the page. */
const isLost = (): boolean => document.activeElement === document.body;
