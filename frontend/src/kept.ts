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

export function drop(kind: Kind, key: string): void {
  try {
    window[kind].removeItem(key);
  } catch {
    // Then there is nothing either.
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
