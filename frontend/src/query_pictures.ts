/** Pictures of queries: read from files, and kept by the server, because an address has no room for them. */

import { keepQueryPicture } from "./api/search";
import type { Asked, Chip } from "./query";

/** The towers look at 224 × 224. */
const LARGEST = 384;

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

/** The picture that was copied; null where words were: programs with tables and texts copy them as a picture too. */
export function copiedPicture(data: Pick<DataTransfer, "files" | "getData"> | null): File | null {
  const picture = [...(data?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  const words = data?.getData("text/plain").trim();
  // Whoever copies a file copies its name.
  return picture && (!words || words.includes(picture.name)) ? picture : null;
}

/** Where on this server the picture is that somebody dragged out of a page of it; null for anything else. */
export function ownPicture(data: Pick<DataTransfer, "getData">): string | null {
  const url = new DOMParser().parseFromString(data.getData("text/html"), "text/html").querySelector("img")?.getAttribute("src") ?? "";
  return URL.canParse(url) && new URL(url).origin === location.origin ? url : null;
}

export const hasUnkept = ({ chips }: Asked): boolean => chips.some(({ subject }) => "picture" in subject);

/** The same query, its pictures kept with a dataset and named by their keys. */
export async function withKeys(asked: Asked, dataset: string): Promise<Asked> {
  return { ...asked, chips: await Promise.all(asked.chips.map((chip) => withKey(chip, dataset))) };
}

async function withKey(chip: Chip, dataset: string): Promise<Chip> {
  if (!("picture" in chip.subject)) return chip;
  return { ...chip, subject: { picture_key: await keepQueryPicture(dataset, chip.subject.picture) } };
}
