/** Light, dark or the system's choice. The cookie lets the server write data-theme before the first paint. */

type Theme = "light" | "dark";

const YEAR = 365 * 24 * 3600;

export function currentTheme(): Theme {
  const forced = document.documentElement.dataset["theme"];
  if (forced === "light" || forced === "dark") return forced;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function setTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR}; samesite=lax`;
  document.dispatchEvent(new CustomEvent("themechange", { detail: theme }));
}

/** Calls back whenever the look changes, by the toggle or by the system; returns what ends it. */
export function onThemeChange(callback: (theme: Theme) => void): () => void {
  const ended = new AbortController();
  const listener = () => callback(currentTheme());
  document.addEventListener("themechange", listener, { signal: ended.signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener, { signal: ended.signal });
  return () => ended.abort();
}

function readCookie(): Theme | null {
  const value = /(?:^|;\s*)theme=(light|dark)/.exec(document.cookie)?.[1];
  return value === "light" || value === "dark" ? value : null;
}

/** Every `[data-theme-toggle]` button switches; its icon shows what a press leads to. */
export function wireTheme(): void {
  const chosen = readCookie();
  if (chosen) document.documentElement.dataset["theme"] = chosen;
  const toggles = document.querySelectorAll<HTMLButtonElement>("[data-theme-toggle]");
  const show = () => {
    const dark = currentTheme() === "dark";
    for (const toggle of toggles) {
      toggle.setAttribute("aria-label", dark ? "Use the light look" : "Use the dark look");
      const icon = toggle.querySelector(".icon");
      icon?.classList.toggle("icon-sun", dark);
      icon?.classList.toggle("icon-moon", !dark);
    }
  };
  for (const toggle of toggles) toggle.addEventListener("click", () => setTheme(currentTheme() === "dark" ? "light" : "dark"));
  onThemeChange(show);
  show();
}
