/** Fetches what is wanted most first, a few at a time; a failure is tried again, then said. */

const RETRY_AFTER = [400, 1500, 5000];
/** After the last of them it is said, and tried again so often by itself. */
const TRY_ANEW_AFTER = 30_000;
/** So many tries has what failed for good. */
const TOLD = RETRY_AFTER.length + 1;
/** An answer that takes longer counts as none; after the first time a slow line gets more. */
const PATIENCE = [15_000, 30_000] as const;

/** Whoever asks again is answered the same. */
const isLasting = (error: unknown): boolean => error instanceof Error && "lasting" in error && error.lasting === true;

export class Loader<K> {
  private wanted: K[] = [];
  private readonly busy = new Set<K>();
  private readonly settled = new Set<K>();
  private readonly forgotten = new Set<K>();
  private readonly tries = new Map<K, number>();
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private readonly abort = new AbortController();
  /** Ends the waiting for new tries of what failed. */
  private giveUp = new AbortController();

  /** `run` fetches and stores a thing; `failed` hears of one whose every try failed, until `retry()`. */
  constructor(
    private readonly run: (key: K, signal: AbortSignal) => Promise<void>,
    private readonly failed: (key: K, error: unknown) => void,
    private readonly limit = 6,
  ) {}

  /** Replaces the list of wishes, most wanted first. What is under way is not stopped: it is small and soon needed. */
  want(keys: K[]): void {
    this.wanted = keys;
    this.pump();
  }

  /** The thing was thrown away, or what it belongs to: fetch it again when it is wanted again, also where it is just on its way. */
  forget(key: K): void {
    this.settled.delete(key);
    if (this.busy.has(key)) this.forgotten.add(key);
  }

  /** Whether something that is wanted has not arrived or finally failed. */
  get pending(): boolean {
    return this.wanted.some((key) => !this.settled.has(key));
  }

  retry(): void {
    this.giveUp.abort();
    this.giveUp = new AbortController();
    for (const [key, count] of this.tries) if (count === TOLD) this.settled.delete(key);
    this.tries.clear();
    this.pump();
  }

  close(): void {
    this.abort.abort();
    for (const timer of this.timers) clearTimeout(timer);
    this.wanted = [];
  }

  private pump(): void {
    for (const key of this.wanted) {
      if (this.busy.size >= this.limit) return;
      if (!this.busy.has(key) && !this.settled.has(key)) void this.start(key);
    }
  }

  private async start(key: K): Promise<void> {
    this.busy.add(key);
    try {
      await this.runInTime(key, PATIENCE[this.tries.has(key) ? 1 : 0]);
      this.tries.delete(key);
      if (!this.forgotten.has(key)) this.settled.add(key);
    } catch (error) {
      if (this.abort.signal.aborted) return;
      if (this.wanted.includes(key)) await this.pause(key, error);
    } finally {
      this.busy.delete(key);
      this.forgotten.delete(key);
    }
    if (!this.abort.signal.aborted) this.pump();
  }

  /** Holds the place of a failed key until its next try. */
  private async pause(key: K, error: unknown): Promise<void> {
    const count = this.tries.get(key) ?? 0;
    const delay = isLasting(error) ? undefined : RETRY_AFTER[count];
    this.tries.set(key, delay === undefined ? TOLD : count + 1);
    if (delay === undefined) {
      this.settled.add(key);
      if (count < TOLD) this.failed(key, error);
      if (!isLasting(error)) void this.wait(TRY_ANEW_AFTER, this.giveUp.signal).then(() => this.again(key));
      return;
    }
    await this.wait(delay);
  }

  /** Once, and nobody is told a second time. */
  private again(key: K): void {
    this.settled.delete(key);
    this.pump();
  }

  /** The signal stops a request that hangs; who pays no heed to it is not waited for either. */
  private async runInTime(key: K, patience: number): Promise<void> {
    const stop = new AbortController();
    const late = this.wait(patience, stop.signal).then(() => {
      throw new Error(`No answer within ${patience / 1000} seconds.`);
    });
    try {
      await Promise.race([this.run(key, AbortSignal.any([this.abort.signal, stop.signal])), late]);
    } finally {
      stop.abort();
    }
  }

  /** Never ends after `signal` or once the loader was closed. */
  private wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve();
      }, milliseconds);
      this.timers.add(timer);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        this.timers.delete(timer);
      });
    });
  }
}
