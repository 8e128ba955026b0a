/** Where comments are on the map, and which of them share a marker. */

import type { Comment, Pin } from "../api/together";
import { isOn, type Filter, type MapLayout } from "../filters";

export interface Point {
  x: number;
  y: number;
}

export interface PinGroup extends Point {
  ids: string[];
}

/** Markers closer together than this many pixels could not be told apart. */
const SHARED = 32;
const STEPS = [-1, 0, 1];

/** The place of a pin on a map, in world units; null where it has none there. `rows`: places of records. */
export function placeOf(pin: Pin, map: MapLayout, rows: ReadonlyMap<number, Point>): Point | null {
  if ("row" in pin) return rows.get(pin.row) ?? null;
  if ("filter" in pin || !isOn(pin, map)) return null;
  return "region" in pin ? middleOf(pin.region) : { x: pin.x, y: pin.y };
}

function middleOf(region: [number, number][]): Point {
  const { x0, y0, x1, y1 } = boxOf(region);
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2 };
}

export function boxOf(region: [number, number][]): { x0: number; y0: number; x1: number; y1: number } {
  const xs = region.map(([x]) => x);
  const ys = region.map(([, y]) => y);
  return { x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs), y1: Math.max(...ys) };
}

/** Steps of zoom between which the markers stay together as they are. */
export const pinLevel = (k: number): number => Math.floor(Math.log2(k));

/** A comment near the marker of an earlier one joins it. In world units, so that markers stay as they are while the map is moved. */
export function groupPins(comments: Comment[], places: (pin: Pin) => Point | null, level: number): PinGroup[] {
  const near = SHARED / (1024 * 2 ** level);
  const groups: PinGroup[] = [];
  /** By squares of that side: a marker that is near enough is in the same one or in one of the eight around it. */
  const squares = new Map<string, PinGroup[]>();
  for (const { id, pin } of comments) {
    const place = places(pin);
    if (!place) continue;
    const [column, row] = [Math.floor(place.x / near), Math.floor(place.y / near)];
    const around = STEPS.flatMap((dx) => STEPS.flatMap((dy) => squares.get(`${column + dx} ${row + dy}`) ?? []));
    const group = around.find(({ x, y }) => Math.max(Math.abs(x - place.x), Math.abs(y - place.y)) < near);
    if (group) {
      group.ids.push(id);
      continue;
    }
    const made = { ...place, ids: [id] };
    groups.push(made);
    const square = `${column} ${row}`;
    squares.set(square, [...(squares.get(square) ?? []), made]);
  }
  return groups;
}

/** A selection as a pin; one that is just a drawn region is that region, which has a place on its map. */
export function pinOf(filter: Filter): Pin {
  return "region" in filter && filter.version === undefined ? filter : { filter };
}
