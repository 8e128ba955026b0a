/** A query as people put it together: words in the box and chips beside them, each wanted or not, more or less. */

import type { MapRecord } from "./api/maps";
import { queryPictureUrl, type QueryPart, type Subject } from "./api/search";
import { readFilter, type Filter } from "./filters";

export interface Chip {
  /** Stays when the chip changes. */
  id: number;
  subject: Subject;
  /** Below zero: not wanted. */
  weight: number;
  /** What the chip says. */
  label: string;
  /** Address of a small picture. */
  thumbnail: string | null;
}

export interface Asked {
  text: string;
  chips: Chip[];
}

export const NOTHING_ASKED: Asked = { text: "", chips: [] };

export const WEIGHT_STEP = 0.25;
export const MOST_WEIGHT = 3;

let made = 0;

export function chip(subject: Subject, label: string, { weight = 1, thumbnail = null }: { weight?: number; thumbnail?: string | null } = {}): Chip {
  return { id: made++, subject, label, weight, thumbnail };
}

export const textChip = (text: string, weight = 1): Chip => chip({ text }, text, { weight });

export function recordChip(record: MapRecord, weight = 1): Chip {
  const label = record.caption.slice(0, 60) || record.source;
  return chip({ row: record.row }, label, { weight, thumbnail: record.image?.thumbnail ?? null });
}

export const groupChip = (filter: Filter, weight = 1): Chip => chip({ filter }, "Selected records", { weight });

export const pictureChip = (picture: string, weight = 1): Chip =>
  chip({ picture }, "Picture", { weight, thumbnail: `data:image/jpeg;base64,${picture}` });

/** What needs no looking up in a dataset; null for the others. */
export function plainChip(part: QueryPart): Chip | null {
  const { weight } = part;
  if ("text" in part) return textChip(part.text, weight);
  if ("picture" in part) return pictureChip(part.picture, weight);
  if ("picture_key" in part) return chip({ picture_key: part.picture_key }, "Picture", { weight, thumbnail: queryPictureUrl(part.picture_key) });
  return "url" in part ? chip({ url: part.url }, part.url.replace(/^https?:\/\//, ""), { weight }) : null;
}

/** The same chip by so many steps more or less wanted; its sign stays. */
export function weighed(chip: Chip, steps: number): Chip {
  const size = Math.min(MOST_WEIGHT, Math.max(WEIGHT_STEP, Math.abs(chip.weight) + steps * WEIGHT_STEP));
  return { ...chip, weight: Math.sign(chip.weight) * size };
}

export const flipped = (chip: Chip): Chip => ({ ...chip, weight: -chip.weight });

/** A phone puts curly quotes where straight ones were meant. */
export const straight = (typed: string): string => typed.replaceAll(/[“”„‟]/g, '"');

/** What was typed, with every -word and -"several words" as a chip that is not wanted. */
export function readTyped(typed: string): Asked {
  const chips: Chip[] = [];
  const text = straight(typed).replaceAll(/(?<!\S)[-−](?:"([^"]+)"|(\p{L}\S*))/gu, (_, phrase?: string, word?: string) => {
    chips.push(textChip((phrase ?? word)!.trim(), -1));
    return "";
  });
  return { text: text.replaceAll(/\s+/g, " ").trim(), chips: chips.filter(({ label }) => label) };
}

export function partsOf({ text, chips }: Asked): QueryPart[] {
  const words: QueryPart[] = text.trim() ? [{ text: text.trim(), weight: 1 }] : [];
  return [...words, ...chips.map(({ subject, weight }) => ({ ...subject, weight }))];
}

/** What its parts are called, in the order of `partsOf`. */
export const partNames = ({ text, chips }: Asked): string[] => [
  ...(text.trim() ? [text.trim()] : []),
  ...chips.map(({ label, weight }) => (weight > 0 ? label : `not ${label}`)),
];

/** A query in a few words, for its name. */
export function named({ text, chips }: Asked): string {
  const parts = chips.map(({ label, weight }) => (weight > 0 ? `+ ${label}` : `− ${label}`));
  return [...(text.trim() ? [text.trim()] : []), ...parts].join(" ").slice(0, 100);
}

/** The title of a page on which this is asked. */
export const titled = (asked: Asked, page: string): string => [named(asked).replace(/^\+ /, ""), page].filter(Boolean).join(" · ");

/** Those that can stand in an address: a picture cannot before it has a key. */
export const writeParts = (chips: Chip[]): string[] => chips.filter(({ subject }) => !("picture" in subject)).map(writePart);

/** A part as text in an address: "text:red", "-2*row:12", "topic:3@<map>@<layout>", "picture:<key>". */
export function writePart({ subject, weight }: Pick<Chip, "subject" | "weight">): string {
  const size = Math.abs(weight);
  return `${weight < 0 ? "-" : ""}${size === 1 ? "" : `${size}*`}${written(subject)}`;
}

/** The same before and after its picture gets a key: that comes late, and is no other question. */
export const withoutKey = (part: string): string => part.replace(/^([^:]*picture:).*/s, "$1");

function written(subject: Subject): string {
  if ("text" in subject) return `text:${subject.text}`;
  if ("row" in subject) return `row:${subject.row}`;
  if ("picture" in subject) return `picture:${subject.picture}`;
  if ("picture_key" in subject) return `picture:${subject.picture_key}`;
  if ("url" in subject) return `url:${subject.url}`;
  if ("topic" in subject) return [`topic:${subject.topic}`, subject.map, subject.layout].filter((each) => each !== undefined).join("@");
  return "tag" in subject ? `tag:${subject.tag}` : `filter:${JSON.stringify(subject.filter)}`;
}

/** Null for what makes no sense: an address is written by people too. */
export function readPart(text: string): QueryPart | null {
  const [, minus, size, kind, value] = /^(-?)(?:(\d+(?:\.\d+)?)\*)?([a-z]+):(.+)$/s.exec(text) ?? [];
  const subject = kind && value ? read(kind, value) : null;
  const weight = Math.min(MOST_WEIGHT, Number(size ?? 1)) * (minus ? -1 : 1);
  return subject && weight !== 0 ? { ...subject, weight } : null;
}

function read(kind: string, value: string): Subject | null {
  if (kind === "text") return { text: value };
  if (kind === "row" && /^\d{1,9}$/.test(value)) return { row: Number(value) };
  if (kind === "picture") return PICTURE_KEY.test(value) ? { picture_key: value } : whole(value);
  if (kind === "url") return { url: value };
  if (kind === "tag" && UUID.test(value)) return { tag: value };
  if (kind === "filter") {
    const filter = readFilter(value);
    return filter && { filter };
  }
  const [topic, map, layout] = value.split("@");
  if (kind !== "topic" || !/^\d{1,9}$/.test(topic!) || !map || ![map, layout ?? map].every((id) => UUID.test(id))) return null;
  return { topic: Number(topic), map, ...(layout ? { layout } : {}) };
}

/** Saved searches once held their pictures themselves. */
const whole = (picture: string): Subject | null => (picture.length > 64 ? { picture } : null);

const PICTURE_KEY = /^[0-9a-f]{32}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
