/** The state of the explorer as the part of an address after "#": what a copied link opens again. */

import type { Against, Mode } from "./api/search";
import { parsed } from "./json";
import type { Ramp } from "./map/manifest";
import type { Camera } from "./map/viewport";

/** Values of a column; null = that end is no limit. Codes would stand for others once the column has a new smallest or largest value. */
export type Between = [number | null, number | null];

/** What a row of a legend stands for: a value or tag by its name, null = no value, or many at once. */
export type Off = string | null | { all: "other" | "several" };

export interface Link {
  /** Space of the map. */
  map: string | null;
  /** Space of the map beside it. */
  beside: string | null;
  /** Of the map: on another one the camera and the hidden topics mean something else; null of an old link, which does not say. */
  layout: string | null;
  camera: Camera | null;
  /** Key of a column; "" = one colour for all. */
  colour: string | null;
  /** What the legend has switched off. */
  off: Off[];
  /** The same as codes: of topics, and as links named it before they named values. */
  hidden: number[];
  /** The version of which hidden topics are, as links said before they said the layout. */
  of: string | null;
  between: Between | null;
  /** The same as codes of a version, as links named it before they named values. */
  range: [number, number] | null;
  /** How the colours of numbers are laid out, where not as they are stored. */
  ramp: Ramp | null;
  query: string;
  /** Further parts of the query as text, see `writePart`; too long ones are left out as below. */
  parts: string[];
  against: Against;
  mode: Mode;
  /** Where the hits end, if somebody moved it. */
  cut: number | null;
  /** Whether the relevance of all points is shown. */
  glow: boolean;
  /** Row of the record that is open. */
  record: number | null;
  /** The selection and the filters as JSON; too long ones are left out, a saved view holds them. */
  selection: string | null;
  filters: string | null;
  /** Whether one of the filters is enough. */
  any: boolean;
  /** Id of a saved view, which says all of this. */
  view: string | null;
  /** Id of a comment. */
  comment: string | null;
}

export const NO_LINK: Link = {
  map: null, beside: null, layout: null, camera: null, colour: null, off: [], hidden: [], of: null, between: null, range: null, ramp: null,
  query: "", parts: [], against: "both", mode: "best", cut: null, glow: false,
  record: null, selection: null, filters: null, any: false, view: null, comment: null,
};

const RAMPS: Ramp[] = ["linear", "log"];

/** Of a selection, of filters or of a part of the query in an address: longer ones do not survive being mailed. */
const LONGEST = 3000;

/** What its address has no room for. */
export function leftOut({ selection, filters, parts }: Link): Partial<Link> {
  return {
    ...(selection && selection.length > LONGEST ? { selection } : {}),
    ...(filters && filters.length > LONGEST ? { filters } : {}),
    // All of them: one alone would not say its place.
    ...(parts.some(({ length }) => length > LONGEST) ? { parts } : {}),
  };
}

/** `longest`: of a selection, of filters or of a part of the query that is still written. */
export function encodeLink(link: Link, longest = LONGEST): string {
  const parts = new URLSearchParams();
  if (link.map) parts.set("map", link.map);
  if (link.beside) parts.set("beside", link.beside);
  if (link.layout) parts.set("layout", link.layout);
  if (link.camera) parts.set("at", [link.camera.x, link.camera.y, link.camera.k].map(short).join(","));
  if (link.colour !== null) parts.set("colour", link.colour);
  if (link.off.length) parts.set("off", JSON.stringify(link.off));
  if (link.hidden.length) parts.set("hidden", link.hidden.join(","));
  if (link.between) parts.set("between", link.between.map((end) => end ?? "").join(","));
  if (link.range) parts.set("range", link.range.join(","));
  if (link.ramp) parts.set("ramp", link.ramp);
  if (link.query) parts.set("q", link.query);
  for (const part of link.parts) if (part.length <= longest) parts.append("p", part);
  if (link.against !== "both") parts.set("in", link.against);
  if (link.mode !== "best") parts.set("mode", link.mode);
  if (link.cut !== null) parts.set("cut", short(link.cut));
  if (link.glow) parts.set("glow", "1");
  if (link.record !== null) parts.set("record", String(link.record));
  if (link.filters && link.filters.length <= longest) parts.set("filters", link.filters);
  if (link.any) parts.set("any", "1");
  if (link.selection && link.selection.length <= longest) parts.set("sel", link.selection);
  if (link.comment) parts.set("comment", link.comment);
  return parts.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%40", "@");
}

/** The first link with the question of the second: what is asked, and among which records. */
export function withQuestion(link: Link, { query, parts, against, mode, cut, glow, filters, any }: Link): Link {
  return { ...link, query, parts, against, mode, cut, glow, filters, any };
}

/** Parts that make no sense are left out: an address is written by people too. */
export function decodeLink(hash: string): Link {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const [x, y, k] = numbers(parts.get("at"));
  const [from, to] = numbers(parts.get("range"));
  const record = numbers(parts.get("record"))[0];
  return {
    map: parts.get("map"),
    beside: parts.get("beside"),
    layout: parts.get("layout"),
    camera: x !== undefined && y !== undefined && k !== undefined && k > 0 ? { x, y, k } : null,
    colour: parts.get("colour"),
    hidden: numbers(parts.get("hidden")),
    of: parts.get("of"),
    off: offIn(parts.get("off")),
    between: betweenIn(parts.get("between")),
    range: from !== undefined && to !== undefined ? [from, to] : null,
    ramp: RAMPS.find((ramp) => ramp === parts.get("ramp")) ?? null,
    query: parts.get("q") ?? "",
    parts: parts.getAll("p"),
    against: oneOf(["both", "pictures", "captions"], parts.get("in")),
    mode: oneOf(["best", "meaning", "words"], parts.get("mode")),
    cut: numbers(parts.get("cut"))[0] ?? null,
    glow: parts.has("glow"),
    record: record !== undefined && record >= 0 ? Math.floor(record) : null,
    selection: parts.get("sel"),
    filters: parts.get("filters"),
    any: parts.has("any"),
    view: parts.get("view"),
    comment: parts.get("comment"),
  };
}

/** The first where the text is none of them. */
const oneOf = <T extends string>(all: [T, ...T[]], text: string | null): T => all.find((each) => each === text) ?? all[0];

function numbers(text: string | null): number[] {
  if (!text) return [];
  const all = text.split(",").map(Number);
  return all.every(Number.isFinite) ? all : [];
}

function offIn(text: string | null): Off[] {
  const isOff = (each: unknown): each is Off =>
    each === null || typeof each === "string" || (typeof each === "object" && "all" in each && (each.all === "other" || each.all === "several"));
  const found = parsed(text);
  return Array.isArray(found) ? found.filter(isOff) : [];
}

function betweenIn(text: string | null): Between | null {
  const ends = text?.split(",").map((end) => (end.trim() === "" ? null : Number(end)));
  return ends?.length === 2 && ends.every((end) => end === null || Number.isFinite(end)) ? (ends as Between) : null;
}

/** Eight digits hold a place to a pixel at every zoom but the very deepest. */
const short = (value: number): string => String(Number(value.toPrecision(8)));
