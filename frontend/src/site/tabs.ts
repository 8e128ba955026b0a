/** Tabs may be more than fit: the one that is open is brought into sight. */
export function showOpenTab(): void {
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}
