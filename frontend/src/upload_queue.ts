/** Uploads files by the tus protocol, a few at a time; an interrupted one goes on where it stopped. */

import { DetailedError, Upload } from "tus-js-client";
import { csrfToken } from "./api/http";

export interface PickedFile {
  file: File;
  /** "folder/images/1.jpg" for a file of a picked folder, else "". */
  path: string;
}

export interface Sending {
  readonly picked: PickedFile;
  sent: number;
  /** The upload's id once it is complete. */
  id: string | null;
  error: string | null;
}

const AT_ONCE = 3;
/** Small enough that a server without room reads the rest of a request before it says so (`tus.py`). */
const CHUNK_BYTES = 32 * 2 ** 20;
/** Sent in one request with its name. A larger file first gets its address: what breaks off can then be resumed. */
const SMALL_BYTES = 2 ** 20;
const RETRY_DELAYS = [500, 1500, 4000, 10_000, 30_000];

export class UploadQueue {
  readonly items: Sending[] = [];
  private readonly uploads = new Map<Sending, Upload>();

  constructor(
    private readonly endpoint: string,
    private readonly changed: (item: Sending) => void,
  ) {}

  add(picked: PickedFile[]): void {
    for (const each of picked) this.items.push({ picked: each, sent: 0, id: null, error: null });
    this.pump();
  }

  /** Stops it and takes it off the list; what was sent is deleted from the server. */
  remove(gone: Sending[]): void {
    const set = new Set(gone);
    for (const item of gone) {
      // Deleting may fail when the connection is away: the server then forgets it when it expires.
      this.uploads.get(item)?.abort(true).catch(() => {});
      this.uploads.delete(item);
    }
    this.items.splice(0, this.items.length, ...this.items.filter((item) => !set.has(item)));
    this.pump();
  }

  retry(): void {
    for (const item of this.items) {
      if (!item.error) continue;
      item.error = null;
      this.uploads.delete(item);
      this.changed(item);
    }
    this.pump();
  }

  private pump(): void {
    const running = this.items.filter((item) => this.uploads.has(item) && item.id === null && item.error === null).length;
    const waiting = this.items.filter((item) => !this.uploads.has(item));
    for (const item of waiting.slice(0, Math.max(0, AT_ONCE - running))) this.start(item);
  }

  private start(item: Sending): void {
    const { file, path } = item.picked;
    const upload = new Upload(file, {
      endpoint: this.endpoint,
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_DELAYS,
      removeFingerprintOnSuccess: true,
      // With the folder: files alike in name, size and time are no copies, and one never goes on with another's upload.
      fingerprint: (_, { endpoint }) => Promise.resolve(["atlas", path || file.name, file.type, file.size, file.lastModified, endpoint].join("-")),
      uploadDataDuringCreation: file.size <= SMALL_BYTES,
      metadata: { filename: file.name, filetype: file.type, ...(path ? { relativePath: path } : {}) },
      // Read at each request: the token changes when somebody signs in again in another tab.
      onBeforeRequest: (request) => request.setHeader("X-CSRFToken", csrfToken()),
      onProgress: (sent) => {
        item.sent = sent;
        this.changed(item);
      },
      onSuccess: () => {
        item.sent = file.size;
        item.id = idOf(upload.url);
        this.settled(item);
      },
      onError: (error) => {
        item.error = sentence(error);
        this.settled(item);
      },
    });
    this.uploads.set(item, upload);
    void this.resume(item, upload);
  }

  private async resume(item: Sending, upload: Upload): Promise<void> {
    const previous = await upload.findPreviousUploads();
    const free = previous.find(({ uploadUrl }) => [...this.uploads.values()].every(({ url }) => url !== uploadUrl));
    if (free) upload.resumeFromPreviousUpload(free);
    if (this.uploads.get(item) === upload) upload.start();
  }

  private settled(item: Sending): void {
    this.changed(item);
    this.pump();
  }
}

const idOf = (url: string | null): string => new URL(url ?? "", location.href).pathname.replace(/\/$/, "").split("/").at(-1)!;

/** The server says in plain text why it refuses. */
function sentence(error: Error | DetailedError): string {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  if (!response) return "The connection broke. Check it and press “Try again”: the upload goes on where it stopped.";
  const body = response.getBody();
  if (response.getStatus() === 401 || response.getStatus() === 403) return "You are signed out. Sign in in another tab, then press “Try again”.";
  return body && body.length < 300 && !body.startsWith("<") ? body : `The server answered ${response.getStatus()}.`;
}
