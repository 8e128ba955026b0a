/** Numbers, dates and values as people read them. */

export const count = (n: number): string => n.toLocaleString("en");

/** "1 more record", "3 more records". */
export const records = (n: number, which = ""): string => `${count(n)} ${which ? `${which} ` : ""}${n === 1 ? "record" : "records"}`;

/** Why something failed. */
export const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function bytes(n: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = n < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3));
  const value = n / 1000 ** power;
  return `${value.toLocaleString("en", { maximumFractionDigits: value < 10 && power > 0 ? 1 : 0 })} ${units[power]}`;
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Digits after the point that tell the values of a range apart; years need none. */
export const digitsOf = (span: number): number => (span >= 10 ? 0 : Math.min(6, 2 - Math.floor(Math.log10(span || 1))));

/** A number of a column with as many digits as its range needs; years carry no thousands mark. */
export function number(value: number, span: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: digitsOf(span), useGrouping: Math.abs(value) >= 10_000 });
}

const DAY = 86_400;

/** The day that a code of a date column stands for: codes fall a little before or after midnight. */
export const nearestDay = (seconds: number): string => day(Math.round(seconds / DAY) * DAY);

export const day = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

/** As the server writes the dates of columns: days by their midnight. */
const MOMENT = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?\+00:00$/;

export function value(raw: unknown): string {
  if (raw === null || raw === undefined) return "";
  if (Array.isArray(raw)) return raw.map(value).join(", ");
  if (typeof raw === "number") return raw.toLocaleString("en", { maximumFractionDigits: 4, useGrouping: Math.abs(raw) >= 10_000 });
  const [, date, time] = typeof raw === "string" ? (MOMENT.exec(raw) ?? []) : [];
  if (date && time) return time === "00:00:00" ? date : `${date} ${time} UTC`;
  return typeof raw === "object" ? JSON.stringify(raw) : String(raw as string | boolean);
}

const ADDRESS = /(?<![a-z0-9])https?:\/\/[^\s<>"]+/gi;

/** Its parts in order; those that are an address of the web, which a page may link to, say so. */
export function linked(words: string): { words: string; link: boolean }[] {
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of words.matchAll(ADDRESS)) {
    // The sentence goes on behind it, and what was opened before it is closed.
    const address = found.replace(found.includes("(") ? /[.,;:!?]+$/ : /[.,;:!?)]+$/, "");
    if (!URL.canParse(address)) continue;
    parts.push({ words: words.slice(end, index), link: false }, { words: address, link: true });
    end = index + address.length;
  }
  return [...parts, { words: words.slice(end), link: false }];
}
