/** `[data-copies="id"]` copies the value of that input; its `[data-copied]` part says so for a moment. */

import { copyText } from "./clipboard";

const SECONDS = 2;

export function wireCopying(): void {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-copies]") : null;
    const input = button && document.getElementById(button.dataset["copies"] ?? "");
    if (button && input instanceof HTMLInputElement) void copy(input, button);
  });
}

async function copy(input: HTMLInputElement, button: HTMLElement): Promise<void> {
  const done = await copyText(input.value);
  // What the browser does not let a page copy stays selected, for the person to do it.
  input.select();
  const label = button.querySelector<HTMLElement>("[data-copied]");
  if (!done || !label || label.textContent === label.dataset["copied"]) return;
  const before = label.textContent;
  label.textContent = label.dataset["copied"] ?? "";
  setTimeout(() => (label.textContent = before), SECONDS * 1000);
}
