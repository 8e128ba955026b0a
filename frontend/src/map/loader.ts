/** Fetches what is wanted most first, a few at a time; a failure is tried again, then said. */

const RETRY_AFTER = [400, 1500, 5000];

export class Loader<K> {
  private wanted: K[] = [];
  private readonly busy = new Set<K>();
  private readonly settled = new Set<K>();
  private readonly tries = new Map<K, number>();
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private readonly abort = new AbortController();

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

  /** The thing was thrown away: fetch it again when it is wanted again. */
  forget(key: K): void {
    this.settled.delete(key);
  }

  /** Whether something that is wanted has not arrived or finally failed. */
  get pending(): boolean {
    return this.busy.size > 0 || this.wanted.some((key) => !this.settled.has(key));
  }

  retry(): void {
    for (const [key, count] of this.tries) if (count > RETRY_AFTER.length) this.settled.delete(key);
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
      await this.run(key, this.abort.signal);
      this.tries.delete(key);
      this.settled.add(key);
    } catch (error) {
      if (this.abort.signal.aborted) return;
      await this.pause(key, error);
    } finally {
      this.busy.delete(key);
    }
    if (!this.abort.signal.aborted) this.pump();
  }

  /** Holds the place of a failed key until its next try. */
  private async pause(key: K, error: unknown): Promise<void> {
    const count = this.tries.get(key) ?? 0;
    this.tries.set(key, count + 1);
    const delay = RETRY_AFTER[count];
    if (delay === undefined) {
      this.settled.add(key);
      this.failed(key, error);
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve();
      }, delay);
      this.timers.add(timer);
    });
  }
}
