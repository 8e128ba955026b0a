/**
 * A colour for every code of a column. Categories: Paul Tol's schemes for colour-blind readers
 * (personal.sron.nl/~pault, 2021), darkened or lightened to stand on paper or on night. Ramps: viridis (CC0).
 */

import type { Rgb } from "./gl";
import type { Column } from "./manifest";

export type Look = "light" | "dark";

/** Codes that the shader's table can hold. */
export const CODES = 65536;
/** Colours of the scheme for categories: the first values have them in turn, unless they chose; the rest is "Other". */
export const OWN_COLOURS = 10;

const CATEGORIES: Record<Look, string[]> = {
  light: ["#2f6db5", "#d1495b", "#2c8a4f", "#c79a16", "#7b4ea3", "#1b9aaa", "#c8631c", "#a53f7d", "#6e7f1f", "#3b3f8f"],
  dark: ["#77aadd", "#ee8866", "#66c28a", "#eedd88", "#c3a1e6", "#66ccdd", "#ffaabb", "#e07fb8", "#bbcc33", "#99aaff"],
};

/** What people call them. */
export const CATEGORY_NAMES: Record<Look, string[]> = {
  light: ["Blue", "Red", "Green", "Ochre", "Violet", "Turquoise", "Orange", "Magenta", "Olive", "Indigo"],
  dark: ["Blue", "Orange", "Green", "Yellow", "Violet", "Turquoise", "Pink", "Magenta", "Lime", "Lavender"],
};

const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];
/** The part of the ramp that keeps away from the background. */
const RANGE: Record<Look, [number, number]> = { light: [0, 0.88], dark: [0.14, 1] };

const OTHER: Record<Look, string> = { light: "#8d867a", dark: "#8f897d" };
const MISSING: Record<Look, string> = { light: "#bdb6a9", dark: "#57534b" };
const SEVERAL: Record<Look, string> = { light: "#37332c", dark: "#f2ede3" };
const PLAIN: Record<Look, string> = { light: "#25706d", dark: "#7fc9bd" };

/** Hits, worst to best. */
export const HIT_RAMP: Record<Look, [string, string]> = { light: ["#d98a5b", "#b3261e"], dark: ["#c08a4a", "#ffd27a"] };
/**
 * The glow from the cut to the best: darker and redder on paper, brighter and yellower at night, so that the lightness alone
 * tells the order to those who do not see the hue.
 */
export const GLOW: Record<Look, [Rgb, Rgb, Rgb]> = {
  light: [rgb("#e8b48f"), rgb("#d9662f"), rgb("#8c1218")],
  dark: [rgb("#7d5326"), rgb("#e09a3e"), rgb("#fff0c2")],
};

export function rgb(hex: string): Rgb {
  const value = parseInt(hex.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

export const hex = ([r, g, b]: Rgb): string =>
  "#" + [r, g, b].map((part) => Math.round(part * 255).toString(16).padStart(2, "0")).join("");

/** `t` from 0 to 1 along the ramp of a look. */
export function ramp(t: number, look: Look): Rgb {
  const [from, to] = RANGE[look];
  const place = (from + (to - from) * t) * (VIRIDIS.length - 1);
  const index = Math.min(VIRIDIS.length - 2, Math.floor(place));
  const [a, b] = [rgb(VIRIDIS[index]!), rgb(VIRIDIS[index + 1]!)];
  return a.map((part, i) => part + (b[i]! - part) * (place - index)) as Rgb;
}

/** The colour of one code of a column. */
export function colourOf(column: Column | null, code: number, look: Look): Rgb {
  if (!column) return rgb(PLAIN[look]);
  if (code === column.missing) return rgb(MISSING[look]);
  if (column.kind === "number" || column.kind === "date") return ramp(placeOf(column, code), look);
  if (column.kind === "topic") return topicColour(code, look);
  if (code === column.several) return rgb(SEVERAL[look]);
  const own = code < ownCodes(column) ? (column.colours?.[code] ?? code) : -1;
  return rgb(own < 0 ? OTHER[look] : categoryColour(own, look));
}

/** How many codes of a category, from the first on, are not "Other". */
export const ownCodes = ({ colours }: Column): number => colours?.length ?? OWN_COLOURS;

/** The colour of the scheme; after the last they come round again. */
export const categoryColour = (place: number, look: Look): string => CATEGORIES[look][place % OWN_COLOURS]!;

/** Topics are many: the ten colours come round again in a lighter and in a deeper shade, so neighbours differ. */
function topicColour(id: number, look: Look): Rgb {
  const base = rgb(CATEGORIES[look][id % OWN_COLOURS]!);
  const round = Math.floor(id / OWN_COLOURS) % 3;
  const towards: Rgb = round === 1 ? [1, 1, 1] : [0, 0, 0];
  const part = round === 0 ? 0 : 0.28;
  return base.map((value, i) => value + (towards[i]! - value) * part) as Rgb;
}

/** RGBA for every code. Alpha says whether the code is shown (255) or stands back (0). */
export function colourTable(column: Column | null, look: Look, shown: (code: number) => boolean): Uint8Array {
  const table = new Uint8Array(4 * CODES);
  const codes = column?.type === "u16" ? CODES : 256;
  for (let code = 0; code < codes; code++) {
    const [r, g, b] = colourOf(column, code, look);
    table.set([r * 255, g * 255, b * 255, shown(code) ? 255 : 0], 4 * code);
  }
  return table;
}

/** The value that a code of a number or date column stands for. */
export function valueOf(column: Column, code: number): number {
  const { min = 0, max = 1 } = column;
  const t = code / (CODES - 2);
  return column.scale === "log" ? min * (max / min) ** t : min + (max - min) * t;
}

/** The nearest code of a value. */
export function codeOf(column: Column, value: number): number {
  const { min = 0, max = 1 } = column;
  if (max === min) return 0;
  const t = column.scale === "log" ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
  return Math.round(Math.min(1, Math.max(0, t)) * (CODES - 2));
}

/** Where a code lies on the ramp of a number or date column, 0 … 1. */
export function placeOf(column: Column, code: number): number {
  const { min = 0, max = 1, like } = column;
  if (like) return Math.min(1, Math.max(0, placeOfValue(like, valueOf(column, code))));
  if (!isWarped(column)) return code / (CODES - 2);
  const value = valueOf(column, code);
  if (column.ramp === "linear") return (value - min) / (max - min);
  return min > 0 ? Math.log(value / min) / Math.log(max / min) : Math.log1p(value - min) / Math.log1p(max - min);
}

/** The same of a value, which may lie a little beyond the smallest and the largest where the ramp is linear. */
export function placeOfValue(column: Column, value: number): number {
  const { min = 0, max = 1 } = column;
  if ((column.ramp ?? column.scale) === "log") return placeOf(column, codeOf(column, value));
  return (value - min) / (max - min || 1);
}

/** The code at a place of the ramp. */
export function codeAt(column: Column, place: number): number {
  const { min = 0, max = 1 } = column;
  if (!isWarped(column)) return Math.round(place * (CODES - 2));
  if (column.ramp === "linear") return codeOf(column, min + place * (max - min));
  return codeOf(column, min > 0 ? min * (max / min) ** place : min + Math.expm1(place * Math.log1p(max - min)));
}

/** Whether the colours are laid out otherwise than the codes. */
function isWarped({ ramp, scale = "linear", min = 0, max = 1 }: Column): boolean {
  return ramp !== undefined && ramp !== scale && max > min;
}
