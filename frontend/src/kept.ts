/** What the browser keeps for us; it may keep nothing, in a frame of another site for one. */

type Kind = "localStorage" | "sessionStorage";

/** Null where there is nothing. */
export function kept(kind: Kind, key: string): string | null {
  try {
    return window[kind].getItem(key);
  } catch {
    return null;
  }
}

/** False if the browser does not: it is full, or forbidden. */
export function keep(kind: Kind, key: string, value: string): boolean {
  try {
    window[kind].setItem(key, value);
    return true;
  } catch {
    return false;
  }
}
