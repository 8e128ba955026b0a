/** Pictures of queries: read from files, and kept for this tab, because an address has no room for them. */

import { keep, kept } from "./kept";

/** The towers look at 224 × 224. */
const LARGEST = 384;
const KEY = "query-picture-";
/** Longer is no key but the picture itself, as saved searches hold it. */
const LONGEST_KEY = 64;

const keys = new Map<string, string>();

/** A picture for a query as base64; rejects for a file that the browser cannot read. */
export async function readPicture(file: Blob): Promise<string> {
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
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const url = canvas.toDataURL("image/jpeg", 0.9);
  return url.slice(url.indexOf(",") + 1);
}

/** A short name for the picture, by which this tab finds it again after a reload and on the way back. */
export function keyOfPicture(picture: string): string {
  const known = keys.get(picture);
  if (known) return known;
  const key = Math.random().toString(36).slice(2, 12);
  keys.set(picture, key);
  // Where the browser keeps nothing it lasts until the page is left.
  keep("sessionStorage", KEY + key, picture);
  return key;
}

/** "" for one that another browser keeps. */
export function keptPicture(key: string): string {
  if (key.length > LONGEST_KEY) return key;
  for (const [picture, known] of keys) if (known === key) return picture;
  const picture = kept("sessionStorage", KEY + key) ?? "";
  if (picture) keys.set(picture, key);
  return picture;
}
