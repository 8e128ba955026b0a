/** Comments in words. */

import type { Pin } from "../../api/together";
import { SPACE_NAMES, type MapConfig } from "../../config";
import { count } from "../../text";

/** What a comment is about, in two words. */
export function about(pin: Pin, { maps }: MapConfig): string {
  if ("row" in pin) return `Record ${count(pin.row)}`;
  if ("filter" in pin) return "Selection";
  const map = maps.find(({ id }) => id === pin.map);
  const where = maps.length > 1 && map ? ` on the map of ${SPACE_NAMES[map.space].toLowerCase()}` : "";
  return `${"region" in pin ? "Region" : "Place"}${where}`;
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** "2 hours ago"; a date when that was more than a month ago. */
export function ago(time: string, now = Date.now()): string {
  const seconds = (now - Date.parse(time)) / 1000;
  if (seconds < 60) return "just now";
  if (seconds > 30 * 86_400) return time.slice(0, 10);
  const [unit, size] = UNITS.find(([, size]) => seconds >= size)!;
  return relative.format(-Math.floor(seconds / size), unit);
}
