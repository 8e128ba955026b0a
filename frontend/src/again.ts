/** Asking again by itself for what the query worker did not answer: first after this time, then twice as long, … */

const FIRST_MS = 4000;
const LONGEST_MS = 60_000;

export class Again {
  private pause = FIRST_MS;

  /** Another question is asked. */
  begin(): void {
    this.pause = FIRST_MS;
  }

  /** `ask` is called after a pause, unless `signal` says that nobody waits for it any more. */
  later(signal: AbortSignal, ask: () => unknown): void {
    setTimeout(() => !signal.aborted && ask(), this.pause);
    this.pause = Math.min(LONGEST_MS, 2 * this.pause);
  }
}
