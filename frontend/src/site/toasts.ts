/** Short messages that need no answer; errors stay until they are dismissed. */

const SECONDS = 6;

export function toast(message: string, tone: "plain" | "bad" = "plain"): void {
  const item = document.createElement("div");
  item.className = "toast";
  item.dataset["tone"] = tone;
  const text = document.createElement("span");
  text.textContent = message;
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.textContent = "Dismiss";
  dismiss.addEventListener("click", () => item.remove());
  item.append(text, dismiss);
  const list = toastList();
  list.append(item);
  // Above a dialog that is open, whichever came first.
  list.hidePopover();
  list.showPopover();
  if (tone === "plain") setTimeout(() => item.remove(), SECONDS * 1000);
}

function toastList(): HTMLElement {
  const existing = document.querySelector<HTMLElement>(".toasts");
  if (existing) return existing;
  const list = document.createElement("div");
  list.className = "toasts";
  list.popover = "manual";
  list.setAttribute("role", "status");
  list.setAttribute("aria-live", "polite");
  document.body.append(list);
  return list;
}
