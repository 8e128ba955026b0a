/**
 * What every request has in common: cookies, the CSRF token, a time limit, errors in words. Only the files of this folder
 * fetch, besides tus-js-client for the bytes of an upload.
 *
 * An answer ≥ 400 is {"detail": "a sentence"} or {"detail": [{"msg": "a sentence"}]}.
 */

/** What the server answered instead of a result, in words for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  /** Whether asking again would be answered the same. */
  get lasting(): boolean {
    return this.status < 500 && this.status !== 408 && this.status !== 429;
  }
}

/** The page has the token too, for cookies that scripts may not read; but whoever signs in in another tab has another one from then on. */
export function csrfToken(): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]');
  // Beside another copy of the site, on another port of its machine, the cookie has a name of its own.
  const start = `${meta?.dataset["cookie"]}=`;
  const cookie = document.cookie.split(/;\s*/).find((each) => each.startsWith(start));
  return cookie?.slice(start.length) ?? meta?.content ?? "";
}

export const get = <T>(url: string, signal?: AbortSignal): Promise<T> => json(send(url, { signal }));

export const post = <T>(url: string, body: unknown, signal?: AbortSignal): Promise<T> => json(change("POST", url, body, signal));

export const json = <T>(answer: Promise<Response>): Promise<T> => read(answer, (response) => response.json() as Promise<T>);

export const bytes = (answer: Promise<Response>): Promise<ArrayBuffer> => read(answer, (response) => response.arrayBuffer());

/** The body of an answer, which may break off. */
export async function read<T>(answer: Promise<Response>, how: (response: Response) => Promise<T>): Promise<T> {
  const response = await answer;
  return how(response).catch((error: unknown) => {
    throw worded(error, "The server's answer broke off.");
  });
}

/** A request that changes something or whose question is too long for an address. */
export function change(method: "POST" | "PATCH" | "DELETE", url: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  return send(url, { method, headers, body: JSON.stringify(body), signal });
}

type Init = Omit<RequestInit, "signal" | "body"> & { signal?: AbortSignal | undefined; body?: string | undefined };

/** A tile that does not answer in this time is asked for again. */
const TIMEOUT_MS = 30_000;

export async function send(url: string, init: Init = {}): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  const { body = null, ...rest } = init;
  const response = await fetch(url, { credentials: "same-origin", ...rest, body, signal }).catch((error: unknown) => {
    throw worded(error, "The server could not be reached.");
  });
  if (!response.ok) throw new ApiError(response.status, await sentence(response));
  return response;
}

/** What somebody aborted stays as it is: it is told to nobody. */
function worded(error: unknown, otherwise: string): unknown {
  const name = error instanceof Error ? error.name : "";
  if (name === "AbortError") return error;
  return new Error(name === "TimeoutError" ? `The server did not answer within ${TIMEOUT_MS / 1000} seconds.` : otherwise);
}

async function sentence(response: Response): Promise<string> {
  // HTTP/2 knows numbers only.
  const fallback = `The server answered ${[response.status, response.statusText].join(" ").trim()}.`;
  if (!response.headers.get("Content-Type")?.startsWith("application/json")) return fallback;
  const detail: unknown = await response.json().then(({ detail }: { detail?: unknown }) => detail).catch(() => null);
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail)) return detail.map((item: { msg?: string }) => item.msg ?? "").join(" ");
  return fallback;
}
