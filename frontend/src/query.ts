/** A query as people put it together: words in the box and chips beside them, each wanted or not. */

import type { MapRecord } from "./api/maps";
import type { QueryPart } from "./api/search";

export interface Chip {
  kind: "text" | "row" | "picture";
  /** The words, the row, or the picture's bytes in base64. */
  value: string;
  /** What the chip says. */
  label: string;
  wanted: boolean;
  /** Address of a small picture. */
  thumbnail: string | null;
}

export interface Asked {
  text: string;
  chips: Chip[];
}

export const NOTHING_ASKED: Asked = { text: "", chips: [] };

export function partsOf({ text, chips }: Asked): QueryPart[] {
  const parts: QueryPart[] = text.trim() ? [{ text: text.trim(), weight: 1 }] : [];
  for (const { kind, value, wanted } of chips) {
    const weight = wanted ? 1 : -1;
    if (kind === "text") parts.push({ text: value, weight });
    else if (kind === "row") parts.push({ row: Number(value), weight });
    else parts.push({ picture: value, weight });
  }
  return parts;
}

export const textChip = (text: string, wanted = true): Chip => ({ kind: "text", value: text, label: text, wanted, thumbnail: null });

export function chipOf(record: MapRecord): Chip {
  const label = record.caption.slice(0, 60) || record.source;
  return { kind: "row", value: String(record.row), label, wanted: true, thumbnail: record.image?.thumbnail ?? null };
}

/** The rows of a query as numbers in an address: "12" wanted, "-12" not wanted ("-0" too, so it is text). */
export const rowsOf = (chips: Chip[]): string[] =>
  chips.filter((chip) => chip.kind === "row").map((chip) => (chip.wanted ? chip.value : `-${chip.value}`));

export const wordsOf = (chips: Chip[]): string[] =>
  chips.filter((chip) => chip.kind === "text").map((chip) => (chip.wanted ? `+${chip.value}` : `-${chip.value}`));

const LARGEST = 1024;

/** A picture for a query, no larger than the towers look at it; rejects for a file that the browser cannot read. */
export async function pictureChip(file: Blob): Promise<Chip> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("This file is no picture that the browser can read.");
  });
  const factor = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * factor));
  canvas.height = Math.max(1, Math.round(bitmap.height * factor));
  const pen = canvas.getContext("2d")!;
  // Transparent parts would turn black in a JPEG.
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const url = canvas.toDataURL("image/jpeg", 0.92);
  return { kind: "picture", value: url.slice(url.indexOf(",") + 1), label: "Your picture", wanted: true, thumbnail: url };
}
