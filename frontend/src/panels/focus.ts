/** The way back, for a panel that takes the focus: called while the panel is made, the answer when it goes away. */
export function givingFocusBack(): () => void {
  const before = document.activeElement;
  return () => {
    // What the focus was on went with the panel: keys would begin at the top of the page.
    const lost = document.activeElement === document.body;
    if (lost && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  };
}
