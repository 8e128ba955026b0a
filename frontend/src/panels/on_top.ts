/**
 * Shows a popover above all else. While a dialog is open it goes into it: whatever is outside is inert then. The popover has to be all
 * that an {#if} makes: more than a single element Svelte takes away only where it had put it.
 */
export function onTop(popover: HTMLElement): () => void {
  const home = popover.parentElement!;
  const show = (): void => {
    (document.querySelector("dialog:modal") ?? home).append(popover);
    popover.showPopover();
  };
  show();
  document.addEventListener("close", show, true);
  return () => document.removeEventListener("close", show, true);
}
