/** Files as people hand them over: picked, picked as a folder, or dropped with folders in between. */

import type { PickedFile } from "./upload_queue";

const HIDDEN = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/;

export function fromInput(files: Iterable<File>): PickedFile[] {
  return clean([...files].map((file) => ({ file, path: file.webkitRelativePath })));
}

/** Must be called while the drop event is handled: afterwards its items are gone. */
export async function fromDrop(transfer: DataTransfer): Promise<PickedFile[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return fromInput(transfer.files);
  return clean((await Promise.all(entries.map(walk))).flat());
}

const clean = (picked: PickedFile[]): PickedFile[] => picked.filter(({ file, path }) => !HIDDEN.test(path || file.name));

async function walk(entry: FileSystemEntry): Promise<PickedFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    const path = entry.fullPath.replace(/^\//, "");
    return [{ file, path: path.includes("/") ? path : "" }];
  }
  const found: PickedFile[] = [];
  for (const child of await children(entry as FileSystemDirectoryEntry)) found.push(...(await walk(child)));
  return found;
}

/** Browsers hand out a folder in pieces of 100 and say "no more" by an empty piece. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const piece = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (piece.length === 0) return all;
    all.push(...piece);
  }
}

/** What a dataset is called until somebody says better: "fruit_2024.tar.gz" → "Fruit 2024". */
export function suggestedName({ file, path }: PickedFile): string {
  const stem = (path.split("/")[0] || file.name).replace(/(\.(zip|tar|gz|tgz|csv|tsv|jsonl|ndjson|parquet))+$/i, "");
  const words = stem.replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
