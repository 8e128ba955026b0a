/** `[data-copies="id"]` copies the value of that input; its `[data-copied]` part says so for a moment. */

const SECONDS = 2;

export function wireCopying(): void {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-copies]") : null;
    const input = button && document.getElementById(button.dataset["copies"] ?? "");
    if (button && input instanceof HTMLInputElement) void copy(input, button);
  });
}

async function copy(input: HTMLInputElement, button: HTMLElement): Promise<void> {
  input.select();
  // Without TLS a page may not write to the clipboard: the text stays selected, for the person to copy.
  if (!window.isSecureContext) return;
  await navigator.clipboard.writeText(input.value);
  const label = button.querySelector<HTMLElement>("[data-copied]");
  if (!label) return;
  const before = label.textContent;
  label.textContent = label.dataset["copied"] ?? "";
  setTimeout(() => (label.textContent = before), SECONDS * 1000);
}
