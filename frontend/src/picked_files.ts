/** Files as people hand them over: picked, picked as a folder, or dropped with folders in between. */

import type { PickedFile } from "./upload_queue";

const HIDDEN = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/;

export function fromInput(files: Iterable<File>): PickedFile[] {
  return clean([...files].map((file) => ({ file, path: file.webkitRelativePath })));
}

const PART = /\.(z\d\d|(zip|7z|tar|gz|tgz)\.(\d{2,3}|a[a-z]|part\w{0,3}))$/i;
const UNOPENED = /\.(7z|rar|bz2|xz|zst)$/i;

/** Why a file is not worth hours of uploading, by its name. The server tells by its bytes, and of files in folders in the report. */
export function refusal({ file: { name }, path }: PickedFile): string | null {
  if (path) return null;
  if (PART.test(name)) return `${name} is one part of an archive that was split into several files. Unpack all of them together, and upload the folder, or a zip that is not split.`;
  return UNOPENED.test(name) ? `${name} is packed in a way that is not opened here; unpack it, and upload the folder or the files in it.` : null;
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
  const stem = (path.split("/")[0] || file.name).replace(/(\.(zip|tar|gz|tgz|csv|tsv|tab|txt|jsonl?|ndjson|parquet|pq|arrow|feather|ipc|xls[xm]))+$/i, "");
  const words = stem.replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
